import type { Result } from "./protocol.ts";
import { expectedLosses, expectedNorms, makeInputs, matmulSize, overheadDispatches } from "./workload.ts";

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
  } else if (name === "resnet8") {
    expectedLosses.forEach((expected, step) => {
      const loss = values[step]?.[1];
      if (!(Math.abs(loss - expected) < 1e-3)) throw new Error(`Wrong loss at step ${step}: ${loss}, not ${expected}`);
    });
    if (!(last < expectedLosses[0])) throw new Error(`Wrong training: the loss went from ${first} to ${last}`);
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
