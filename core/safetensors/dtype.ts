/**
 * The name of an element type as a safetensors header spells it. The format knows more (8-bit floats, unsigned integers);
 * these are the ones this project reads.
 */
export type Dtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "U8" | "BOOL";

/** Bytes per element of each dtype. */
export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U8: 1,
  BOOL: 1,
};

/** A tensor as it lies in a safetensors file: row-major, little-endian, not yet converted. */
export interface StoredTensor {
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
 * @param tensor A tensor of dtype F32, F64, F16 or BF16.
 * @returns A new array, never a view of the file, so that two models loaded from one file share nothing.
 * @throws {TypeError} If the tensor holds integers or booleans.
 *
 * @example
 * ```ts
 * const { tensors } = await readSafetensors("student/model.safetensors");
 * const weight = toFloat32(tensors.get("fc.weight")!);
 * ```
 */
export function toFloat32(tensor: StoredTensor): Float32Array<ArrayBuffer> {
  // The copy starts at offset 0 of a buffer of its own and so is aligned for every typed array. Typed arrays have the
  // machine's byte order, which is little-endian on every platform Deno runs on.
  const { buffer } = tensor.bytes.slice();
  switch (tensor.dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return new Float32Array(new Float64Array(buffer));
    case "F16":
      return new Float32Array(new Float16Array(buffer));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(buffer));
    default:
      throw new TypeError(
        `Cannot convert a tensor of dtype ${tensor.dtype} to float32: a floating-point one is needed`,
      );
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
 * @param tensor A tensor of dtype I64, I32, U8 or BOOL.
 * @returns A new array.
 * @throws {TypeError} If the tensor holds floating-point numbers.
 */
export function toBigInt64(tensor: StoredTensor): BigInt64Array<ArrayBuffer> {
  const { buffer } = tensor.bytes.slice();
  switch (tensor.dtype) {
    case "I64":
      return new BigInt64Array(buffer);
    case "I32":
      return BigInt64Array.from(new Int32Array(buffer), BigInt);
    case "U8":
    case "BOOL":
      return BigInt64Array.from(new Uint8Array(buffer), BigInt);
    default:
      throw new TypeError(`Cannot convert a tensor of dtype ${tensor.dtype} to integers: an integer one is needed`);
  }
}
