import { float16BitsOf } from "../float16.ts";

/** Floating-point numbers in the forms of a file, rounded once, to the nearest, of two to the even. */

/** The dtypes that floating-point numbers are written as. */
export type FloatDtype = "F64" | "F32" | "F16" | "BF16";

/**
 * Numbers as a file holds them. What is too large becomes infinite and what is too small 0, each with its sign, and NaN
 * stays NaN: as PyTorch's `to` has it.
 *
 * @returns `values` itself where it has that form already; for F16 and BF16 the bits
 */
export function toStoredFloats(
  values: Float32Array | Float64Array,
  dtype: FloatDtype,
): Float32Array | Float64Array | Uint16Array {
  switch (dtype) {
    case "F64":
      return values instanceof Float64Array ? values : new Float64Array(values);
    case "F32":
      return values instanceof Float32Array ? values : new Float32Array(values);
    case "F16":
      return Uint16Array.from(values, float16BitsOf);
    case "BF16":
      return Uint16Array.from(values, bfloat16BitsOf);
  }
}

const single = new Float32Array(1), word = new Uint32Array(single.buffer);

/** The bits of the nearest bfloat16: the upper half of a float32's, rounded. */
function bfloat16BitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0; // whose payload, cut off, could leave an infinity
  single[0] = value;
  // Rounded to float32 first, a number close to a middle of two bfloat16 would fall on it and be rounded a second time.
  // Towards zero, with the last bit set to say that there is more, it keeps its side.
  if (single[0] !== value) {
    if (Math.abs(single[0]) > Math.abs(value)) word[0]--;
    word[0] |= 1;
  }
  return (word[0] + 0x7fff + (word[0] >>> 16 & 1)) >>> 16;
}
