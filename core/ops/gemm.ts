import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import { BLOCK_DEPTH, productThreads } from "../kernels/block.ts";
import { gemmKernel } from "../kernels/gemm.ts";
import type { Tensor } from "../tensor.ts";
import { sumOver } from "./sum.ts";

/** A depth of less than this is not cut into parts: writing and summing them would take longer than computing them. */
const SHORTEST_PART = 128;

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
 * @param format of the result; its sums are float32
 */
export function gemm(
  device: Device,
  a: Matrices,
  b: Matrices,
  batch: number,
  shape: readonly number[],
  bias?: Tensor,
  format: NumberFormat = "f32",
): Tensor {
  const [m, n, k] = [a.rows, b.columns, a.columns];
  if (m * n * batch === 0) return device.empty(shape, format); // a GPU binds no buffer of nothing
  const { parts, partDepth } = (bias ? partsByBlocks : partsOf)(device, m, n, k, batch);
  const c = parts === 1 ? device.empty(shape, format) : device.empty([batch, parts, m * n]);
  // deno-fmt-ignore
  device.run(gemmKernel, { a: a.tensor, b: b.tensor, bias: bias ?? b.tensor, c }, {
    m, n, k, batch,
    aRow: a.row, aColumn: a.column, aBatch: a.batch,
    bRow: b.row, bColumn: b.column, bBatch: b.batch,
    parts, partDepth, hasBias: bias ? 1 : 0,
  });
  return parts === 1 ? c : device.alias(sumOver(device, c, new Set([1]), 1, format), shape);
}

/** {@link partsOf} for sums that are cut on hardware alone. */
export function partsByBlocks(device: Device, rows: number, columns: number, depth: number, slices = 1): Parts {
  return device.backend.traits?.software ? inOne(depth) : partsOf(device, rows, columns, depth, slices);
}

const inOne = (depth: number): Parts => ({ parts: 1, partDepth: Math.max(1, depth) });

/** Parts of a long sum, each of the same depth but the last. */
export interface Parts {
  readonly parts: number;
  /** A multiple of a block's depth, so that no vector lies in two parts, unless there is one part alone. */
  readonly partDepth: number;
}

/** What to cut a product's sums of the given depth into, for `slices` results of so many rows and columns. */
export function partsOf(device: Device, rows: number, columns: number, depth: number, slices = 1): Parts {
  const { traits } = device.backend;
  if (!traits) return inOne(depth);
  const share = traits.enoughThreads / productThreads(rows, columns, slices, traits);
  // Parts go through memory twice more. A GPU computes much faster than that, so it gets rather too few than too many.
  const wanted = Math.min(traits.software ? Math.ceil(share) : Math.floor(share), Math.floor(depth / SHORTEST_PART));
  if (wanted <= 1) return inOne(depth);
  const partDepth = Math.ceil(depth / wanted / BLOCK_DEPTH) * BLOCK_DEPTH;
  return { parts: Math.ceil(depth / partDepth), partDepth };
}
