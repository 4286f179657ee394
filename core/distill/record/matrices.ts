import { norm } from "../../linalg/vector.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import { trainedNumbers } from "../../overparameterise/weight_provider.ts";
import type { Student } from "../student/student.ts";
import { effectiveRank } from "../training/diagnostics.ts";
import { matrixSizes, notLong, singularValuesOf } from "../training/spectra.ts";

/** An over-parameterised matrix before training and after it, in this order. */
export interface MatrixRecord {
  readonly name: string;
  readonly shape: readonly [rows: number, cols: number];
  /** Cores of its chain, or tensors that another kind holds it as. */
  readonly cores: number;
  /** What it was held as: `3 cores`; a run by an older version does not say. */
  readonly heldAs?: string;
  /** Parameters in training over the matrix's. */
  readonly increaseRate: number;
  readonly norms: readonly [start: number, end: number];
  readonly effectiveRanks: readonly [start: number, end: number];
  /** Descending, the largest. */
  readonly singularValues: readonly [start: readonly number[], end: readonly number[]];
  /** ||W - W_0|| / ||W_0||. */
  readonly relativeStep: number;
}

/** Singular values that are kept of a matrix. */
const MOST_VALUES = 128;

/**
 * Looks at the over-parameterised matrices, or where that would take long at some of them ({@link notLong}).
 *
 * @param merged the trained weights
 */
export async function matricesOf(ops: Ops, student: Student, merged: Weights): Promise<MatrixRecord[]> {
  const sizes = matrixSizes(student);
  const all = [...student.overParameterised].map(([name, held]) => ({ name, ...held, ...sizes.get(name)! }));
  const records: MatrixRecord[] = [];
  for (const { name, provider, start, rows, cols } of notLong(all, 2)) {
    const [trained] = await ops.read([merged.get(name)]);
    const [before, after] = [provider.merge(start), Float64Array.from(trained)];
    const spectrum = (matrix: Float64Array) => singularValuesOf(ops, matrix, { rows, cols });
    const [first, last] = [await spectrum(before), await spectrum(after)];
    records.push({
      name,
      shape: [rows, cols],
      cores: start.length,
      heldAs: provider.heldAs,
      increaseRate: trainedNumbers(provider) / (rows * cols),
      norms: [norm(before), norm(after)],
      effectiveRanks: [effectiveRank(first), effectiveRank(last)],
      singularValues: [[...first.slice(0, MOST_VALUES)], [...last.slice(0, MOST_VALUES)]],
      relativeStep: norm(after.map((value, at) => value - before[at])) / norm(before),
    });
  }
  return records;
}
