import assert from "node:assert/strict";
import { leftSvd } from "../../../core/linalg/svd.ts";
import { auxiliaryIndices, centralIndex, type Chain, coreShape, increaseRate } from "../../../core/mpo/chain.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { GAUGES } from "../../../core/mpo/gauge.ts";
import { interleave } from "../../../core/mpo/interleave.ts";
import type { LinearAlgebra } from "../../../core/mpo/linear_algebra.ts";
import { mergeOnHost } from "../../../core/mpo/merge_chain.ts";
import { bondDimensions, chainParameterCount } from "../../../core/mpo/shapes.ts";
import { golden } from "../../golden/golden.ts";
import { assertClose } from "../../support/numbers.ts";
import {
  diagonal,
  HARD_MATRICES,
  type Matrix,
  maxAbs,
  product,
  random,
  relativeError,
  transposed,
} from "../linalg/matrices.ts";
import { FACTORS, fullSweep, goldenMatrix, pointedByLeftParts, randomFor, sizeOfFactors } from "./chains.ts";

/** `||merge(chain) - W|| / ||W||`. */
function errorOf(chain: Chain, matrix: Matrix): number {
  return relativeError({ ...matrix, values: mergeOnHost(chain) }, matrix);
}

Deno.test("the golden matrix has the golden bonds, parameters and singular values", async () => {
  const shape = { rows: [4, 1, 1, 3], cols: [4, 1, 1, 3] };
  const { chain, singularValues } = await decomposeMatrix(goldenMatrix(16), 12, 12, shape);
  assert.deepEqual(chain.bonds, golden.mpo_bonds);
  assert.equal(chain.cores.reduce((sum, core) => sum + core.length, 0), golden.mpo_params);
  assert.equal(singularValues.length, 3);
  for (const values of singularValues) assertClose(values, golden.mpo_singular_values, 1e-14);
});

Deno.test("the product of the chain is the matrix", async () => {
  for (const gauge of GAUGES) {
    for (const [number, factors] of FACTORS.entries()) {
      const matrix = randomFor(factors, number + 1);
      const { chain } = await decomposeMatrix(matrix.values, matrix.rows, matrix.columns, { ...factors, gauge });
      const error = errorOf(chain, matrix);
      assert.ok(error < 1e-13, `${gauge}, rows ${factors.rows}, cols ${factors.cols}: ${error}`);
    }
  }
});

Deno.test("bonds are those of Eq. 3, and the cores have the shapes and sizes that follow", async () => {
  for (const factors of FACTORS) {
    const matrix = randomFor(factors, 5);
    const { chain } = await decomposeMatrix(matrix.values, matrix.rows, matrix.columns, factors);
    assert.deepEqual(chain.bonds, bondDimensions(factors.rows, factors.cols));
    const sizes = chain.cores.map((core) => core.length);
    assert.deepEqual(sizes, chain.cores.map((_, core) => sizeOfFactors(coreShape(chain, core))));
    const count = chainParameterCount(factors.rows, factors.cols);
    assert.equal(sizes.reduce((sum, size) => sum + size, 0), count);
    assert.equal(increaseRate(chain), count / matrix.values.length);
  }
});

Deno.test("a long chain of small factors: bonds rise from the left and fall to the right", async () => {
  const factors = { rows: [2, 2, 2, 2, 2, 3], cols: [2, 2, 1, 1, 2, 3] };
  const matrix = randomFor(factors, 6);
  const { chain } = await decomposeMatrix(matrix.values, 96, 24, factors);
  assert.deepEqual(chain.bonds, [1, 4, 16, 32, 36, 9, 1]);
  assert.ok(errorOf(chain, matrix) < 1e-13);
});

