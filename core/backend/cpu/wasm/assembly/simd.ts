// The one arithmetic step that all matrix kernels are made of.

/** Bytes of a float32. */
export const FLOAT: usize = 4;

/** Bytes of a 128-bit vector of four float32. */
export const VECTOR: usize = 16;

/**
 * a * b + c, four lanes at once.
 *
 * With relaxed SIMD it is one fused instruction on every current processor. The second binary is compiled from the same
 * source with the feature off, and rounds twice. The condition is a compile-time constant, so no branch is left.
 */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return f32x4.relaxed_madd(a, b, c);
  } else {
    return f32x4.add(f32x4.mul(a, b), c);
  }
}

/**
 * max(x, 0), and NaN where x is; the zero is not negative. `f32x4.max` is seven instructions.
 */
@inline
export function positive(x: v128): v128 {
  return v128.andnot(x, f32x4.le(x, f32x4.splat(0)));
}
