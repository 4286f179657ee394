import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples, Task } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";
import { firstIndices } from "../data/loader.ts";
import { batchesOf } from "./batches.ts";
import { breathe } from "./breathe.ts";
import { computeBatches } from "./compute_batches.ts";
import { pearson } from "./metrics/correlation.ts";
import { leastLogit, USUAL_THRESHOLD } from "./metrics/several_labels.ts";
import { inferOn, predictionsOf } from "./predictions.ts";

/** Whose decisions are wanted, and of which examples. */
export interface DecisionCall {
  readonly model: Model;
  readonly weights: Weights;
  readonly examples: Examples;
  readonly task: Task;
  /** Examples that are computed at once. */
  readonly batchSize: number;
}

/**
 * What a model decides about examples in their order: a class or a number for each, for tagging one for each token of
 * each batch, padding included, for several labels one logit for each class, for embedding a vector.
 */
export async function decisionsOf(
  ops: Ops,
  { model, weights, examples, task, batchSize }: DecisionCall,
): Promise<Float64Array> {
  const results: Tensor[] = [];
  const batches = batchesOf(firstIndices(examples.length), batchSize);
  const computed = computeBatches(
    examples,
    batches,
    (indices) => ops.scope(() => predictionsOf(ops, task, inferOn(ops, model, weights, examples.batch(indices)))),
  );
  for await (const { result } of computed) {
    results.push(result);
    await breathe();
  }
  const numbers = await ops.read(results);
  results.forEach((tensor) => tensor.dispose());
  return Float64Array.from(numbers.flatMap((batch) => Array.from(batch)));
}

/**
 * Part of the decisions in which two models are alike, for several labels of those about each class; for the numbers of
 * a regression their correlation. Of vectors see `vectorAgreement`.
 *
 * @param threshold the probability from which an example is of a class, where it may be of several
 */
export function agreementOf(
  task: Task,
  own: ArrayLike<number>,
  taught: ArrayLike<number>,
  threshold: number = USUAL_THRESHOLD,
): number {
  if (task === "regression") return pearson(Array.from(own), Array.from(taught));
  if (task === "multi-label") {
    const least = leastLogit(threshold);
    const [ours, theirs] = [own, taught].map((logits) => Array.from(logits, (logit) => logit >= least));
    return ours.filter((decision, place) => decision === theirs[place]).length / ours.length;
  }
  let equal = 0;
  for (let place = 0; place < own.length; place++) if (own[place] === taught[place]) equal++;
  return equal / own.length;
}
