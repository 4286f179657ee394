import assert from "node:assert/strict";
import type { Chain } from "../../../core/mpo/chain.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { GAUGES } from "../../../core/mpo/gauge.ts";
import { mergeOnHost } from "../../../core/mpo/merge_chain.ts";
import { bondDimensions } from "../../../core/mpo/shapes.ts";
import { Truncator } from "../../../core/mpo/truncate.ts";
import { gen, golden } from "../../golden/golden.ts";
import { assertClose } from "../../support/numbers.ts";
import { diagonal, frobenius, lowRank, product, transposed } from "../linalg/matrices.ts";
import { FACTORS, goldenMatrix, innerBonds, partialProducts, randomFor } from "./chains.ts";

const errorOf = (chain: Chain, values: Float64Array) =>
  frobenius(mergeOnHost(chain).map((value, place) => value - values[place]));

Deno.test("with one cut the error is the norm of the singular values that were cut", async () => {
  const sigma = golden.mpo_singular_values;
  for (const factors of [{ rows: [4, 3], cols: [4, 3] }, { rows: [4, 1, 1, 3], cols: [4, 1, 1, 3] }]) {
    for (const rank of [1, 2, 5, 8, 9, 20]) {
      const decomposition = await decomposeMatrix(goldenMatrix(16), 12, 12, { ...factors, maxRank: rank });
      const { chain, errorBound, singularValues } = decomposition;
      const expected = Math.hypot(...sigma.slice(rank));
      assertClose([errorOf(chain, goldenMatrix(16)), errorBound], [expected, expected], 1e-13, `rank ${rank}`);
      assert.deepEqual(chain.bonds.slice(1, -1), new Array(factors.rows.length - 1).fill(Math.min(rank, 9)));
      assertClose(singularValues[0], sigma.slice(0, rank), 1e-13);
    }
  }
});

Deno.test("with several cuts the error is within the bound of Theorem 1", async () => {
  for (const [number, factors] of FACTORS.entries()) {
    const { values, rows, columns } = randomFor(factors, number + 20);
    for (const maxRank of [1, 2, 3, 5]) {
      for (const gauge of GAUGES) {
        const decomposition = await decomposeMatrix(values, rows, columns, { ...factors, maxRank, gauge });
        const { chain, discarded, errorBound } = decomposition;
        const what = `rows ${factors.rows}, cols ${factors.cols}, rank ${maxRank}, ${gauge}`;
        assert.ok(chain.bonds.every((bond) => bond <= maxRank), what);
        assert.ok(errorOf(chain, values) <= errorBound * (1 + 1e-12) + 1e-13, what);
        assert.ok(Math.abs(errorBound - Math.hypot(...discarded)) < 1e-14, what);
      }
    }
  }
});

Deno.test("the tolerance is kept, and used", async () => {
  for (const [number, factors] of FACTORS.entries()) {
    const { values, rows, columns } = randomFor(factors, number + 60);
    const full = bondDimensions(factors.rows, factors.cols);
    for (const tolerance of [0, 1e-3, 0.1, 0.5, 0.9]) {
      const { chain, norm, errorBound } = await decomposeMatrix(values, rows, columns, { ...factors, tolerance });
      const what = `rows ${factors.rows}, cols ${factors.cols}, tolerance ${tolerance}`;
      assert.ok(Math.abs(norm - frobenius(values)) < 1e-12 * norm, what);
      assert.ok(errorOf(chain, values) <= tolerance * norm + 1e-12, what);
      assert.ok(errorBound <= tolerance * norm * (1 + 1e-14), what);
      if (tolerance === 0.9 && Math.max(...full) > 2) assert.ok(Math.max(...chain.bonds) < Math.max(...full), what);
    }
  }
});

Deno.test("no smaller rank would keep the tolerance where there is one cut", async () => {
  const sigma = golden.mpo_singular_values, norm = Math.hypot(...sigma);
  for (const tolerance of [0.09, 0.1, 0.3, 0.5, 0.8, 0.99]) {
    const { chain } = await decomposeMatrix(goldenMatrix(16), 12, 12, { rows: [4, 1, 3], cols: [4, 1, 3], tolerance });
    const rank = sigma.findIndex((_, kept) => kept > 0 && Math.hypot(...sigma.slice(kept)) <= tolerance * norm);
    assert.equal(chain.bonds[1], rank === -1 ? 9 : rank);
  }
});

Deno.test("a matrix of low rank is cut to that rank without error", async () => {
  const { values } = lowRank(12, 12, 3, 5);
  const { chain } = await decomposeMatrix(values, 12, 12, { rows: [12, 1, 1], cols: [1, 1, 12], tolerance: 1e-12 });
  assert.deepEqual(chain.bonds, [1, 3, 3, 1]);
  assert.ok(errorOf(chain, values) < 1e-13);
});

Deno.test("a truncated chain has its own singular values, and the Gram matrices of its gauge", async () => {
  for (const [number, factors] of FACTORS.entries()) {
    const { values, rows, columns } = randomFor(factors, number + 30);
    for (const limit of [{ maxRank: 3 }, { tolerance: 0.6 }]) {
      const { chain, singularValues } = await decomposeMatrix(values, rows, columns, { ...factors, ...limit });
      for (const bond of innerBonds(chain)) {
        const { left, right } = partialProducts(chain, bond);
        const expected = diagonal(...singularValues[bond - 1]).values;
        assertClose(product(transposed(left), left).values, expected, 1e-7, `P^T P at bond ${bond}`);
        assertClose(product(right, transposed(right)).values, expected, 1e-7, `S S^T at bond ${bond}`);
      }
    }
  }
});

Deno.test("no bond is left wider than the bond after it and the legs between can carry", async () => {
  // The first bond keeps 3 within its share of the tolerance; then the second is cut to 1, after legs of 2.
  for (const [seed, tolerance] of [[5, 0.7], [21, 0.8], [23, 0.75]]) {
    const values = gen([32, 1], seed);
    for (const gauge of GAUGES) {
      const factors = { rows: [4, 2, 4], cols: [1, 1, 1] };
      const { chain, norm } = await decomposeMatrix(values, 32, 1, { ...factors, tolerance, gauge });
      assert.deepEqual(chain.bonds, [1, 2, 1, 1]);
      assert.ok(errorOf(chain, values) <= tolerance * norm);
    }
  }
});

Deno.test("what one bond leaves of the tolerance goes to the bonds after it", () => {
  // The square of the norm is 25; a fifth of it, 5, is tolerated, for two bonds.
  const truncator = new Truncator({ tolerance: Math.sqrt(1 / 5) }, 5, 2);
  assert.deepEqual(truncator.cut(Float64Array.of(4, 2.9, 1)), { rank: 2, discarded: 1 }); // 1 of 2.5
  assert.deepEqual(truncator.cut(Float64Array.of(4, 2)), { rank: 1, discarded: 2 }); // 4 of 4
  assert.deepEqual(new Truncator({}, 5, 1).cut(Float64Array.of(5, 0)), { rank: 2, discarded: 0 });
  assert.deepEqual(new Truncator({ tolerance: 0 }, 5, 1).cut(Float64Array.of(5, 0)), { rank: 1, discarded: 0 });
  assert.deepEqual(new Truncator({ tolerance: 0.1 }, 0, 1).cut(Float64Array.of(0, 0)), { rank: 1, discarded: 0 });
});
