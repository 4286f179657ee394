// The arithmetic step of the float64 kernels, two lanes at once.

/** Bytes of a float64. */
export const DOUBLE: usize = 8;

/** a * b + c, fused with relaxed SIMD, else rounded twice: see simd.ts. */
@inline
export function multiplyAdd64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return f64x2.relaxed_madd(a, b, c);
  } else {
    return f64x2.add(f64x2.mul(a, b), c);
  }
}

/** c - a * b, likewise. */
@inline
export function multiplySubtract64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return f64x2.relaxed_nmadd(a, b, c);
  } else {
    return f64x2.sub(c, f64x2.mul(a, b));
  }
}

/** The sum of both lanes. */
@inline
export function laneSum(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}
