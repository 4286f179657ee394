import type { Device } from "../device.ts";
import { gemmKernel } from "../kernels/gemm.ts";
import { tileCount } from "../kernels/tile.ts";
import type { Tensor } from "../tensor.ts";
import { sumOver } from "./sum.ts";

/** A depth of less than this is not cut into parts. */
const SHORTEST_PART = 128;
/** With so many threads, cutting the depth gains nothing. */
const ENOUGH_THREADS = 2048;

/** A batch of matrices of one size in a tensor's memory: how far apart their elements stand. */
export interface Matrices {
  readonly tensor: Tensor;
  readonly rows: number;
  readonly columns: number;
  /** From row to row, from column to column (one of the two is 1), and from matrix to matrix (0: the same again). */
  readonly row: number;
  readonly column: number;
  readonly batch: number;
}

/**
 * Row-major matrices, as many as the tensor holds; a single one is repeated for every matrix of a product's other side.
 */
export function matricesIn(tensor: Tensor, rows: number, columns: number): Matrices {
  return { tensor, rows, columns, row: columns, column: 1, batch: tensor.size > rows * columns ? rows * columns : 0 };
}

/** The transposes, in the same memory. */
export function transposed({ rows, columns, row, column, ...rest }: Matrices): Matrices {
  return { rows: columns, columns: rows, row: column, column: row, ...rest };
}

/**
 * The products of a batch of matrices, `[batch, a.rows, b.columns]` in row-major order.
 *
 * @param shape of the result; it has as many elements
 * @param bias added to every row
 */
export function gemm(
  device: Device,
  a: Matrices,
  b: Matrices,
  batch: number,
  shape: readonly number[],
  bias?: Tensor,
): Tensor {
  const [m, n, k] = [a.rows, b.columns, a.columns];
  const parts = bias ? 1 : partsOf(device, batch * tileCount(m, n), k);
  const partDepth = Math.max(1, Math.ceil(k / parts));
  const c = device.empty(parts === 1 ? shape : [batch, parts, m * n]);
  // deno-fmt-ignore
  device.run(gemmKernel, { a: a.tensor, b: b.tensor, bias: bias ?? b.tensor, c }, {
    m, n, k, batch,
    aRow: a.row, aColumn: a.column, aBatch: a.batch,
    bRow: b.row, bColumn: b.column, bBatch: b.batch,
    parts, partDepth, hasBias: bias ? 1 : 0,
  });
  return parts === 1 ? c : device.alias(sumOver(device, c, new Set([1])), shape);
}

/** How many parts to cut a sum of the given depth into when its result occupies so many threads. */
export function partsOf(device: Device, threads: number, depth: number): number {
  if (!device.backend.parallel) return 1;
  return Math.max(1, Math.min(Math.ceil(ENOUGH_THREADS / threads), Math.floor(depth / SHORTEST_PART)));
}
