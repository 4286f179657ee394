import type { Ops } from "../ops/ops.ts";
import type { HostTensor, Task } from "../plugin/dataset.ts";
import { hasClasses } from "../plugin/inputs.ts";
import type { ModelOutputs } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";

/** What a model answered to the examples of one batch. */
export interface AnsweredBatch {
  /** The examples. */
  readonly indices: Uint32Array;
  /** What is right. */
  readonly label: HostTensor;
  /** Which of them have a label; `null`: all. */
  readonly labelled: HostTensor | null;
  /** A class or a number for each label; of several labels a logit for each. */
  readonly decided: ArrayLike<number>;
  /**
   * The probability that the model gives to each of its decisions; `null` where there is none: of a regression, of
   * several labels, whose logits say it, and of a CRF, which decides about all tokens at once.
   */
  readonly certainty: ArrayLike<number> | null;
}

/** The decisions of all batches, in the order of the examples: what `decisionsOf` gives. */
export function decidedIn(answers: readonly AnsweredBatch[]): Float64Array {
  return Float64Array.from(answers.flatMap(({ decided }) => Array.from(decided)));
}

/** The logarithm of the probability of each decision, `[decisions]`; `null` where there is none. */
export function logCertainty(
  ops: Ops,
  task: Task,
  { logits, predictions }: Pick<ModelOutputs, "logits" | "predictions">,
): Tensor | null {
  if (predictions || !hasClasses(task) || task === "multi-label") return null;
  const classes = logits.shape.at(-1)!;
  const rows = ops.reshape(logits, [logits.size / classes, classes]);
  return ops.pick(ops.logSoftmax(rows), ops.argmax(rows));
}
