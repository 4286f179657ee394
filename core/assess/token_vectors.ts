import { UserError } from "../errors.ts";
import { infer } from "../evaluate/predictions.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";

/** A model's table of tokens: rows of one table, or the parts of a large one. */
type Table = Parameters<Ops["embedding"]>[0];

/**
 * Operations by which other vectors stand where a model looks up the tokens of a batch: so no model has to know of it.
 *
 * @param vectorsOf the vectors `[batch, length, width]` in their place, given what looks them up and in which table
 */
function lookingUp(ops: Ops, tokens: Tensor, vectorsOf: (lookUp: () => Tensor, table: Table) => Tensor): Ops {
  return {
    ...ops,
    embedding(table, indices) {
      const lookUp = () => ops.embedding(table, indices);
      return indices === tokens ? vectorsOf(lookUp, table) : lookUp();
    },
  };
}

/**
 * The table that a model looks its tokens up in.
 *
 * @param action what is to be done, to begin the sentence: `Cannot attack "runs/mail" in its word vectors`
 * @throws UserError if it looks them up elsewhere than once in its forward pass, by `ops.embedding`
 */
export function tokenTable(ops: Ops, model: Model, weights: Weights, batch: Batch<Tensor>, action: string): Table {
  const tables: Table[] = [];
  const watching = lookingUp(ops, batch.tokens, (lookUp, table) => {
    tables.push(table);
    return lookUp();
  });
  ops.scope(() => void infer(watching, model, weights, batch));
  if (tables.length === 1) return tables[0];
  throw new UserError(
    `${action}: the model looks its tokens up ${tables.length} times, and expected is once, by ops.embedding(table, tokens)`,
  );
}

/**
 * The logits of a batch of texts with other vectors of their tokens.
 *
 * @param vectorsOf the vectors `[batch, length, width]`, given what looks up the model's own
 */
export function logitsOfVectors(
  ops: Ops,
  { model, weights }: { readonly model: Model; readonly weights: Weights },
  batch: Batch<Tensor>,
  vectorsOf: (lookUp: () => Tensor) => Tensor,
): Tensor {
  return infer(lookingUp(ops, batch.tokens, vectorsOf), model, weights, batch).logits;
}
