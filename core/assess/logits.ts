import { firstIndices } from "../data/loader.ts";
import { UserError } from "../errors.ts";
import { batchesOf } from "../evaluate/batches.ts";
import { breathe } from "../evaluate/breathe.ts";
import { computeBatches } from "../evaluate/compute_batches.ts";
import { inferOn } from "../evaluate/predictions.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch, Examples, HostTensor } from "../plugin/dataset.ts";
import type { Subject } from "./subject.ts";

/** A model's logits for some examples, and what is right. */
export interface LabelledLogits {
  /** `[examples, classes]`, row-major. */
  readonly logits: Float64Array;
  /** `[examples]` */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Which of some examples are computed, and as what. */
export interface LogitsCall {
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** Which of them, in this order; left out: all. */
  readonly indices?: Uint32Array;
  /** What a batch of them is changed to. */
  readonly change?: (batch: Batch<HostTensor>, indices: Uint32Array) => Batch<HostTensor>;
}

/** The logits for examples in their order. @throws UserError if one of them is not finite */
export async function logitsOf(
  ops: Ops,
  { name, model, weights, input }: Pick<Subject, "name" | "model" | "weights" | "input">,
  examples: Examples,
  { batchSize, indices = firstIndices(examples.length), change = (batch) => batch }: LogitsCall,
): Promise<LabelledLogits> {
  const classes = input.classes.length;
  const all: LabelledLogits = {
    logits: new Float64Array(indices.length * classes),
    labels: new Int32Array(indices.length),
    classes,
  };
  const computed = computeBatches(examples, batchesOf(indices, batchSize), (some) => {
    const batch = examples.batch(some);
    const logits = ops.scope(() => {
      const { logits } = inferOn(ops, model, weights, change(batch, some));
      return ops.reshape(logits, logits.shape);
    });
    return { logits, label: batch.label.data };
  });
  let begin = 0;
  for await (const { indices: some, result: { logits, label } } of computed) {
    const [numbers] = await ops.read([logits]);
    logits.dispose();
    if (!numbers.every(Number.isFinite)) throw notFinite(name);
    all.logits.set(numbers, begin * classes);
    all.labels.set(label, begin);
    begin += some.length;
    await breathe();
  }
  return all;
}

/** What a model decides about some of its examples. @throws UserError if a logit is not finite */
export async function decided(
  ops: Ops,
  subject: Subject,
  call: LogitsCall,
): Promise<{ readonly decided: Int32Array; readonly labels: Int32Array }> {
  const { logits, labels, classes } = await logitsOf(ops, subject, subject.examples, call);
  return { decided: decisionsIn(logits, classes), labels };
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
