import type { Device } from "../device.ts";
import { arrangeColumnsKernel, columnSignsKernel } from "../kernels/columns.ts";
import { BLOCK } from "../kernels/jacobi.ts";
import { binaryOps, unaryOps } from "../ops/elementwise.ts";
import { gemm, matricesIn, transposed } from "../ops/gemm.ts";
import { permuted } from "../ops/strided.ts";
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
 * Thin SVD `A = U (U^T A)` of a matrix where it lies: in float64 by {@link leftSvd} on the cpu backend, and by shaders
 * in float32 on webgpu. The conventions are the same: order, signs, and an orthonormal U whatever the rank.
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
  if (device.backend.parallel) return await shaderSvd(device, a, values);
  const { u, singularValues, remainder } = leftSvd(Float64Array.from(values), m, n, device.backend.wasm);
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
 * values; a second QR, of their sorted directions, makes them orthonormal and fills in those of zeros.
 */
async function shaderSvd(device: Device, a: Tensor, values: ArrayLike<number>): Promise<DeviceSvd> {
  const [m, n] = a.shape, r = Math.min(m, n);
  const { values: unit, exponent } = scaleToUnit("decompose", values, n);
  const { square, outer } = device.scope(() => squareOf(device, unit, m, n));
  const { columns, lengths } = await orthogonaliseOnDevice(device, square);
  const order = Array.from(lengths.keys()).sort((i, j) => lengths[j] - lengths[i]);
  const sorted = order.map((i) => lengths[i]);
  const result = device.scope(() => {
    const inverses = sorted.map((length) => length > 0 ? 1 / length : 0);
    const directions = arranged(device, columns, columns.shape[0], order, inverses);
    const u = polished(device, leftVectors(device, directions, outer, m, r));
    const signs = device.empty([r]);
    device.run(columnSignsKernel, { input: u, values: signs }, { rows: m, columns: r, kept: r });
    const signed = binaryOps.multiply.forward(device, u, signs).output;
    const remainder = gemm(device, transposed(matricesIn(signed, m, r)), matricesIn(a, m, n), 1, [r, n]);
    const singularValues = device.tensor(sorted.slice(0, r).map((length) => length * 2 ** exponent));
    return { u: signed, singularValues, remainder };
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

/** U before signs, `[m, r]`, from the sorted directions of orthogonal columns, zeros included. */
function leftVectors(device: Device, directions: Tensor, outer: PanelReflections | null, m: number, r: number): Tensor {
  const size = directions.shape[1];
  const u = device.full([outer?.rows ?? size, size], 0);
  device.backend.write(device.alias(u, [size, size]).view, identity(size));
  applyQOnDevice(device, factoriseOnDevice(device, directions, r), device.alias(u, [size, size]));
  if (outer) applyQOnDevice(device, outer, u);
  return arranged(device, u, m, Array.from({ length: r }, (_, i) => i), new Array<number>(r).fill(1));
}

/**
 * One step of Newton and Schulz towards the nearest orthonormal columns, `U - U (U^T U - I) / 2`: what hundreds of
 * reflections have added up to in rounding, it squares.
 */
function polished(device: Device, u: Tensor): Tensor {
  const [m, r] = u.shape;
  const { subtract } = binaryOps;
  const excess = subtract.forward(device, gramOf(device, u), device.tensor(identity(r), [r, r])).output;
  const step = gemm(device, matricesIn(u, m, r), matricesIn(excess, r, r), 1, [m, r]);
  return subtract.forward(device, u, unaryOps.scale.forward(device, step, 0.5).output).output;
}

/** `U^T U`, summed over runs of rows first: one long sum of squares would be the least exact part of all. */
function gramOf(device: Device, u: Tensor): Tensor {
  const RUN = 256;
  const [m, r] = u.shape;
  const parts: Tensor[] = [];
  for (let first = 0; first < m; first += RUN) {
    const rows = Math.min(RUN, m - first);
    const part = matricesIn(device.alias(u, [rows, r], first * r), rows, r);
    parts.push(gemm(device, transposed(part), part, 1, [r, r]));
  }
  return parts.reduce((sum, part) => binaryOps.add.forward(device, sum, part).output);
}

function identity(size: number): Float32Array {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1;
  return values;
}

/** The first `rows` rows of the columns `order`, times `factors`. */
function arranged(device: Device, input: Tensor, rows: number, order: number[], factors: number[]): Tensor {
  const kept = order.length;
  const output = device.empty([rows, kept]);
  device.run(arrangeColumnsKernel, {
    input,
    order: device.tensor(order),
    factors: device.tensor(factors),
    output,
  }, { rows, columns: input.shape[1], kept });
  return output;
}