Deno.test("any factorisation of any small matrix, at random", async () => {
  let state = 7;
  const draw = (below: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % 65521 % below;
  for (let round = 0; round < 60; round++) {
    const order = 1 + draw(6);
    const factor = () => [1, 1, 2, 2, 3, 4][draw(6)];
    const rows = Array.from({ length: order }, factor), cols = Array.from({ length: order }, factor);
    if (sizeOfFactors([...rows, ...cols]) > 5000) continue;
    const matrix = randomFor({ rows, cols }, round);
    const gauge = GAUGES[round % GAUGES.length];
    const { chain } = await decomposeMatrix(matrix.values, matrix.rows, matrix.columns, { rows, cols, gauge });
    assert.ok(errorOf(chain, matrix) < 1e-13, `${gauge}, rows ${rows}, cols ${cols}`);
  }
});

Deno.test("identities for the middles of [a, 1, .., 1, b] give the cores of the full sweep", async () => {
  for (
    const factors of [{ rows: [4, 1, 1, 1, 3], cols: [3, 1, 1, 1, 5] }, {
      rows: [2, 1, 3, 1, 1, 2],
      cols: [2, 1, 2, 1, 1, 3],
    }]
  ) {
    const matrix = randomFor(factors, 11);
    const { chain, singularValues } = await decomposeMatrix(matrix.values, matrix.rows, matrix.columns, {
      ...factors,
      gauge: "left-canonical",
    });
    const full = fullSweep(interleave(matrix.values, factors), factors);
    const turned = pointedByLeftParts(full.cores, chain.bonds);
    turned.forEach((core, k) => assertClose(chain.cores[k], core, 1e-13, `core ${k}`));
    full.singularValues.forEach((values, k) => assertClose(singularValues[k], values, 1e-13, `bond ${k + 1}`));
  }
});

Deno.test("singular values are those of the matrix divided at the bond", async () => {
  const factors = { rows: [2, 3, 2], cols: [3, 2, 2] };
  const matrix = randomFor(factors, 3);
  const { singularValues } = await decomposeMatrix(matrix.values, 12, 12, factors);
  const interleaved = interleave(matrix.values, factors);
  assertClose(singularValues[0], leftSvd(interleaved, 6, 24).singularValues, 1e-13);
  assertClose(singularValues[1], leftSvd(interleaved, 36, 4).singularValues, 1e-13);
});

Deno.test("hard matrices: zero, rank-deficient, graded, huge and tiny ones keep their product, without NaN", async () => {
  for (const [name, matrix] of Object.entries(HARD_MATRICES)) {
    const { rows, columns } = matrix;
    const first = [...Array(rows).keys()].map((k) => rows - k).find((factor) => rows % factor === 0 && factor < rows) ??
      rows;
    const factors = { rows: [first, 1, rows / first], cols: [1, 1, columns] };
    for (const gauge of GAUGES) {
      const { chain } = await decomposeMatrix(matrix.values, rows, columns, { ...factors, gauge });
      assert.ok(chain.cores.every((core) => core.every(Number.isFinite)), `${name}, ${gauge}: finite`);
      assert.ok(errorOf(chain, matrix) < 1e-13, `${name}, ${gauge}: ${errorOf(chain, matrix)}`);
    }
  }
});

Deno.test("a matrix with zero blocks", async () => {
  const blocks = random(12, 12, 21);
  const values = blocks.values.map((value, place) =>
    Math.floor(place / 48) === Math.floor((place % 12) / 4) ? value : 0
  );
  for (const rows of [[4, 1, 1, 3], [2, 3, 2]]) {
    for (const gauge of GAUGES) {
      const { chain } = await decomposeMatrix(values, 12, 12, { rows, cols: rows, gauge });
      assert.ok(errorOf(chain, { ...blocks, values }) < 1e-14);
      assert.ok(chain.cores.every((core) => maxAbs(core) < 10), `${gauge}: no division by noise`);
    }
  }
});

Deno.test("the zero matrix: the ends are zero, the middles identities", async () => {
  const { chain } = await decomposeMatrix(new Float64Array(36), 6, 6, { rows: [3, 1, 2], cols: [2, 1, 3] });
  assert.deepEqual(chain.bonds, [1, 6, 6, 1]);
  assert.equal(maxAbs(chain.cores[0]), 0);
  assert.deepEqual([...chain.cores[1]], [...Array(36).keys()].map((place) => Number(place % 7 === 0)));
  assert.equal(maxAbs(chain.cores[2]), 0);
});

Deno.test("a float32 matrix is decomposed as it is", async () => {
  const values = Float32Array.from(goldenMatrix(16));
  const { chain } = await decomposeMatrix(values, 12, 12, { rows: [4, 1, 3], cols: [4, 1, 3] });
  assert.ok(errorOf(chain, { values: Float64Array.from(values), rows: 12, columns: 12 }) < 1e-14);
});

/** A float32 SVD that answers later, as that of a GPU does, and what it was asked. */
function float32Algebra() {
  const asked: number[][] = [];
  const linearAlgebra: LinearAlgebra = {
    svd: async (a, rows, cols) => {
      asked.push([rows, cols]);
      const { u, singularValues, remainder } = leftSvd(a, rows, cols);
      await Promise.resolve();
      return {
        u: u.map(Math.fround),
        singularValues: singularValues.map(Math.fround),
        remainder: remainder.map(Math.fround),
        arithmetic: { name: "float32 elsewhere", epsilon: 2 ** -23 },
      };
    },
  };
  return { asked, linearAlgebra };
}

Deno.test("an SVD from elsewhere, in float32 and asynchronous, is used for every split", async () => {
  const matrix = randomFor({ rows: [2, 3, 2], cols: [3, 2, 2] }, 8);
  const { asked, linearAlgebra } = float32Algebra();
  const { chain } = await decomposeMatrix(matrix.values, 12, 12, { rows: [2, 3, 2], cols: [3, 2, 2], linearAlgebra });
  assert.deepEqual(asked, [[6, 24], [36, 4]]);
  const error = errorOf(chain, matrix);
  assert.ok(error > 1e-12 && error < 1e-6, `float32's error, no more: ${error}`);
});

Deno.test("in float32 small singular values are kept as far as float32 tells them from noise", async () => {
  const sigma = Array.from({ length: 24 }, (_, k) => 10 ** (-k / 4)); // 1 to 2e-6
  const [left, right] = [1, 2].map((seed) => leftSvd(random(24, 24, seed).values, 24, 24).u);
  const factor = (values: Float64Array): Matrix => ({ values, rows: 24, columns: 24 });
  const matrix = product(product(factor(left), diagonal(...sigma)), transposed(factor(right)));
  for (const factors of [{ rows: [24, 1, 1], cols: [1, 1, 24] }, { rows: [6, 2, 2], cols: [2, 3, 4] }]) {
    const { chain } = await decomposeMatrix(matrix.values, 24, 24, { ...factors, ...float32Algebra() });
    assert.ok(errorOf(chain, matrix) < 5e-7, `rows ${factors.rows}: ${errorOf(chain, matrix)}`);
  }
});

Deno.test("the central tensor is the middle core, of two the first; the others are auxiliary", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 10].map(centralIndex), [0, 0, 1, 1, 2, 4]);
  assert.deepEqual(auxiliaryIndices(5), [0, 1, 3, 4]);
  assert.deepEqual(auxiliaryIndices(1), []);
});

Deno.test("what cannot be decomposed is refused", async () => {
  const values = goldenMatrix(16);
  const factors = { rows: [4, 3], cols: [4, 3] };
  const refused: readonly (readonly [call: () => Promise<unknown>, name: string, message: RegExp])[] = [
    [() => decomposeMatrix(values, 12, 12, { rows: [4, 4], cols: [4, 3] }), "UserError", /must multiply to 12/],
    [() => decomposeMatrix(values, 6, 24, { rows: [4, 3], cols: [4, 6] }), "UserError", /must multiply to 6/],
    [() => decomposeMatrix(values.subarray(1), 12, 12, factors), "RangeError", /from 143 numbers: it has 144/],
    [() => decomposeMatrix(values.with(14, NaN), 12, 12, factors), "RangeError", /NaN/],
    [() => decomposeMatrix(values, 12, 12, { ...factors, maxRank: 0 }), "RangeError", /rank 0/],
    [() => decomposeMatrix(values, 12, 12, { ...factors, tolerance: 1 }), "RangeError", /tolerance 1:/],
  ];
  for (const [call, name, message] of refused) await assert.rejects(call, { name, message });
});
