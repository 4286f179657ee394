// Copies that put dimensions in another order, or repeat some.

/**
 * Fills the output in its order from the input by strides, for the planes (of the first three dimensions) from `begin`
 * to `end`: of an element with the indices i0 to i5 the input's place is the sum of each times its stride. Strides are
 * in elements.
 */
export function stridedCopy(
  x: usize, y: usize,
  extent1: i32, extent2: i32, extent3: i32, extent4: i32, extent5: i32,
  stride0: i32, stride1: i32, stride2: i32, stride3: i32, stride4: i32, stride5: i32,
  begin: i32, end: i32,
): void {
  const step3 = <usize> stride3 << 2, step4 = <usize> stride4 << 2, step5 = <usize> stride5 << 2;
  const row = <usize> extent5 << 2, vectors = stride5 == 1 ? row & ~15 : 0;
  let to = y + <usize> begin * <usize> extent3 * <usize> extent4 * row;
  for (let plane = begin; plane < end; ++plane) {
    const inner = plane % extent2, middle = plane / extent2 % extent1, outer = plane / extent2 / extent1;
    let from3 = x + ((<usize> outer * stride0 + <usize> middle * stride1 + <usize> inner * stride2) << 2);
    for (let i = 0; i < extent3; ++i, from3 += step3) {
      let from4 = from3;
      for (let j = 0; j < extent4; ++j, from4 += step4) {
        let at: usize = 0;
        for (; at < vectors; at += 16) v128.store(to + at, v128.load(from4 + at));
        let from = from4 + at * stride5;
        for (; at < row; at += 4, from += step5) store<f32>(to + at, load<f32>(from));
        to += row;
      }
    }
  }
}
