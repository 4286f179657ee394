import type { FileTensors } from "../../../core/plugin/model.ts";
import { EMBEDDINGS } from "./names.ts";
import type { Variant } from "./options.ts";
import type { BertSizes } from "./sizes.ts";

type Sizes = Pick<BertSizes, "variant" | "types" | "embeddingWidth">;

/** Whether Hugging Face's transformers has segments in a variant. */
export const hasSegments = (variant: Variant): boolean => variant !== "distilbert" && variant !== "mpnet";

/**
 * A model's tensors as Hugging Face's transformers takes them: it has no encoder without segments but DistilBERT and
 * MPNet, and one with a single segment, whose row is zeros, computes the same.
 */
export function withSegment(tensors: FileTensors, { variant, types, embeddingWidth: width }: Sizes): FileTensors {
  if (types > 0 || !hasSegments(variant)) return tensors;
  return new Map([...tensors, [tableOf(variant), { shape: [1, width], numbers: () => new Float32Array(width) }]]);
}

/** The opposite of {@link withSegment}; a table that adds something stays, and is refused. */
export function withoutSegments(tensors: FileTensors, { variant, types }: Sizes): FileTensors {
  const table = tensors.get(tableOf(variant));
  if (types > 0 || table?.shape[0] !== 1 || table.numbers().some((value) => value !== 0)) return tensors;
  return new Map([...tensors].filter(([name]) => name !== tableOf(variant)));
}

function tableOf(variant: Sizes["variant"]): string {
  return `${variant}.${EMBEDDINGS.types}.weight`;
}
