import { Random } from "../../data/random.ts";
import type { Device } from "../../device.ts";
import { norm } from "../../linalg/vector.ts";
import { matrixSize } from "../../nn/matrix_size.ts";
import { weightProviders } from "../../overparameterise/weight_providers.ts";
import type { Model } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";

/** A matrix of the student, and its chain, or what else it is held as. */
export interface MatrixError {
  readonly name: string;
  /** The kind, as a recipe names it. */
  readonly use: string;
  /** Factors of the rows, one for each core of a chain; otherwise the rows. */
  readonly rows: readonly number[];
  /** The same of the columns. */
  readonly cols: readonly number[];
  /** ||MPO(W) - W|| / ||W||: what decomposing the matrix changes, and contracting the chain, or merging otherwise. */
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
  for (const [name, provider] of weightProviders(overParameterise, model)) {
    const [shape, weight] = [shapes.get(name)!, numbers.get(name)!];
    const again = provider.merge(await provider.start(weight, { device, random: new Random(0) }));
    const size = norm(Float64Array.from(weight));
    const apart = norm(again.map((value, at) => value - weight[at]));
    const { use, chain } = provider;
    const whole = matrixSize(shape);
    const { rows, cols } = chain ?? { rows: [whole.rows], cols: [whole.cols] };
    errors.push({ name, use, rows, cols, reconstructionError: size === 0 ? apart : apart / size });
  }
  return errors;
}
