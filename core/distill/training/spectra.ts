import { breathe } from "../../evaluate/breathe.ts";
import { linearAlgebraOn } from "../../mpo/linear_algebra.ts";
import type { Ops } from "../../ops/ops.ts";
import { type MatrixSize, matrixSize } from "../../nn/matrix_size.ts";
import type { Student } from "../student/student.ts";

/** `m n min(m, n)` of all matrices together that are decomposed at once: a quarter of a minute of the host. */
const MOST_WORK = 2 ** 34;

/**
 * The matrices whose singular values do not take long together: all, or every n-th from the first to the last; one
 * that takes more than what is left is left out.
 *
 * @param times how often each is decomposed
 */
export function notLong<Sized extends MatrixSize>(matrices: readonly Sized[], times = 1): Sized[] {
  const work = ({ rows, cols }: MatrixSize) => times * rows * cols * Math.min(rows, cols);
  const possible = matrices.filter((matrix) => work(matrix) <= MOST_WORK);
  const every = Math.ceil(possible.reduce((sum, matrix) => sum + work(matrix), 0) / MOST_WORK);
  let left = MOST_WORK;
  return possible.filter((matrix, index) => {
    if (index % every !== 0 || work(matrix) > left) return false;
    left -= work(matrix);
    return true;
  });
}

/** The singular values of a matrix, descending. Signals get their turn before. */
export async function singularValuesOf(
  ops: Ops,
  matrix: Float64Array,
  { rows, cols }: MatrixSize,
): Promise<Float64Array> {
  await breathe();
  return (await linearAlgebraOn(ops.device).svd(matrix, rows, cols)).singularValues;
}

/** The sizes of a student's weights as matrices, by name. */
export function matrixSizes({ model }: Student): Map<string, MatrixSize> {
  return new Map(model.parameters.map(({ name, shape }) => [name, matrixSize(shape)]));
}

/** Reads weights as they are now, over-parameterised ones merged. */
export async function readMatrices(
  ops: Ops,
  student: Student,
  names: readonly string[],
): Promise<Map<string, Float64Array>> {
  const weights = student.frozenWeights();
  const numbers = await ops.read(names.map((name) => weights.get(name))).finally(weights.dispose);
  return new Map(names.map((name, index) => [name, Float64Array.from(numbers[index])]));
}

/** Singular values by the names of the weights, descending. */
export type Spectra = ReadonlyMap<string, Float64Array>;

/** The names of the over-parameterised weights whose spectra do not take long. */
export function matricesToShow(student: Student): string[] {
  const sizes = matrixSizes(student);
  return notLong([...student.overParameterised.keys()].map((name) => ({ name, ...sizes.get(name)! }))).map(({ name }) =>
    name
  );
}

/** The singular values of some weights as they are now. @param known those that were computed of the same weights */
export async function spectraOf(
  ops: Ops,
  student: Student,
  names: readonly string[],
  known: Spectra = new Map(),
): Promise<Spectra> {
  const missing = names.filter((name) => !known.has(name));
  const matrices = missing.length > 0 ? await readMatrices(ops, student, missing) : new Map<string, Float64Array>();
  const sizes = matrixSizes(student);
  const spectra = new Map<string, Float64Array>();
  for (const name of names) {
    const values = known.get(name) ?? await singularValuesOf(ops, matrices.get(name)!, sizes.get(name)!);
    spectra.set(name, values);
  }
  return spectra;
}
