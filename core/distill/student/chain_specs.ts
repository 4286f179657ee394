import type { Device } from "../../device.ts";
import { UserError } from "../../errors.ts";
import { breathe } from "../../evaluate/breathe.ts";
import type { Chain } from "../../mpo/chain.ts";
import { automaticFactors } from "../../mpo/automatic_shapes.ts";
import { decomposeMatrix } from "../../mpo/decompose.ts";
import { type LinearAlgebra, linearAlgebraOn } from "../../mpo/linear_algebra.ts";
import { validateFactors } from "../../mpo/shapes.ts";
import type { Model } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import { assignLayers } from "../../recipe/globs.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { sizeOf } from "../../tensor.ts";
import type { ChainSpec } from "../../plugin/chains.ts";

type Entry = Recipe["student"]["overParameterise"][number];

/** The matrix of a weight: outputs by everything else. */
export function matrixSize(shape: readonly number[]): { rows: number; cols: number } {
  return { rows: shape[0], cols: sizeOf(shape.slice(1)) };
}

function chainSpec({ cores, rows, cols, increaseRate, gauge }: Entry, shape: readonly number[]): ChainSpec | null {
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
export function chainSpecs(
  recipe: Section<Recipe["student"]["overParameterise"]>,
  model: Model,
): Map<string, ChainSpec> {
  const entries = recipe.value;
  const candidates = model.parameters.filter(({ overParameterisable }) => overParameterisable);
  const assigned = assignLayers(
    entries,
    candidates.map(({ name }) => name),
    (index, sentence) => recipe.error([index], sentence),
  );
  const shapes = new Map<string, ChainSpec>();
  for (const { name, shape } of candidates) {
    const entry = assigned.get(name);
    if (!entry) continue;
    try {
      const chain = chainSpec(entry, shape);
      if (chain) shapes.set(name, chain);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw recipe.error([entries.indexOf(entry)], `${error.message} (for ${name})`);
    }
  }
  return shapes;
}

/**
 * Decomposes one weight where that is fastest for its size (see `linearAlgebraOn`), and lets signals through on the
 * way.
 */
export async function decomposeWeight(
  device: Device,
  weight: Float32Array,
  shape: readonly number[],
  spec: ChainSpec,
): Promise<Chain> {
  const { rows, cols } = matrixSize(shape);
  const { svd } = linearAlgebraOn(device);
  const linearAlgebra: LinearAlgebra = {
    async svd(...matrix) {
      await breathe();
      return await svd(...matrix);
    },
  };
  return (await decomposeMatrix(weight, rows, cols, { ...spec, linearAlgebra })).chain;
}
