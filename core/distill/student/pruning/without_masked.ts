import { keptByMasks, type KeptChannels, type Numbers, withoutChannels } from "../../../plugin/inner_widths.ts";
import type { Model } from "../../../plugin/model.ts";
import type { CutWidths } from "./cut_channels.ts";

/** A student without the channels that masks took away in training. */
export interface NarrowedStudent {
  readonly model: Model;
  readonly numbers: ReadonlyMap<string, Float32Array>;
  readonly widths: CutWidths;
}

/**
 * Takes the channels away of which masks leave nothing.
 *
 * @param numbers the student's, merged
 * @param masks by name, those of whole channels
 * @param narrow builds the narrower model
 */
export function withoutMasked(
  model: Model,
  numbers: Numbers,
  masks: Numbers,
  narrow: (kept: KeptChannels) => Model,
): NarrowedStudent {
  const kept = keptByMasks(model, masks);
  const widths = model.innerWidths!.map(({ name, size }) => [name, [size, kept.get(name)!.length] as const]);
  return { model: narrow(kept), numbers: withoutChannels(model, numbers, kept), widths: Object.fromEntries(widths) };
}
