import type { Device } from "../device.ts";
import { svd } from "../linalg/device_svd.ts";
import { leftSvd } from "../linalg/svd.ts";

/** The part of an SVD that a decomposition needs: `A = U (U^T A)`, singular values descending. */
export interface SvdParts {
  /** `[m, r]`, orthonormal columns, the entry of largest size of each positive; r is the smaller of m and n. */
  readonly u: Float64Array;
  /** `[r]`, descending. */
  readonly singularValues: Float64Array;
  /** `[r, n]`, `U^T A`. */
  readonly remainder: Float64Array;
}

/** Where a decomposition's SVDs are computed. */
export interface LinearAlgebra {
  /** The precision of its numbers: singular values this much smaller than the largest are noise. */
  readonly epsilon: number;
  /** The SVD of a row-major matrix `[rows, cols]`, which stays as it is. */
  svd(matrix: Float64Array, rows: number, cols: number): SvdParts | Promise<SvdParts>;
}

/** In float64, on the host. */
export const hostLinearAlgebra: LinearAlgebra = { epsilon: Number.EPSILON, svd: leftSvd };

/** By shaders in float32 on a webgpu device, and as {@link hostLinearAlgebra} on the cpu backend. */
export function linearAlgebraOn(device: Device): LinearAlgebra {
  if (device.backend.name === "cpu") return hostLinearAlgebra;
  return {
    epsilon: 2 ** -23,
    async svd(matrix, rows, cols) {
      const a = device.keep(device.tensor(matrix, [rows, cols]));
      const { u, singularValues, remainder } = await svd(device, a);
      const parts = await device.read([u, singularValues, remainder]);
      for (const tensor of [a, u, singularValues, remainder]) tensor.dispose();
      const [left, values, rest] = parts.map((part) => Float64Array.from(part));
      return { u: left, singularValues: values, remainder: rest };
    },
  };
}
