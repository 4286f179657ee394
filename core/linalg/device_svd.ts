import type { Device } from "../device.ts";
import { arrangeColumnsKernel, columnSignsKernel } from "../kernels/columns.ts";
import { projectKernel } from "../kernels/householder.ts";
import { BLOCK } from "../kernels/jacobi.ts";
import { permuted } from "../ops/layout.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { orthogonaliseOnDevice } from "./device_jacobi.ts";
import { applyQOnDevice, factoriseOnDevice, type PanelReflections } from "./device_qr.ts";
import { scaleToUnit } from "./scaling.ts";
import { leftSvd } from "./svd.ts";

/** A thin singular value decomposition on a backend, as {@link leftSvd} describes it; the caller frees the three. */
export interface DeviceSvd {
  /** `[m, r]`, r the smaller of m and n. */
  readonly u: Tensor;
  /** `[r]`, descending. */
  readonly singularValues: Tensor;
  /** `[r, n]`, `U^T A`. */
  readonly remainder: Tensor;
}

/**
 * Thin SVD `A = U (U^T A)` of a matrix where it lies: in float64 by {@link leftSvd} on the cpu backend, and by shaders in
 * float32 on webgpu. The conventions are the same: order, signs, and an orthonormal U whatever the rank.
 *
 * @param a `[m, n]`; left as it is
 * @throws RangeError if `a` is not a matrix, or a number is not finite
 */
export async function svd(device: Device, a: Tensor): Promise<DeviceSvd> {
  if (a.shape.length !== 2) {
    throw new RangeError(`Cannot decompose a tensor of shape ${showShape(a.shape)}: it must be a matrix`);
  }
  const [m, n] = a.shape;
  const [values] = await device.read([a]);
  if (device.backend.name === "webgpu") return await shaderSvd(device, a, values);
  const { u, singularValues, remainder } = leftSvd(Float64Array.from(values), m, n);
  const r = singularValues.length;
  return {
    u: device.keep(device.tensor(u, [m, r])),
    singularValues: device.keep(device.tensor(singularValues)),
    remainder: device.keep(device.tensor(remainder, [r, n])),
  };
}

/**
 * The SVD by shaders. QR turns the matrix, or its transpose if that is the taller, into a square one with the same left
 * singular vectors (up to Q); block Jacobi makes its columns orthogonal, so that they are these vectors times singular
 * values; a second QR, of their sorted directions, makes them orthonormal to the last digits and fills in those of zeros.
 */
async function shaderSvd(device: Device, a: Tensor, values: ArrayLike<number>): Promise<DeviceSvd> {
  const [m, n] = a.shape, r = Math.min(m, n);
  const { values: unit, exponent } = scaleToUnit("decompose", values, n);
  const { square, outer } = device.scope(() => squareOf(device, unit, m, n));
  const { columns, lengths } = await orthogonaliseOnDevice(device, square);
  const order = Array.from(lengths.keys()).sort((i, j) => lengths[j] - lengths[i]);
  const sorted = order.map((i) => lengths[i]);
  const result = device.scope(() => {
    const size = columns.shape[1];
    const factors = device.tensor(sorted.map((length) => length > 0 ? 1 / length : 0));
    const directions = arranged(device, columns, size, size, device.tensor(order), factors);
    const u = leftVectors(device, directions, outer, r);
    const signs = device.empty([size]);
    device.run(columnSignsKernel, { input: u, values: signs }, { rows: m, columns: size, kept: size });
    const inOrder = device.tensor(order.map((_, i) => i));
    const wide = arranged(device, u, m, size, inOrder, signs);
    const remainder = device.empty([r, n]);
    device.run(projectKernel, { left: wide, input: a, weights: remainder }, {
      rows: m,
      columns: n,
      fromRow: 0,
      fromColumn: 0,
      start: 0,
      stride: size / 4,
      width: r,
    });
    const singularValues = device.tensor(sorted.slice(0, r).map((length) => length * 2 ** exponent));
    return { u: arranged(device, u, m, r, inOrder, signs), singularValues, remainder };
  });
  for (const tensor of [columns, outer?.vectors, outer?.products]) tensor?.dispose();
  return result;
}

/** A square matrix whose left singular vectors are those of A, up to a multiplication by the Q of `outer`. */
interface Square {
  /** `[size, size]`: r by r, filled up with zeros to whole pairs of blocks. */
  readonly square: Tensor;
  readonly outer: PanelReflections | null;
}

function squareOf(device: Device, values: Float64Array, m: number, n: number): Square {
  const r = Math.min(m, n), size = Math.ceil(r / (2 * BLOCK)) * 2 * BLOCK;
  const rows = Math.max(m, n, size);
  const tall = new Float32Array(rows * size);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) tall[m < n ? j * size + i : i * size + j] = values[i * n + j];
  }
  const matrix = device.tensor(tall, [rows, size]);
  if (m === n) return { square: matrix, outer: null };
  const outer = factoriseOnDevice(device, matrix, r);
  const triangle = device.alias(matrix, [size, size]);
  // A^T = Q R means A = R^T Q^T, which needs no Q on the left.
  if (m < n) return { square: permuted(device, triangle, [1, 0]), outer: null };
  const square = device.empty([size, size]);
  device.copy(triangle, square);
  return { square, outer };
}

/** U, filled up with zeros to `[rows of Q, size]`, from the sorted directions of orthogonal columns, zeros included. */
function leftVectors(device: Device, directions: Tensor, outer: PanelReflections | null, r: number): Tensor {
  const size = directions.shape[1];
  const rows = outer?.rows ?? size;
  const u = device.full([rows, size], 0);
  const basis = device.alias(u, [size, size]);
  device.backend.write(basis.view, identity(size));
  applyQOnDevice(device, factoriseOnDevice(device, directions, r), basis);
  if (outer) applyQOnDevice(device, outer, u);
  return u;
}

function identity(size: number): Float32Array {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1;
  return values;
}

/** The first `rows` rows of the columns `order`, times `factors`; `kept` of them. */
function arranged(
  device: Device,
  input: Tensor,
  rows: number,
  kept: number,
  order: Tensor,
  factors: Tensor,
): Tensor {
  const output = device.empty([rows, kept]);
  device.run(arrangeColumnsKernel, { input, order, factors, output }, { rows, columns: input.shape[1], kept });
  return output;
}
