import type { FileTensors } from "../../../core/plugin/model.ts";
import { EMBEDDINGS } from "./names.ts";
import type { BertSizes } from "./sizes.ts";

type Sizes = Pick<BertSizes, "variant" | "types" | "width">;

/**
 * A model's tensors as Hugging Face's transformers takes them: it has no encoder without segments but DistilBERT, and
 * one with a single segment, whose row is zeros, computes the same.
 */
export function withSegment(tensors: FileTensors, { variant, types, width }: Sizes): FileTensors {
  if (types > 0 || variant === "distilbert") return tensors;
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
