import { sizeOf } from "../../../core/tensor.ts";

/** An operand for the brute-force contraction. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** The contraction as it is defined: one loop over all values of all indices. */
export function bruteForce(
  inputs: readonly (readonly string[])[],
  output: readonly string[],
  tensors: readonly HostTensor[],
): { shape: number[]; values: Float64Array } {
  const extents = new Map<string, number>();
  inputs.forEach((indices, operand) =>
    indices.forEach((index, axis) => extents.set(index, tensors[operand].shape[axis]))
  );
  const names = [...extents.keys()];
  const shape = output.map((index) => extents.get(index)!);
  const values = new Float64Array(sizeOf(shape));
  const total = sizeOf([...extents.values()]);
  for (let count = 0; count < total; count++) {
    const at = new Map<string, number>();
    let rest = count;
    for (const name of names) {
      at.set(name, rest % extents.get(name)!);
      rest = Math.floor(rest / extents.get(name)!);
    }
    const position = (indices: readonly string[]) =>
      indices.reduce((place, index) => place * extents.get(index)! + at.get(index)!, 0);
    values[position(output)] += tensors.reduce(
      (product, tensor, operand) => product * tensor.values[position(inputs[operand])],
      1,
    );
  }
  return { shape, values };
}
