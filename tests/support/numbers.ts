import assert from "node:assert/strict";

/** A small linear congruential generator for test inputs: numbers in [low, high), the same on every machine. */
export function pseudoRandom(seed: number, length: number, low = -1, high = 1): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (high - low) * (state / 2 ** 32);
  });
}

/** Asserts |actual - expected| <= tolerance * max(1, largest |expected|), element by element. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "values",
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  let scale = 1;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    // Written so that NaN fails.
    if (!(difference <= tolerance * scale)) {
      assert.fail(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]} within ${tolerance * scale}`);
    }
  }
}
