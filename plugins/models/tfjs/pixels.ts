import type { Ops } from "../../../core/ops/ops.ts";
import type { ImageInput } from "../../../core/plugin/dataset.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { PixelRange } from "./options.ts";

/** Turns images as a data set normalises them into those that a model was trained with. */
export interface PixelScaling {
  /** `[batch, height, width, channels]` */
  apply(image: Tensor): Tensor;
  dispose(): void;
}

/** 0 and 1 in each range. */
const RANGES = { "0..1": [0, 1], "-1..1": [-1, 1], "0..255": [0, 255] } as const;

/** The normalisation undone, x std + mean, and then the range: one factor and one summand for each channel. */
export function scalePixels(ops: Ops, { normalise: { mean, std } }: ImageInput, range: PixelRange): PixelScaling {
  if (range === "normalised") return { apply: (image) => image, dispose: () => {} };
  const [black, white] = RANGES[range];
  const width = white - black;
  const factor = ops.keep(ops.tensor(std.map((value) => value * width)));
  const summand = ops.keep(ops.tensor(mean.map((value) => value * width + black)));
  return {
    apply: (image) => ops.add(ops.multiply(image, factor), summand),
    dispose: () => [factor, summand].forEach((tensor) => tensor.dispose()),
  };
}
