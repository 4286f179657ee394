import { effectiveRank } from "../training/diagnostics.ts";
import { norm } from "../../linalg/vector.ts";
import { increaseRate } from "../../mpo/chain.ts";
import { linearAlgebraOn } from "../../mpo/linear_algebra.ts";
import { mergeOnHost } from "../../mpo/merge_chain.ts";
import { breathe } from "../../evaluate/breathe.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import { matrixSize } from "../student/chain_specs.ts";
import type { Student } from "../student/student.ts";

/** An over-parameterised matrix before training and after it, in this order. */
export interface MatrixRecord {
  readonly name: string;
  readonly shape: readonly [rows: number, cols: number];
  readonly cores: number;
  /** The chain's parameters over the matrix's. */
  readonly increaseRate: number;
  readonly norms: readonly [start: number, end: number];
  readonly effectiveRanks: readonly [start: number, end: number];
  /** Descending, the largest. */
  readonly singularValues: readonly [start: readonly number[], end: readonly number[]];
  /** ||W - W_0|| / ||W_0||. */
  readonly relativeStep: number;
}

/** `m n min(m, n)` of all matrices together that is looked at: a quarter of a minute of the host. */
const MOST_WORK = 2 ** 34;

/** Singular values that are kept of a matrix. */
const MOST_VALUES = 128;

/**
 * Looks at the over-parameterised matrices, or where that would take long at some of them, from the first to the last.
 *
 * @param merged the trained weights
 */
export async function matricesOf(ops: Ops, student: Student, merged: Weights): Promise<MatrixRecord[]> {
  const shapes = new Map(student.model.parameters.map(({ name, shape }) => [name, shape]));
  const all = [...student.chains].map(([name, chain]) => ({ name, chain, ...matrixSize(shapes.get(name)!) }));
  const work = all.reduce((sum, { rows, cols }) => sum + 2 * rows * cols * Math.min(rows, cols), 0);
  const every = Math.ceil(work / MOST_WORK);
  const records: MatrixRecord[] = [];
  for (const { name, chain, rows, cols } of all.filter((_, index) => index % every === 0)) {
    await breathe();
    const [trained] = await ops.read([merged.get(name)]);
    const [before, after] = [mergeOnHost(chain), Float64Array.from(trained)];
    const spectrum = async (matrix: Float64Array) => {
      return (await linearAlgebraOn(ops.device).svd(matrix, rows, cols)).singularValues;
    };
    const [first, last] = [await spectrum(before), await spectrum(after)];
    records.push({
      name,
      shape: [rows, cols],
      cores: chain.cores.length,
      increaseRate: increaseRate(chain),
      norms: [norm(before), norm(after)],
      effectiveRanks: [effectiveRank(first), effectiveRank(last)],
      singularValues: [[...first.slice(0, MOST_VALUES)], [...last.slice(0, MOST_VALUES)]],
      relativeStep: norm(after.map((value, at) => value - before[at])) / norm(before),
    });
  }
  return records;
}
