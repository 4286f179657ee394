import type { Floats } from "../backend/backend.ts";
import type { Device } from "../device.ts";
import { BLOCK, jacobiRotateKernel, jacobiRotationsKernel } from "../kernels/jacobi.ts";
import { unaryOps } from "../ops/elementwise.ts";
import { sumOver } from "../ops/sum.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Sweeps before the first look at the angles, and between later looks. Each look waits for the device, which costs more
 * than a few sweeps too many: those find right angles and rotate nothing.
 */
const FIRST_SWEEPS = 6, MORE_SWEEPS = 3;

/** More sweeps than any matrix needs (7 for 32 columns, 13 for 576), so that rounding can never keep the loop alive. */
const MOST_SWEEPS = 24;

/** Columns at right angles, and their lengths. */
export interface OrthogonalColumns {
  readonly columns: Tensor;
  readonly lengths: Floats;
  readonly sweeps: number;
}

/**
 * One-sided block Jacobi on the device: rotations from the right make the columns of a matrix orthogonal. The columns
 * lie in blocks of 16. A round works on disjoint pairs of blocks, all at once, in two dispatches (a pair's 32 x 32 Gram
 * matrix and the rotation it asks for, then the product with it), and a tournament brings each block together with each
 * other in `columns / 16 - 1` rounds. So a sweep takes few dispatches, and nearly all of its work is matrix products.
 *
 * @param matrix `[rows, columns]`, entries up to about 1, `columns` a multiple of 32; the function frees it
 */
export async function orthogonaliseOnDevice(device: Device, matrix: Tensor): Promise<OrthogonalColumns> {
  const [rows, columns] = matrix.shape;
  const pairs = columns / (2 * BLOCK), rounds = columns / BLOCK - 1;
  // An inner product of unit columns in float32 is exact to about this.
  const tolerance = 2 ** -23 * Math.max(16, Math.sqrt(rows));
  const rotation = device.empty([pairs, 2 * BLOCK, 2 * BLOCK]);
  const cosines = device.empty([rounds, pairs]);
  let [input, output] = [matrix, device.empty(matrix.shape)];
  try {
    for (let sweeps = 1;; sweeps++) {
      for (let round = 0; round < rounds; round++) {
        const size = { rows, columns, slot: round * pairs, tolerance };
        device.run(jacobiRotationsKernel, { input, rotation, cosines }, size);
        device.run(jacobiRotateKernel, { input, rotation, cosines, output }, size);
        [input, output] = [output, input];
      }
      if (sweeps < FIRST_SWEEPS || (sweeps - FIRST_SWEEPS) % MORE_SWEEPS !== 0) continue;
      const squares = device.scope(() => sumOver(device, unaryOps.square.forward(device, input).output, new Set([0])));
      const [angles, sums] = await device.read([cosines, squares]);
      squares.dispose();
      if (sweeps >= MOST_SWEEPS || angles.every((cosine) => cosine <= tolerance)) {
        return { columns: input, lengths: sums.map(Math.sqrt), sweeps };
      }
    }
  } finally {
    for (const tensor of [rotation, cosines, output]) tensor.dispose();
  }
}
