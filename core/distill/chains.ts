import { UserError } from "../errors.ts";
import { automaticFactors } from "../mpo/automatic_shapes.ts";
import { decomposeMatrix } from "../mpo/decompose.ts";
import { validateFactors } from "../mpo/shapes.ts";
import type { Model } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import { assignLayers } from "../recipe/globs.ts";
import type { Recipe } from "../recipe/schema.ts";
import { sizeOf } from "../tensor.ts";
import type { ChainShape } from "./chain_map.ts";

/** A chain on the host. */
export interface HostChain {
  readonly shape: ChainShape;
  /** Each `[bond, row, column, bond]`. */
  readonly cores: readonly { readonly shape: readonly number[]; readonly data: Float64Array }[];
}

type Entry = Recipe["student"]["overParameterise"][number];

/** The matrix of a weight: outputs by everything else. */
export function matrixSize(shape: readonly number[]): { rows: number; cols: number } {
  return { rows: shape[0], cols: sizeOf(shape.slice(1)) };
}

function chainShape({ cores, rows, cols, increaseRate, gauge }: Entry, shape: readonly number[]): ChainShape | null {
  const matrix = matrixSize(shape);
  if (rows && cols) {
    validateFactors(matrix.rows, matrix.cols, rows, cols);
    return { rows, cols, gauge };
  }
  if (increaseRate !== null) {
    return increaseRate === 1 ? null : { ...automaticFactors({ ...matrix, increaseRate }), gauge };
  }
  return cores === 1 ? null : { ...automaticFactors({ ...matrix, cores: cores! }), gauge };
}

/**
 * Which weights of the student become chains, and of which shape.
 *
 * @throws UserError with line and column for a pattern that matches nothing and for factors that do not fit
 */
export function chainShapes(recipe: Checked<Recipe>, model: Model): Map<string, ChainShape> {
  const entries = recipe.value.student.overParameterise;
  const candidates = model.parameters.filter(({ overParameterisable }) => overParameterisable);
  const pathOf = (index: number) => ["student", "overParameterise", index];
  const assigned = assignLayers(
    entries,
    candidates.map(({ name }) => name),
    (index, sentence) => recipe.error(pathOf(index), sentence),
  );
  const shapes = new Map<string, ChainShape>();
  for (const { name, shape } of candidates) {
    const entry = assigned.get(name);
    if (!entry) continue;
    try {
      const chain = chainShape(entry, shape);
      if (chain) shapes.set(name, chain);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw recipe.error(pathOf(entries.indexOf(entry)), `${error.message} (for ${name})`);
    }
  }
  return shapes;
}

/** Decomposes one weight. */
export function decomposeWeight(
  weight: Float32Array,
  shape: readonly number[],
  { rows, cols, gauge }: ChainShape,
): HostChain {
  const matrix = matrixSize(shape);
  const { cores } = decomposeMatrix(weight, matrix.rows, matrix.cols, { rows, cols, gauge });
  return { shape: { rows, cols, gauge }, cores };
}
