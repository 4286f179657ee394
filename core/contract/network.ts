import { showShape } from "../tensor.ts";
import type { Index, Notation } from "./notation.ts";

/**
 * A contraction with the extents of its indices; those of extent 1, which cost nothing and order nothing, are left out.
 */
export interface Network {
  readonly inputs: readonly (readonly Index[])[];
  readonly output: readonly Index[];
  /** Of all indices, those of extent 1 included. */
  readonly extents: ReadonlyMap<Index, number>;
}

/**
 * Gives the indices of a notation their extents.
 *
 * @throws RangeError if there are more or fewer shapes than operands, a shape has more or fewer dimensions than its
 * operand has indices, or an index has two extents
 */
export function networkOf({ pattern, inputs, output }: Notation, shapes: readonly (readonly number[])[]): Network {
  const start = () => `Cannot contract "${pattern}" with shapes ${shapes.map(showShape).join(", ")}`;
  if (shapes.length !== inputs.length) {
    throw new RangeError(
      `${start()}: the pattern has ${inputs.length} operands, and there are ${shapes.length} shapes`,
    );
  }
  const extents = new Map<Index, number>();
  inputs.forEach((indices, operand) => {
    const shape = shapes[operand];
    if (indices.length !== shape.length) {
      throw new RangeError(
        `${start()}: operand ${operand + 1} has ${indices.length} indices and ${shape.length} dimensions`,
      );
    }
    indices.forEach((index, axis) => {
      const extent = shape[axis], known = extents.get(index);
      if (!Number.isSafeInteger(extent) || extent < 1) {
        throw new RangeError(`${start()}: extents must be whole numbers from 1, and one is ${extent}`);
      }
      if (known !== undefined && known !== extent) {
        const before = inputs.findIndex((others) => others.includes(index));
        throw new RangeError(
          `${start()}: index "${index}" is ${known} in operand ${before + 1} and ${extent} in operand ${operand + 1}`,
        );
      }
      extents.set(index, extent);
    });
  });
  const long = (index: Index) => extents.get(index) !== 1;
  return { inputs: inputs.map((indices) => indices.filter(long)), output: output.filter(long), extents };
}

/** The product of the extents of some indices. */
export function sizeOfIndices(indices: Iterable<Index>, extents: ReadonlyMap<Index, number>): number {
  let size = 1;
  for (const index of indices) size *= extents.get(index)!;
  return size;
}
