// Vectors of equal numbers that the engine loads. V8 builds a vector that it knows at compile time anew at each use, by
// three instructions, which took half of the time of long polynomials.

/** Zero, which no compiler sees: a memory of 4 GiB has 2^16 pages. */
function nothing(): i32 {
  return memory.size() >>> 31;
}

/** Four copies of a number. */
export function four(value: f32): v128 {
  return v128.or(f32x4.splat(value), i32x4.splat(nothing()));
}

/** Four copies of an integer. */
export function fourIntegers(value: i32): v128 {
  return i32x4.splat(value | nothing());
}
