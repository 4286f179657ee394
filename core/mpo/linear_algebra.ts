import { expectArguments } from "../arguments.ts";
import type { Device } from "../device.ts";
import { svd } from "../linalg/device_svd.ts";
import { leftSvd } from "../linalg/svd.ts";

/** In what an SVD was computed. */
export interface Arithmetic {
  /** For people: its numbers and where. */
  readonly name: string;
  /** The precision of its numbers: singular values this much smaller than the largest are noise. */
  readonly epsilon: number;
}

/** The part of an SVD that a decomposition needs: `A = U (U^T A)`, singular values descending. */
export interface SvdParts {
  /** `[m, r]`, orthonormal columns, the entry of largest size of each positive; r is the smaller of m and n. */
  readonly u: Float64Array;
  /** `[r]`, descending. */
  readonly singularValues: Float64Array;
  /** `[r, n]`, `U^T A`. */
  readonly remainder: Float64Array;
  /** In what it was computed. */
  readonly arithmetic: Arithmetic;
}

/** Where a decomposition's SVDs are computed. */
export interface LinearAlgebra {
  /** The SVD of a row-major matrix `[rows, cols]`, which stays as it is. */
  svd(matrix: Float64Array, rows: number, cols: number): SvdParts | Promise<SvdParts>;
}

const onHost: Arithmetic = { name: "float64 on the host", epsilon: Number.EPSILON };
const byLapack: Arithmetic = { name: "float64 by LAPACK", epsilon: Number.EPSILON };
const byShaders: Arithmetic = { name: "float32 by shaders", epsilon: 2 ** -23 };

/**
 * `m n min(m, n)` from which on a GPU is worth waiting for. The host takes about 0.8 ns times that: 50 ms here, as for
 * 400 x 400. On a GPU an SVD waits for the device four times or more, up to 10 ms each, and its 800 dispatches for 400
 * columns need each other's results, whatever the speed of the arithmetic.
 */
const WORTH_WAITING = 2 ** 26;

/** In float64, on the host. */
export const hostLinearAlgebra: LinearAlgebra = {
  svd: (matrix, rows, cols) => ({ ...leftSvd(matrix, rows, cols), arithmetic: onHost }),
};

/** By shaders, in float32. */
export function shaderLinearAlgebra(device: Device): LinearAlgebra {
  expectArguments("shaderLinearAlgebra", { device: [device, "a device (ops.device)"] });
  return {
    async svd(matrix, rows, cols) {
      const a = device.keep(device.tensor(matrix, [rows, cols]));
      const { u, singularValues, remainder } = await svd(device, a);
      const parts = await device.read([u, singularValues, remainder]);
      for (const tensor of [a, u, singularValues, remainder]) tensor.dispose();
      const [left, values, rest] = parts.map((part) => Float64Array.from(part));
      return { u: left, singularValues: values, remainder: rest, arithmetic: byShaders };
    },
  };
}

/**
 * Where a device's SVDs are fastest: large ones by shaders on a GPU. The others are computed on the host, and so are
 * all of a software adapter, which computes on the same processor (2.3 seconds for what takes the host 0.3), and of the
 * cpu backend, with its threads or by its library's LAPACK.
 */
export function linearAlgebraOn(device: Device): LinearAlgebra {
  expectArguments("linearAlgebraOn", { device: [device, "a device (ops.device)"] });
  const { traits, wasm } = device.backend;
  if (wasm) {
    return {
      svd(matrix, rows, cols) {
        const { byLibrary = false, ...parts } = leftSvd(matrix, rows, cols, wasm);
        return { ...parts, arithmetic: byLibrary ? byLapack : onHost };
      },
    };
  }
  if (!traits || traits.software) return hostLinearAlgebra;
  const shaders = shaderLinearAlgebra(device);
  return {
    svd(matrix, rows, cols) {
      const small = rows * cols * Math.min(rows, cols) < WORTH_WAITING;
      return (small ? hostLinearAlgebra : shaders).svd(matrix, rows, cols);
    },
  };
}
