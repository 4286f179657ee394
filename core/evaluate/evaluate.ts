import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples, HostTensor, InputDescription, Task } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";
import { firstIndices } from "../data/loader.ts";
import { batchesOf } from "./batches.ts";
import { breathe } from "./breathe.ts";
import { computeBatches } from "./compute_batches.ts";
import type { Confusion } from "./metrics/confusion.ts";
import { type ClassName, metricsOf } from "./metrics/metrics.ts";
import type { TypeScores } from "./metrics/spans.ts";
import { inferOn, predictionsOf, scoredIn } from "./predictions.ts";

/** How well a model does on a list of examples. */
export interface Evaluation {
  /** Part of the examples, or of the scored tokens, that the model is right about; `null` for a regression. */
  readonly accuracy: number | null;
  /** Mean cross-entropy in nats, over examples or scored tokens; mean squared error for a regression. */
  readonly loss: number;
  /** How many examples were measured. */
  readonly examples: number;
  /** All that the task is measured by, by name: `accuracy`, `f1`, `matthews`, `f1Macro`, or `pearson`, `spearman`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The class that `f1` is of; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** The scores of each type of spans that tags mark; `null` where they mark none. */
  readonly spans: readonly TypeScores[] | null;
  /** `[true class][predicted class]`; `null` for a regression. */
  readonly confusion: Confusion | null;
}

/** The model to evaluate, and the examples. */
export interface EvaluationCall {
  /** The model. */
  readonly model: Model;
  /** Its weights. */
  readonly weights: Weights;
  /** For messages: "the teacher". "the model" by default. */
  readonly who?: string;
  /** What it is measured on. */
  readonly examples: Examples;
  /** The data set's task and classes. */
  readonly input: InputDescription;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** The class whose F1 is asked for; unset or `null`: the second of two. */
  readonly positiveClass?: ClassName | null;
}

/**
 * Loss and metrics over a split, batch by batch; everything is read back once at the end.
 *
 * @throws UserError if outputs are NaN: the largest of them would be the first class's, and look like an answer
 *
 * @example A model of this program on a data set of one's own
 * ```ts
 * import { type Dataset, evaluate, type Model, type Ops, type Weights } from "@opdf/opdf";
 *
 * async function accuracy(ops: Ops, model: Model, weights: Weights, { splits, input }: Dataset) {
 *   const { accuracy } = await evaluate(ops, { model, weights, examples: splits.test, input, batchSize: 500 });
 *   return accuracy;
 * }
 * ```
 */
export async function evaluate(ops: Ops, call: EvaluationCall): Promise<Evaluation> {
  expectArguments("evaluate", { ops: [ops, "operations (see createOps)"], call: [call, "a map"] });
  expectArguments("evaluate", {
    "call.model": [call.model, "a model, { parameters, ... }"],
    "call.weights": [call.weights, "a map"],
    "call.examples": [call.examples, "a map"],
    "call.input": [call.input, "a map"],
    "call.batchSize": [call.batchSize, "a whole number from 1"],
  });
  const { model, weights, who = "the model", examples, input, batchSize, positiveClass: wanted = null } = call;
  const { task } = input;
  const labels: HostTensor[] = [];
  const results: Tensor[] = [];
  const ranges: (readonly [first: number, last: number])[] = [];
  const computed = computeBatches(examples, batchesOf(firstIndices(examples.length), batchSize), (indices) => {
    const hostBatch = examples.batch(indices);
    const tensors = ops.scope(() => {
      const outputs = inferOn(ops, model, weights, hostBatch);
      return [predictionsOf(ops, task, outputs), lossSum(ops, task, outputs.logits, hostBatch.label)];
    });
    return { tensors, label: hostBatch.label };
  });
  for await (const { indices, result: { tensors, label } } of computed) {
    labels.push(label);
    results.push(...tensors);
    ranges.push([indices[0], indices.at(-1)!]);
    await breathe();
  }
  const numbers = await ops.read(results);
  results.forEach((tensor) => tensor.dispose());
  const predictions = numbers.filter((_, index) => index % 2 === 0);
  const losses = numbers.filter((_, index) => index % 2 === 1).map(([value]) => value);
  // Infinite is the loss of a class to which a model gives no probability at all.
  const broken = losses.findIndex((value) => Number.isNaN(value) || task === "regression" && value === Infinity);
  if (broken >= 0) {
    const [first, last] = ranges[broken];
    throw new UserError(
      `Cannot measure ${who} as its outputs for the examples ${first} to ${last} are not finite numbers: its weights, ` +
        "or the numbers of these examples, are NaN or too large",
    );
  }
  const loss = losses.reduce((sum, value) => sum + value, 0);
  const scored = labels.reduce((sum, label) => sum + scoredIn(task, label), 0);
  const measured = metricsOf(input, labels, predictions, wanted);
  const accuracy = measured.metrics.accuracy ?? null;
  return { accuracy, loss: loss / scored, examples: examples.length, ...measured };
}

function lossSum(ops: Ops, task: Task, logits: Tensor, { data, shape }: HostTensor): Tensor {
  if (task === "regression") {
    return ops.sum(ops.square(ops.subtract(ops.reshape(logits, shape), ops.tensor(data, shape))));
  }
  const rows = ops.reshape(logits, [data.length, logits.shape.at(-1)!]);
  const likelihoods = ops.pick(ops.logSoftmax(rows), ops.tensor(data.map((label) => Math.max(label, 0))));
  const scored = ops.tensor(data.map((label) => label >= 0 ? 1 : 0));
  return ops.negate(ops.sum(ops.multiply(likelihoods, scored)));
}
