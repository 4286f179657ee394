import type { Backend } from "../../core/backend/backend.ts";
import { decomposeMatrix } from "../../core/mpo/decompose.ts";
import { coreTensors } from "../../core/mpo/chain.ts";
import { linearAlgebraOn } from "../../core/mpo/linear_algebra.ts";
import { mergeChain } from "../../core/mpo/merge_chain.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { Random } from "../../core/data/random.ts";

/** The result of a computation on a backend, compared with the same in float64. */
export interface Check {
  readonly name: string;
  /** Largest difference, over the largest number there is; NaN if the backend gave one. */
  readonly error: number;
  readonly passed: boolean;
}

/** Far above the rounding of sums as long as these in float32, far below what a wrong kernel does. */
const TOLERANCE = 1e-5;

/** Odd sizes, so that no kernel divides them evenly. */
const [M, K, N] = [65, 129, 33];

/**
 * Computes two small things on a backend, and again on the host in float64: a matrix product, and a chain of cores
 * merged back to its matrix.
 */
export async function selfTest(backend: Backend): Promise<Check[]> {
  const ops = createOps(backend);
  const random = new Random(1);
  const a = normals(random, M * K), b = normals(random, K * N);
  const matrix = normals(random, 48 * 48);
  const linearAlgebra = linearAlgebraOn(ops.device);
  const { chain } = await decomposeMatrix(matrix, 48, 48, { rows: [8, 1, 6], cols: [6, 1, 8], linearAlgebra });
  return [
    await check(
      "matrix product",
      ops,
      productOf(a, b),
      () => ops.contract("ij,jk->ik", ops.tensor(a, [M, K]), ops.tensor(b, [K, N])),
    ),
    await check("merged chain", ops, matrix, () => mergeChain(ops, coreTensors(ops, chain), chain.rows, chain.cols)),
  ];
}

async function check(name: string, ops: Ops, expected: ArrayLike<number>, compute: () => Tensor): Promise<Check> {
  const result = ops.scope(compute);
  const numbers = await result.read();
  result.dispose();
  let largest = 0, scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(numbers[i] - expected[i]);
    // A comparison with NaN is false, so that once it is there it stays.
    if (!(difference <= largest)) largest = difference;
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  const error = largest / scale;
  return { name, error, passed: error <= TOLERANCE };
}

function normals(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => random.normal());
}

/** The product of `a` [M, K] and `b` [K, N] in float64. */
function productOf(a: Float32Array, b: Float32Array): Float64Array {
  const product = new Float64Array(M * N);
  for (let i = 0; i < M; i++) {
    for (let k = 0; k < K; k++) {
      for (let j = 0; j < N; j++) product[i * N + j] += a[i * K + k] * b[k * N + j];
    }
  }
  return product;
}
