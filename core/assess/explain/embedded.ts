import { UserError } from "../../errors.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import { infer } from "../../evaluate/predictions.ts";
import type { Tensor } from "../../tensor.ts";

/** A model's table of tokens: rows of one table, or the parts of a large one. */
type Table = Parameters<Ops["embedding"]>[0];

/**
 * The table that a model looks its tokens up in.
 *
 * @throws UserError if it looks them up elsewhere than once in its forward pass, by `ops.embedding`
 */
export function tokenTable(ops: Ops, model: Model, weights: Weights, batch: Batch<Tensor>): Table {
  const tables: Table[] = [];
  const watching: Ops = {
    ...ops,
    embedding(table, indices) {
      if (indices === batch.tokens) tables.push(table);
      return ops.embedding(table, indices);
    },
  };
  ops.scope(() => void infer(watching, model, weights, batch));
  if (tables.length === 1) return tables[0];
  throw new UserError(
    `Cannot explain the model by the embeddings of its tokens as it looks them up ${tables.length} times, not once`,
  );
}

/** The logits of a batch of texts with other embeddings of their tokens, `[batch, length, width]`. */
export function logitsOfEmbeddings(
  ops: Ops,
  model: Model,
  weights: Weights,
  batch: Batch<Tensor>,
  embeddings: Tensor,
): Tensor {
  const replacing: Ops = {
    ...ops,
    embedding: (table, indices) => indices === batch.tokens ? embeddings : ops.embedding(table, indices),
  };
  return infer(replacing, model, weights, batch).logits;
}
