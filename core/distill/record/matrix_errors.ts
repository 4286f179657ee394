import type { Device } from "../../device.ts";
import { norm } from "../../linalg/vector.ts";
import { mergeOnHost } from "../../mpo/merge_chain.ts";
import type { Model } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { chainSpecs, decomposeWeight } from "../student/chain_specs.ts";

/** A matrix of the student, and its chain. */
export interface MatrixError {
  readonly name: string;
  readonly rows: readonly number[];
  readonly cols: readonly number[];
  /** ||MPO(W) - W|| / ||W||: what decomposing the matrix and contracting the chain changes. */
  readonly reconstructionError: number;
}

/** Decomposes a student's matrices as a recipe says, and contracts them again. */
export async function matrixErrors(
  device: Device,
  overParameterise: Section<Recipe["student"]["overParameterise"]>,
  model: Model,
  numbers: ReadonlyMap<string, Float32Array>,
): Promise<MatrixError[]> {
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const errors: MatrixError[] = [];
  for (const [name, spec] of chainSpecs(overParameterise, model)) {
    const [shape, weight] = [shapes.get(name)!, numbers.get(name)!];
    const again = mergeOnHost(await decomposeWeight(device, weight, shape, spec));
    const size = norm(Float64Array.from(weight));
    const apart = norm(again.map((value, at) => value - weight[at]));
    const { rows, cols } = spec;
    errors.push({ name, rows, cols, reconstructionError: size === 0 ? apart : apart / size });
  }
  return errors;
}
