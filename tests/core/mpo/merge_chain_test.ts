import assert from "node:assert/strict";
import { type Chain, coreShape, coreTensors } from "../../../core/mpo/chain.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { deinterleave } from "../../../core/mpo/interleave.ts";
import {
  leftToRightMultiplyAdds,
  mergeChain,
  mergeOnHost,
  planMerge,
  productOfCores,
} from "../../../core/mpo/merge_chain.ts";
import { bondDimensions } from "../../../core/mpo/shapes.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { frobenius, type Matrix, product, transposed } from "../linalg/matrices.ts";
import { FACTORS, goldenMatrix, randomFor } from "./chains.ts";

/** Some of the factors' forms at random: the chain need not come from a decomposition. */
function randomChain(factors: typeof FACTORS[number], seed: number): Chain {
  const shape = { ...factors, bonds: bondDimensions(factors.rows, factors.cols) };
  const cores = factors.rows.map((_, k) => pseudoRandom(seed + k, coreShape(shape, k).reduce((a, b) => a * b, 1)));
  return { ...shape, cores };
}

testBackends("the merged chain is the matrix", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-13 : 2e-6;
  for (const [number, factors] of FACTORS.entries()) {
    const { values, rows, columns } = randomFor(factors, number + 1);
    const { chain } = await decomposeMatrix(values, rows, columns, factors);
    const merged = ops.scope(() => mergeChain(ops, coreTensors(ops, chain), chain.rows, chain.cols));
    assert.deepEqual(merged.shape, [rows, columns]);
    assertClose(await merged.read(), values, tolerance, `rows ${factors.rows}, cols ${factors.cols}`);
    merged.dispose();
  }
  assert.equal(backend.memory().storages, 0, "all storages are freed");
}, [float64, ...backends]);

testBackends("merging on the device and on the host agree for any cores", async (backend) => {
  const ops = createOps(backend);
  for (const factors of FACTORS) {
    const chain = randomChain(factors, 3);
    const merged = ops.scope(() => mergeChain(ops, coreTensors(ops, chain), chain.rows, chain.cols));
    assertClose(await merged.read(), mergeOnHost(chain), 1e-13);
  }
}, [float64]);

/** d loss / d core for every core, where the loss is the sum of the merged matrix times `weights`. */
async function coreGradients(ops: Ops, chain: Chain, weights: Float64Array) {
  const gradients = ops.scope(() => {
    const cores = coreTensors(ops, chain);
    return ops.differentiate(() => weightedSum(ops, cores, chain, weights), cores).gradients.map((part) => part!);
  });
  const values = await ops.read(gradients);
  gradients.forEach((gradient) => gradient.dispose());
  return values;
}

function weightedSum(ops: Ops, cores: readonly Tensor[], { rows, cols }: Chain, weights: Float64Array): Tensor {
  const merged = mergeChain(ops, cores, rows, cols);
  return ops.sum(ops.multiply(merged, ops.tensor(weights, merged.shape)));
}

testBackends("the gradient of every core agrees with finite differences", async (backend) => {
  const ops = createOps(backend);
  for (const factors of FACTORS) {
    const chain = randomChain(factors, 5);
    const weights = pseudoRandom(1, mergeOnHost(chain).length);
    const gradients = await coreGradients(ops, chain, weights);
    const lossAt = (cores: readonly Float64Array[]) =>
      mergeOnHost({ ...chain, cores }).reduce((sum, value, place) => sum + value * weights[place], 0);
    for (const [k, core] of chain.cores.entries()) {
      for (let place = 0; place < core.length; place += Math.max(1, Math.floor(core.length / 6))) {
        // The product is linear in each core: a step of 1 has no error of its own.
        const at = (shift: number) => lossAt(chain.cores.with(k, core.with(place, core[place] + shift)));
        const numeric = (at(1) - at(-1)) / 2;
        const error = Math.abs(gradients[k][place] - numeric) / Math.max(1, Math.abs(numeric));
        assert.ok(error < 1e-10, `rows ${factors.rows}, core ${k}, number ${place}: off by ${error}`);
      }
    }
  }
}, [float64]);

