import process from "node:process";
import type { Device } from "../../core/device.ts";
import { decomposeMatrix, type Decomposition } from "../../core/mpo/decompose.ts";
import { linearAlgebraOn } from "../../core/mpo/linear_algebra.ts";
import { reportDecomposition } from "../../core/mpo/report.ts";
import type { Work } from "./protocol.ts";
import { type DecompositionCase, decompositions, matrixSize } from "./workload.ts";

/**
 * Decomposes the same matrix in each step; the note says where, and what the first step added to the process' memory.
 */
export function startDecomposition(device: Device, name: DecompositionCase, matrix: Float32Array): Work {
  const [rows, cols] = [decompositions[name].rows, decompositions[name].cols].map(([first, last]) => [
    ...[first, 1, 1, 1],
    last,
  ]);
  const [matrixRows, matrixCols] = matrixSize(name);
  const linearAlgebra = linearAlgebraOn(device);
  const before = Deno.memoryUsage().rss;
  let result: Decomposition | undefined, added: number | undefined;
  return {
    async step() {
      result = await decomposeMatrix(matrix, matrixRows, matrixCols, { rows, cols, linearAlgebra });
      added ??= process.resourceUsage().maxRSS * 1024 - before;
    },
    sync: () => Promise.resolve(result!.singularValues[0][0]),
    error: () => reportDecomposition(matrix, result!).relativeError,
    note: () => `${result!.arithmetic}; peak memory ${Math.round(added! / 1e6)} MB`,
  };
}
