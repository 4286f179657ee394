import { firstIndices } from "../data/loader.ts";
import { UserError } from "../errors.ts";
import { batchesOf } from "../evaluate/batches.ts";
import { breathe } from "../evaluate/breathe.ts";
import { computeBatches } from "../evaluate/compute_batches.ts";
import { inferOn } from "../evaluate/predictions.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Subject } from "./subject.ts";

/** A model's logits for some examples, and what is right. */
export interface LabelledLogits {
  /** `[examples, classes]`, row-major. */
  readonly logits: Float64Array;
  /** `[examples]` */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** The logits for examples in their order. @throws UserError if one of them is not finite */
export async function logitsOf(
  ops: Ops,
  { name, model, weights, input }: Pick<Subject, "name" | "model" | "weights" | "input">,
  examples: Examples,
  batchSize: number,
): Promise<LabelledLogits> {
  const classes = input.classes.length;
  const all: LabelledLogits = {
    logits: new Float64Array(examples.length * classes),
    labels: new Int32Array(examples.length),
    classes,
  };
  const computed = computeBatches(examples, batchesOf(firstIndices(examples.length), batchSize), (indices) => {
    const batch = examples.batch(indices);
    const logits = ops.scope(() => {
      const { logits } = inferOn(ops, model, weights, batch);
      return ops.reshape(logits, logits.shape);
    });
    return { logits, label: batch.label.data };
  });
  for await (const { indices, result: { logits, label } } of computed) {
    const [numbers] = await ops.read([logits]);
    logits.dispose();
    if (!numbers.every(Number.isFinite)) throw notFinite(name);
    all.logits.set(numbers, indices[0] * classes);
    all.labels.set(label, indices[0]);
    await breathe();
  }
  return all;
}

/** The number that a model has for each class of another one, which may have them in another order; -1: it lacks it. */
export function classNumbers(
  { input: { classes } }: Pick<Subject, "input">,
  { input: { classes: own } }: Pick<Subject, "input">,
): number[] {
  return classes.map((name) => (own as readonly unknown[]).indexOf(name));
}

/** The refusal of a model whose answers are no numbers. */
export function notFinite(name: string): UserError {
  return new UserError(
    `Cannot assess "${name}" as its logits are not finite: its weights are damaged, or another model's`,
  );
}

/** Which class each row of logits is largest for, the first of equal ones. */
export function decisionsIn(logits: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[row * classes + c] > logits[row * classes + best]) best = c;
    return best;
  });
}