/** METHODS 1.2: what a step of gradient descent on the cores does to the product, over -eta, to first order. */
function firstOrderUpdate(a: Matrix, b: Matrix, gradient: Matrix, middles: number): Float64Array {
  const right = product(gradient, product(transposed(b), b)); // G B^T B
  const left = product(product(a, transposed(a)), gradient); // A A^T G
  const both = product(product(a, transposed(a)), right);
  return right.values.map((value, place) => value + left.values[place] + middles * both.values[place]);
}

testBackends(
  "one small step on the cores moves the matrix as the closed form says, by the golden factors",
  async (backend) => {
    const ops = createOps(backend);
    // In the interleaved order, as [i_1 j_1, i_n j_n].
    const gradient: Matrix = { values: gen([16, 9], 18), rows: 16, columns: 9 };
    for (const middles of [0, 1, 2, 3, 4, 5] as const) {
      const legs = [4, ...new Array<number>(middles).fill(1), 3];
      const factors = { rows: legs, cols: legs };
      const { chain } = await decomposeMatrix(goldenMatrix(16), 12, 12, factors);
      const gradients = await coreGradients(ops, chain, deinterleave(gradient.values, factors));
      const rate = 1e-7;
      const stepped = chain.cores.map((core, k) => core.map((value, place) => value - rate * gradients[k][place]));
      const before = productOfCores(chain.cores, chain.bonds);
      const update = productOfCores(stepped, chain.bonds).map((value, place) => (before[place] - value) / rate);
      const expected = firstOrderUpdate(
        { values: chain.cores[0], rows: 16, columns: 9 },
        { values: chain.cores[chain.cores.length - 1], rows: 9, columns: 9 },
        gradient,
        middles,
      );
      const error = frobenius(update.map((value, place) => value - expected[place])) / frobenius(expected);
      assert.ok(error < 1e-5, `${middles} middles: the update is off by ${error}`);
      const factor = frobenius(expected) / frobenius(gradient.values);
      assertClose([factor / golden.opdf_update_norm_over_plain_sgd[middles]], [1], 1e-12, `${middles} middles`);
    }
  },
  [float64],
);

Deno.test("the mean squared differences of two golden chains, core by core", async () => {
  const legs = [4, 1, 1, 1, 3];
  const chainOf = async (seed: number) =>
    (await decomposeMatrix(goldenMatrix(seed), 12, 12, { rows: legs, cols: legs })).chain;
  const [teacher, student] = [await chainOf(16), await chainOf(19)];
  const differences = teacher.cores.map((core, k) =>
    core.reduce((sum, value, place) => sum + (value - student.cores[k][place]) ** 2, 0) / core.length
  );
  assertClose(differences, golden.opdf_aux_per_core_n5, 1e-13);
  const auxiliary = differences.filter((_, k) => k !== 2);
  assertClose([auxiliary.reduce((sum, value) => sum + value, 0) / 4], [golden.opdf_laux_n5_mean_over_4_aux], 1e-13);
});

Deno.test("multiply-adds of merging a 768 x 768 matrix, against the published order", () => {
  for (const order of [2, 3, 5, 7, 10]) {
    const legs = [32, ...new Array<number>(order - 2).fill(1), 24];
    const shape = { rows: legs, cols: legs, bonds: bondDimensions(legs, legs) };
    assert.equal(leftToRightMultiplyAdds(shape), (order - 1) * 1024 * 576 ** 2);
    assert.equal(planMerge(shape).multiplyAdds, 1024 * 576 ** 2 + (order - 2) * 576 ** 3);
  }
});

testBackends("cores that do not fit are refused", (backend) => {
  const ops = createOps(backend);
  ops.scope(() => {
    const cores = [ops.full([1, 2, 3, 4], 1), ops.full([4, 3, 2, 1], 1)];
    assert.throws(() => mergeChain(ops, cores, [3, 2], [2, 3]), {
      name: "RangeError",
      message:
        "Cannot merge cores of shapes [1, 2, 3, 4] [4, 3, 2, 1] to rows [3, 2] and cols [2, 3]: their legs differ",
    });
    assert.throws(() => mergeChain(ops, [cores[0], cores[0]], [2, 2], [3, 3]), {
      name: "RangeError",
      message: /index "d1" is 4 in operand 1 and 1 in operand 2/,
    });
  });
}, [float64]);
