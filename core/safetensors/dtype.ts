import { float16ToFloat32 } from "../float16.ts";
import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";

/** The name of an element type as a safetensors header spells it. Not all of them are converted to numbers. */
export type Dtype =
  | "BOOL"
  | "F4"
  | "F6_E2M3"
  | "F6_E3M2"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "F8_E4M3FNUZ"
  | "F8_E5M2FNUZ"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "C64"
  | "F64"
  | "I64"
  | "U64";

/**
 * Bits per element of each dtype: all of the format (safetensors 0.8), so that a file is read whole whatever else
 * stands in it. They stand in the order by which the reference implementation sorts tensors in a file, the last first.
 */
export const DTYPE_BITS: Readonly<Record<Dtype, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

/** A tensor as it lies in a safetensors file: row-major, little-endian, not yet converted. */
export interface StoredTensor {
  /** The name in the file. */
  readonly name: string;
  /** The type of its numbers in the file. */
  readonly dtype: Dtype;
  /** An empty shape is a scalar. */
  readonly shape: readonly number[];
  /** A view into the file's bytes. It need not be aligned to the element size. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The values of a floating-point tensor as float32. F16 and BF16 convert exactly; F64 is rounded to nearest.
 *
 * @param tensor a tensor of dtype F32, F64, F16 or BF16
 * @returns a new array, never a view of the file, so that two models loaded from one file share nothing
 * @throws UserError if the tensor is of another dtype; the message names both
 *
 * @example
 * ```ts
 * import { readSafetensors } from "../safetensors.ts";
 *
 * const { tensors } = await readSafetensors("student/model.safetensors");
 * const weight = toFloat32(tensors.get("fc.weight")!);
 * ```
 */
export function toFloat32(tensor: StoredTensor): Float32Array<ArrayBuffer> {
  // The copy starts at offset 0 of a buffer of its own and so is aligned for every typed array. Typed arrays have the
  // machine's byte order, which is little-endian on every platform Deno runs on.
  const copied = () => tensor.bytes.slice().buffer;
  switch (tensor.dtype) {
    case "F32":
      return new Float32Array(copied());
    case "F64":
      return new Float32Array(new Float64Array(copied()));
    case "F16":
      return float16ToFloat32(new Uint16Array(copied()));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(copied()));
    default:
      return refuse(tensor, "float32: F64, F32, F16 or BF16 is needed");
  }
}

/** A bfloat16 is the upper half of the float32 of the same value. */
function bfloat16ToFloat32(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i] << 16;
  return new Float32Array(words.buffer);
}

/**
 * The values of an integer or boolean tensor as 64-bit integers; a boolean is 0 or 1.
 *
 * @param tensor a tensor of dtype I64, I32, U8 or BOOL
 * @returns a new array
 * @throws UserError if the tensor is of another dtype; the message names both
 */
export function toBigInt64(tensor: StoredTensor): BigInt64Array<ArrayBuffer> {
  const copied = () => tensor.bytes.slice().buffer;
  switch (tensor.dtype) {
    case "I64":
      return new BigInt64Array(copied());
    case "I32":
      return BigInt64Array.from(new Int32Array(copied()), BigInt);
    case "U8":
    case "BOOL":
      return BigInt64Array.from(new Uint8Array(copied()), BigInt);
    default:
      return refuse(tensor, "integers: I64, I32, U8 or BOOL is needed");
  }
}

/**
 * The values of a tensor of whole numbers that are not below 0.
 *
 * @param tensor a tensor of dtype U16 or U32
 * @returns a new array
 * @throws UserError if the tensor is of another dtype; the message names both
 */
export function toUnsigned(tensor: StoredTensor): Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  switch (tensor.dtype) {
    case "U16":
      return new Uint16Array(tensor.bytes.slice().buffer);
    case "U32":
      return new Uint32Array(tensor.bytes.slice().buffer);
    default:
      return refuse(tensor, "whole numbers: U16 or U32 is needed");
  }
}

function refuse({ name, dtype }: StoredTensor, wanted: string): never {
  throw new UserError(`Cannot convert the tensor ${showJson(name)} of dtype ${dtype} to ${wanted}`);
}
