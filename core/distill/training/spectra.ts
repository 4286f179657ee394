import { linearAlgebraOn } from "../../mpo/linear_algebra.ts";
import type { Ops } from "../../ops/ops.ts";
import { matrixSize } from "../student/chain_specs.ts";
import type { Student } from "../student/student.ts";

/** Reads weights as they are now, chains contracted. */
export async function readMatrices(
  ops: Ops,
  student: Student,
  names: readonly string[],
): Promise<Map<string, Float64Array>> {
  const weights = student.frozenWeights();
  const numbers = await ops.read(names.map((name) => weights.get(name))).finally(weights.dispose);
  return new Map(names.map((name, index) => [name, Float64Array.from(numbers[index])]));
}

/** The singular values of a weight as a matrix of outputs by everything else, descending. */
export async function singularValuesOf(
  ops: Ops,
  { model }: Student,
  name: string,
  matrix: Float64Array,
): Promise<Float64Array> {
  const { rows, cols } = matrixSize(model.parameters.find((parameter) => parameter.name === name)!.shape);
  return (await linearAlgebraOn(ops.device).svd(matrix, rows, cols)).singularValues;
}

/** The singular values of every over-parameterised matrix, by name. */
export async function chainSpectra(ops: Ops, student: Student): Promise<Record<string, Float64Array>> {
  const spectra: Record<string, Float64Array> = {};
  for (const [name, matrix] of await readMatrices(ops, student, [...student.chains.keys()])) {
    spectra[name] = await singularValuesOf(ops, student, name, matrix);
  }
  return spectra;
}
