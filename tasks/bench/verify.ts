import type { Result } from "./protocol.ts";
import { encoders, isEncoderCase } from "./encoders.ts";
import {
  attentionSizes,
  expectedLogit,
  expectedLosses,
  expectedNorms,
  makeInputs,
  matmulSize,
  overheadDispatches,
} from "./workload.ts";

/**
 * Checks that an engine did the work it was timed for.
 *
 * @param result what it printed
 * @throws Error if the product, a loss, the decomposition or the sum is wrong: its time would mean nothing
 */
export function verify({ case: name, values, error }: Result): void {
  const [, first] = values[0], [, last] = values[values.length - 1];
  if (name === "matmul") {
    const expected = firstEntry();
    if (!(Math.abs(first - expected) < 1e-4)) {
      throw new Error(`Wrong product: entry [0, 0] is ${first}, not ${expected}`);
    }
  } else if (name === "attention") {
    const expected = firstAttended();
    if (!(Math.abs(first - expected) < 1e-4)) {
      throw new Error(`Wrong product: entry [0, 0, 0] is ${first}, not ${expected}`);
    }
  } else if (name === "inference") {
    if (!(Math.abs(first - expectedLogit) < 1e-4)) throw new Error(`Wrong logit: ${first}, not ${expectedLogit}`);
  } else if (name === "resnet8" || isEncoderCase(name)) {
    const losses = name === "resnet8" ? expectedLosses : encoders[name].losses;
    losses.forEach((expected, step) => {
      const loss = values[step]?.[1];
      if (!(Math.abs(loss - expected) < 1e-3)) throw new Error(`Wrong loss at step ${step}: ${loss}, not ${expected}`);
    });
    if (!(last < losses[0])) throw new Error(`Wrong training: the loss went from ${first} to ${last}`);
  } else if (name === "overhead") {
    const wrong = values.find(([step, value]) => value !== overheadDispatches * (step + 1));
    if (wrong) throw new Error(`Wrong sum after step ${wrong[0]}: ${wrong[1]}`);
  } else if (!(error !== undefined && error < 1e-5)) {
    throw new Error(`Wrong decomposition: its relative reconstruction error is ${error}`);
  } else if (!(Math.abs(first - expectedNorms[name]) < 1e-4)) {
    throw new Error(`Wrong decomposition: the largest singular value is ${first}, not ${expectedNorms[name]}`);
  }
}

/** Entry [0, 0] of the first product, in float64. */
function firstEntry(): number {
  const { a, x } = makeInputs.matmul();
  let sum = 0;
  for (let k = 0; k < matmulSize; k++) sum += a[k] * x[k * matmulSize];
  return sum;
}

/** Entry [0, 0, 0] of the first (x k^T) v, in float64. */
function firstAttended(): number {
  const { x, k, v } = makeInputs.attention();
  const { length, width } = attentionSizes;
  let sum = 0;
  for (let key = 0; key < length; key++) {
    let score = 0;
    for (let i = 0; i < width; i++) score += x[i] * k[key * width + i];
    sum += score * v[key * width];
  }
  return sum;
}
