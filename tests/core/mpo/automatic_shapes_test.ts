import assert from "node:assert/strict";
import { automaticFactors, MAX_AUTOMATIC_CORES } from "../../../core/mpo/automatic_shapes.ts";
import { chainParameterCount, type Factors, validateFactors } from "../../../core/mpo/shapes.ts";

function rate(rows: number, cols: number, factors: Factors): number {
  return chainParameterCount(factors.rows, factors.cols) / (rows * cols);
}

Deno.test("a number of cores gives the paper's factors", () => {
  assert.deepEqual(automaticFactors({ rows: 768, cols: 768, cores: 2 }), { rows: [32, 24], cols: [32, 24] });
  assert.deepEqual(automaticFactors({ rows: 768, cols: 768, cores: 5 }), {
    rows: [32, 1, 1, 1, 24],
    cols: [32, 1, 1, 1, 24],
  });
  assert.deepEqual(automaticFactors({ rows: 3072, cols: 768, cores: 4 }), {
    rows: [64, 1, 1, 48],
    cols: [32, 1, 1, 24],
  });
  assert.deepEqual(automaticFactors({ rows: 768, cols: 3072, cores: 3 }), { rows: [32, 1, 24], cols: [64, 1, 48] });
});

Deno.test("primes split as p x 1, squares evenly, and ones stay", () => {
  assert.deepEqual(automaticFactors({ rows: 7, cols: 36, cores: 3 }), { rows: [7, 1, 1], cols: [6, 1, 6] });
  assert.deepEqual(automaticFactors({ rows: 1, cols: 12, cores: 2 }), { rows: [1, 1], cols: [4, 3] });
  assert.deepEqual(automaticFactors({ rows: 1, cols: 1, cores: 3 }), { rows: [1, 1, 1], cols: [1, 1, 1] });
  assert.deepEqual(automaticFactors({ rows: 1, cols: 1, increaseRate: 3 }), { rows: [1, 1, 1], cols: [1, 1, 1] });
});

Deno.test("the paper's rates give the paper's factors", () => {
  for (let cores = 2; cores <= 10; cores++) {
    const ones = new Array<number>(cores - 2).fill(1);
    const increaseRate = 1.5625 + 0.5625 * (cores - 2);
    const square = [32, ...ones, 24], long = [64, ...ones, 48];
    assert.deepEqual(automaticFactors({ rows: 768, cols: 768, increaseRate }), { rows: square, cols: square });
    assert.deepEqual(automaticFactors({ rows: 3072, cols: 768, increaseRate }), { rows: long, cols: square });
  }
});

Deno.test("a rate is met within 4 % where the sizes have factors, and by the same factors every time", () => {
  for (const [rows, cols] of [[768, 768], [64, 576], [10, 64], [128, 27], [1000, 512], [312, 1200]]) {
    for (const increaseRate of [1.25, 1.5, 2, 3.3, 5]) {
      const shape = { rows, cols, increaseRate };
      const factors = automaticFactors(shape);
      validateFactors(rows, cols, factors.rows, factors.cols);
      assert.deepEqual(automaticFactors(shape), factors);
      const found = rate(rows, cols, factors);
      assert(Math.abs(found - increaseRate) < 0.04 * increaseRate, `${rows} x ${cols}, ${increaseRate}: ${found}`);
    }
  }
});

Deno.test("no chain of the same form comes nearer, unless it has more cores and this one is within 1 %", () => {
  const [rows, cols] = [12, 30];
  for (const increaseRate of [1.1, 1.4, 1.9, 2.3, 3.7, 8]) {
    const chosen = automaticFactors({ rows, cols, increaseRate });
    const error = Math.abs(rate(rows, cols, chosen) - increaseRate);
    for (let cores = 2; cores <= MAX_AUTOMATIC_CORES; cores++) {
      if (error <= 0.01 * increaseRate && cores > chosen.rows.length) continue;
      for (const i of [1, 2, 3, 4, 6, 12]) {
        for (const j of [1, 2, 3, 5, 6, 10, 15, 30]) {
          const ones = new Array<number>(cores - 2).fill(1);
          const other = { rows: [i, ...ones, rows / i], cols: [j, ...ones, cols / j] };
          assert(Math.abs(rate(rows, cols, other) - increaseRate) >= error - 1e-12, `${increaseRate}: ${i}, ${j}`);
        }
      }
    }
  }
});

Deno.test("a prime x prime matrix gets the little that a chain can add", () => {
  const factors = automaticFactors({ rows: 7, cols: 5, increaseRate: 2 });
  assert.equal(chainParameterCount(factors.rows, factors.cols) > 35, true);
  validateFactors(7, 5, factors.rows, factors.cols);
});

Deno.test("sizes, numbers of cores and rates that make no sense are refused", () => {
  const user = (message: RegExp) => ({ name: "UserError", message });
  assert.throws(() => automaticFactors({ rows: 0, cols: 4, cores: 2 }), user(/0 x 4.*whole numbers from 1/));
  assert.throws(() => automaticFactors({ rows: 4, cols: 4, cores: 1 }), user(/1 cores.*from 2/));
  assert.throws(() => automaticFactors({ rows: 4, cols: 4, cores: 2.5 }), user(/2.5 cores/));
  assert.throws(() => automaticFactors({ rows: 4, cols: 4, increaseRate: 1 }), user(/rate of 1.*above 1/));
  assert.throws(() => automaticFactors({ rows: 4, cols: 4, increaseRate: NaN }), user(/rate of NaN/));
});
