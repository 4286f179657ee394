import type { InputDescription } from "../../../core/plugin/dataset.ts";
import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { BertSizes } from "./sizes.ts";

/** The outputs of an encoder that makes vectors of sentences: all but logits. */
export const GIVEN_WITH_VECTORS: readonly (keyof ModelOutputs)[] = [
  "features",
  "hidden",
  "attention",
  "scores",
  "relations",
  "pooled",
];

/** A vector shorter than this is divided by it, as in PyTorch's `normalize`. */
const SHORTEST = 1e-12;

/**
 * Vectors of sentences as sentence-transformers makes them: the mean of the hidden states of a text's tokens, special
 * ones included and padding left out, or the first one; divided by its length, if vectors are to have the length 1.
 *
 * @param hidden the last hidden states, `[batch, length, width]`
 * @returns the vectors `[batch, width]`, as what is pooled and as what the model answers
 */
export function sentenceVectors(
  { ops, batch: { mask } }: ForwardCall,
  { pooling, normalise }: Pick<BertSizes, "pooling" | "normalise">,
  hidden: Tensor,
): Pick<ModelOutputs, "logits" | "pooled"> {
  const [batch, length, width] = hidden.shape;
  const mean = () => {
    const seen = ops.reshape(mask, [batch, length, 1]);
    const sum = ops.sum(ops.multiply(hidden, seen), { axes: [1] });
    return ops.divide(sum, ops.clampMinimum(ops.sum(seen, { axes: [1] }), 1));
  };
  const first = () => ops.reshape(ops.slice(hidden, { axis: 1, begin: 0, length: 1 }), [batch, width]);
  const vector = pooling === "mean" ? mean() : first();
  const pooled = normalise ? ofLengthOne(ops, vector) : vector;
  return { pooled, logits: ops.reshape(pooled, pooled.shape) };
}

function ofLengthOne(ops: ForwardCall["ops"], vector: Tensor): Tensor {
  const squares = ops.sum(ops.square(vector), { axes: [1], keepDimensions: true });
  return ops.divide(vector, ops.sqrt(ops.clampMinimum(squares, SHORTEST ** 2)));
}

const MODULES = "sentence_transformers.models";

/** The files by which sentence-transformers runs the folder: a transformer, what pools, and what normalises. */
export function sentenceFiles(
  { pooling, normalise, width }: Pick<BertSizes, "pooling" | "normalise" | "width">,
  { text }: InputDescription,
): Record<string, string> {
  const kinds = ["Transformer", "Pooling", ...(normalise ? ["Normalize"] : [])];
  const paths = kinds.map((kind, index) => index === 0 ? "" : `${index}_${kind}`);
  const modules = kinds.map((kind, idx) => {
    return { idx, name: String(idx), path: paths[idx], type: `${MODULES}.${kind}` };
  });
  const json = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  return {
    "modules.json": json(modules),
    "sentence_bert_config.json": json({ max_seq_length: text!.maxLength, do_lower_case: false }),
    "1_Pooling/config.json": json({
      word_embedding_dimension: width,
      pooling_mode_cls_token: pooling === "cls",
      pooling_mode_mean_tokens: pooling === "mean",
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
    }),
    // Older versions of sentence-transformers look into the folder of every module.
    ...(normalise && { "2_Normalize/config.json": json({}) }),
  };
}
