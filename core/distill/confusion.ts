import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { breathe } from "./breathe.ts";
import { type Evaluation, infer, uploadBatch } from "./evaluate.ts";

/** How well a model does on a list of examples, class by class. */
export interface ClassEvaluation extends Evaluation {
  /** `[true class][predicted class]`: how many examples. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Accuracy, loss and confusion matrix over a split. The logits are read back batch by batch, which the faster `evaluate`
 * avoids.
 *
 * @param weights of a model that nothing trains
 */
export async function evaluateByClass(
  ops: Ops,
  model: Model,
  weights: Weights,
  examples: Examples,
  batchSize: number,
): Promise<ClassEvaluation> {
  let confusion: number[][] = [];
  let loss = 0;
  for (let begin = 0; begin < examples.length; begin += batchSize) {
    const size = Math.min(batchSize, examples.length - begin);
    const indices = Uint32Array.from({ length: size }, (_, i) => begin + i);
    const logits = ops.scope(() => infer(ops, model, weights, uploadBatch(ops, examples, indices)));
    const classes = logits.shape[1];
    const numbers = await logits.read();
    logits.dispose();
    if (confusion.length === 0) confusion = Array.from({ length: classes }, () => new Array(classes).fill(0));
    indices.forEach((index, row) => {
      const own = Array.from(numbers.subarray(row * classes, (row + 1) * classes));
      const label = examples.labels![index];
      confusion[label][indexOfLargest(own)]++;
      loss += crossEntropy(own, label);
    });
    await breathe();
  }
  const correct = confusion.reduce((sum, row, label) => sum + row[label], 0);
  return { accuracy: correct / examples.length, loss: loss / examples.length, examples: examples.length, confusion };
}

/** The first of equals, and the first entry where none is a number. */
function indexOfLargest(numbers: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}

/** -log softmax(logits)[label]; the largest logit is taken out, so that no exponential overflows. */
function crossEntropy(logits: readonly number[], label: number): number {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return Math.log(sum) + largest - logits[label];
}
