import assert from "node:assert/strict";
import { bondDimensions, chainParameterCount, validateFactors } from "../../../core/mpo/shapes.ts";

/** `[first, 1, .., 1, last]` with so many factors. */
function ends(first: number, last: number, cores: number): number[] {
  return [first, ...new Array<number>(cores - 2).fill(1), last];
}

const ELEVEN = {
  rows: [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3],
  cols: [2, 2, 2, 2, 2, 1, 1, 2, 2, 2, 3],
};

Deno.test("bonds of the paper's chains (Eq. 3)", () => {
  assert.deepEqual(bondDimensions(ends(32, 24, 5), ends(32, 24, 5)), [1, 576, 576, 576, 576, 1]);
  assert.deepEqual(bondDimensions(ends(64, 48, 3), ends(32, 24, 3)), [1, 1152, 1152, 1]);
  assert.deepEqual(
    bondDimensions(ELEVEN.rows, ELEVEN.cols),
    [1, 4, 16, 64, 256, 1024, 1152, 576, 144, 36, 9, 1],
  );
  assert.deepEqual(bondDimensions([4, 1, 1, 3], [4, 1, 1, 3]), [1, 9, 9, 9, 1]);
  assert.deepEqual(bondDimensions([7], [5]), [1, 1]);
  assert.deepEqual(bondDimensions([1, 1], [1, 1]), [1, 1, 1]);
});

Deno.test("parameters of a 768 x 768 and of a 3072 x 768 matrix by number of cores (Eq. 4)", () => {
  const table = [
    [2, 921_600, 3_686_400, 1.5625],
    [3, 1_253_376, 5_013_504, 2.125],
    [4, 1_585_152, 6_340_608, 2.6875],
    [5, 1_916_928, 7_667_712, 3.25],
    [6, 2_248_704, 8_994_816, 3.8125],
    [7, 2_580_480, 10_321_920, 4.375],
    [8, 2_912_256, 11_649_024, 4.9375],
    [10, 3_575_808, 14_303_232, 6.0625],
  ];
  for (const [cores, attention, feedForward, ratio] of table) {
    const square = ends(32, 24, cores), long = ends(64, 48, cores);
    assert.equal(chainParameterCount(square, square), attention);
    assert.equal(chainParameterCount(long, square), feedForward);
    assert.equal(chainParameterCount(square, long), feedForward);
    assert.equal(attention / (768 * 768), ratio);
    assert.equal(feedForward / (3072 * 768), ratio);
  }
});

Deno.test("the student of 66.96 million parameters has the training sizes and parameter increase rates of the paper", () => {
  const student = 66.96e6;
  const published: Array<[cores: number, millions: number, factor: number]> = [
    [2, 90.8, 1.357],
    [3, 114.7, 1.713],
    [4, 138.6, 2.070],
    [5, 162.5, 2.427],
    [6, 186.4, 2.784],
    [7, 210.3, 3.140],
    [8, 234.2, 3.497],
    [10, 282.0, 4.211],
  ];
  for (const [cores, millions, factor] of published) {
    const square = ends(32, 24, cores), long = ends(64, 48, cores);
    const added = 4 * (chainParameterCount(square, square) - 768 * 768) +
      2 * (chainParameterCount(long, square) - 3072 * 768);
    const total = student + 6 * added;
    assert(Math.abs(total / 1e6 - millions) < 0.06, `${cores} cores: ${total}`);
    assert(Math.abs(total / student - factor) < 1e-3, `${cores} cores: ${total / student}`);
  }
});

Deno.test("parameters of other chains", () => {
  assert.equal(chainParameterCount(ELEVEN.rows, ELEVEN.cols), 5_158_769);
  assert.equal(chainParameterCount([4, 1, 1, 3], [4, 1, 1, 3]), 387);
  assert.equal(chainParameterCount([7], [5]), 35);
  assert.equal(chainParameterCount([4, 1, 3], [4, 1, 3], [1, 2, 5, 1]), 16 * 2 + 2 * 5 + 5 * 9);
});

Deno.test("sizes beyond 2^53 are refused, but not where only the larger side of a bond is", () => {
  const wide = [2 ** 30, 2, 2 ** 29];
  assert.deepEqual(bondDimensions([1, 3, 2 ** 30], [1, 3, 2 ** 30]), [1, 1, 9, 1]);
  assert.throws(() => bondDimensions(wide, wide), { name: "RangeError", message: /bond.*beyond 9007199254740991/ });
  assert.throws(() => chainParameterCount([2 ** 20, 2 ** 20], [2 ** 6, 2 ** 6], [1, 2 ** 30, 1]), {
    name: "RangeError",
    message: /core/,
  });
});

Deno.test("bonds and counts refuse lists that make no chain", () => {
  assert.throws(() => bondDimensions([2, 3], [6]), { name: "RangeError", message: /\[2, 3\] with cols \[6\]/ });
  assert.throws(() => bondDimensions([], []), { name: "RangeError", message: /at least one/ });
  assert.throws(() => bondDimensions([2, 0], [1, 1]), { name: "RangeError", message: /Cannot use 0/ });
  assert.throws(() => chainParameterCount([2, 3], [1, 1], [1, 1]), { name: "RangeError", message: /it takes 3/ });
  assert.throws(() => chainParameterCount([2, 3], [1, 1], [2, 2, 1]), { name: "RangeError", message: /\[2, 2, 1\]/ });
});

Deno.test("factors of a matrix are checked, and the message names what is wrong", () => {
  validateFactors(3072, 768, [64, 1, 48], [32, 1, 24]);
  validateFactors(1, 5, [1], [5]);
  const wrong: Array<[rows: number[], cols: number[], message: string]> = [
    [
      [32, 20],
      [32, 24],
      "Cannot split 768 into rows [32, 20] as the factors must multiply to 768: their product is 640",
    ],
    [
      [32, 24],
      [32, 1],
      "Cannot split 512 into cols [32, 1] as the factors must multiply to 512: their product is 32",
    ],
    [
      [32, 24],
      [512],
      "Cannot split a 768 x 512 matrix into rows [32, 24] and cols [512] as each core takes one factor of both: " +
      "there are 2 and 1",
    ],
    [[-32, -24], [16, 32], "Cannot split 768 into rows [-32, -24] as factors must be whole numbers from 1: one is -32"],
    [[768], [512.5], "Cannot split 512 into cols [512.5] as factors must be whole numbers from 1: one is 512.5"],
    [[], [], "Cannot split 768 into rows [] as a chain has at least one core: the list is empty"],
  ];
  for (const [rows, cols, message] of wrong) {
    assert.throws(() => validateFactors(768, 512, rows, cols), { name: "UserError", message });
  }
});
