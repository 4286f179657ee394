import { mergeOnHost } from "../mpo/merge_chain.ts";
import { sizeOf } from "../tensor.ts";
import type { FileTensor, FileTensors, TensorShapes } from "./model.ts";

/** How many numbers each of the two factors of a weight carries on, by the weight's name. */
export type Ranks = ReadonlyMap<string, number>;

/**
 * The names under which a weight W, a matrix outputs x inputs, is stored as two factors, W = up down.
 *
 * @param weight its own name: `fc.weight`
 */
export function factorNames(weight: string): { readonly down: string; readonly up: string } {
  return { down: `${weight}${DOWN}`, up: `${weight}${UP}` };
}

const [DOWN, UP] = [".down", ".up"];

/**
 * The shapes of a weight's factors: of a matrix `[out, in]` the matrices `[rank, in]` and `[out, rank]`; of a filter
 * `[out, in, height, width]` a filter `[rank, in, height, width]` and one of single pixels, `[out, rank, 1, 1]`.
 */
export function factorShapes(
  [outputs, ...inputs]: readonly number[],
  rank: number,
): { readonly down: readonly number[]; readonly up: readonly number[] } {
  return { down: [rank, ...inputs], up: [outputs, rank, ...inputs.slice(1).map(() => 1)] };
}

/** How many numbers the factors of a weight have. */
export function factorCount([outputs, ...inputs]: readonly number[], rank: number): number {
  return rank * (outputs + sizeOf(inputs));
}

/** The product of two factors, as the weight that they are of: computed in float64. */
export function productOfFactors(down: Float32Array, up: Float32Array, rank: number): Float32Array {
  const [rows, cols] = [[up.length / rank, 1], [1, down.length / rank]];
  const cores = [Float64Array.from(up), Float64Array.from(down)];
  return Float32Array.from(mergeOnHost({ rows, cols, bonds: [1, rank, 1], cores }));
}

/** The shape of the weight that two tensors are the factors of; `null` where they fit no weight. */
function wholeShape(down: readonly number[], up: readonly number[]): readonly number[] | null {
  const [outputs] = up;
  const [rank, ...inputs] = down;
  const { up: expected } = factorShapes([outputs, ...inputs], rank);
  return inputs.length > 0 && rank > 0 && expected.join() === up.join() ? [outputs, ...inputs] : null;
}

/** Names of the weights whose factors are among some tensors, with the shapes of the weights. */
function factored(shapes: TensorShapes): Map<string, readonly number[]> {
  return new Map([...shapes].flatMap(([name, down]) => {
    const weight = name.endsWith(DOWN) ? name.slice(0, -DOWN.length) : null;
    const up = weight === null || shapes.has(weight) ? undefined : shapes.get(factorNames(weight).up);
    const whole = up && wholeShape(down, up);
    return whole ? [[weight!, whole] as const] : [];
  }));
}

function shapesOf(tensors: FileTensors): TensorShapes {
  return new Map([...tensors].map(([name, { shape }]) => [name, shape]));
}

/** Tensors of a file with each pair of factors as the weight that they are of, which knows them. */
export function joinFactors(tensors: FileTensors): FileTensors {
  const whole = factored(shapesOf(tensors));
  if (whole.size === 0) return tensors;
  const joined = new Map(tensors);
  for (const [weight, shape] of whole) {
    const names = factorNames(weight);
    const [down, up] = [tensors.get(names.down)!, tensors.get(names.up)!];
    Object.values(names).forEach((name) => joined.delete(name));
    const numbers = () => productOfFactors(down.numbers(), up.numbers(), down.shape[0]);
    joined.set(weight, { shape, numbers, factors: { down, up } });
  }
  return joined;
}

/** The same of shapes alone. */
export function joinShapes(shapes: TensorShapes): TensorShapes {
  const whole = factored(shapes);
  const parts = new Set([...whole.keys()].flatMap((weight) => Object.values(factorNames(weight))));
  return new Map([...[...shapes].filter(([name]) => !parts.has(name)), ...whole]);
}

/** The opposite of {@link joinFactors}: each tensor that knows its factors as these. */
export function splitFactors(tensors: FileTensors): FileTensors {
  return new Map([...tensors].flatMap(([name, tensor]): [string, FileTensor][] => {
    const { factors } = tensor;
    if (!factors) return [[name, tensor]];
    const { down, up } = factorNames(name);
    return [[down, factors.down], [up, factors.up]];
  }));
}
