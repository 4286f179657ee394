import { UserError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { readSafetensors, type StoredTensor, toFloat32 } from "../../core/safetensors.ts";
import { showShape, sizeOf } from "../../core/tensor.ts";
import { alignColumns } from "./table.ts";

/** A tensor of a file as a matrix: outputs by everything else. */
export interface StoredMatrix {
  readonly shape: readonly number[];
  readonly rows: number;
  readonly cols: number;
  /** Row-major. */
  readonly numbers: Float32Array;
}

/**
 * Reads a tensor that is to be taken as a matrix.
 *
 * @param name the tensor's name; without it the error lists all names
 * @throws UserError if the file cannot be read, or there is no such tensor, or it is no matrix of floating-point
 * numbers
 */
export async function readMatrix(file: string, name: string | undefined): Promise<StoredMatrix> {
  const { tensors } = await readSafetensors(file);
  if (name === undefined) {
    throw new UserError(
      [`Cannot decompose "${file}" without --tensor NAME: it holds`, ...listTensors(tensors)].join("\n"),
    );
  }
  const tensor = tensors.get(name);
  if (!tensor) {
    const near = nearest(name, tensors.keys());
    const advice = near === undefined ? ["it holds", ...listTensors(tensors)] : [`did you mean "${near}"?`];
    throw new UserError(`Unknown tensor "${name}" for "${file}": ${advice.join("\n")}`);
  }
  const { shape, dtype } = tensor;
  const refuse = (reason: string) =>
    new UserError(`Cannot decompose "${name}" of shape ${showShape(shape)}: ${reason}`);
  if (shape.length < 2) throw refuse("a matrix has at least two dimensions");
  if (sizeOf(shape) === 0) throw refuse("it is empty");
  if (!/^B?F\d/.test(dtype)) throw refuse(`it holds ${dtype}, and floating-point numbers are needed`);
  const numbers = toFloat32(tensor);
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw refuse(`the number at ${showShape(indicesOf(wrong, shape))} is ${numbers[wrong]}`);
  return { shape, rows: shape[0], cols: sizeOf(shape.slice(1)), numbers };
}

/** The place of a row-major tensor's n-th number. */
function indicesOf(place: number, shape: readonly number[]): number[] {
  return shape.toReversed().map((extent) => {
    const index = place % extent;
    place = (place - index) / extent;
    return index;
  }).reverse();
}

/** Names, shapes and types, those that can be decomposed first. */
function listTensors(tensors: ReadonlyMap<string, StoredTensor>): string[] {
  const entries = [...tensors].toSorted(([, a], [, b]) => Number(b.shape.length > 1) - Number(a.shape.length > 1));
  const rows = entries.map(([name, { shape, dtype }]) => [`  ${name}`, showShape(shape), dtype]);
  return alignColumns(rows, ["left"]);
}
