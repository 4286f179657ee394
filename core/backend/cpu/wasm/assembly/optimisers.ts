// The steps of optimisers and the norm that gradients are clipped by, in float64 as in plain loops: where nothing is
// summed up, the same bits come of it.

/** Numbers whose squares are summed by themselves: the sum of the sums does not depend on the number of threads. */
const CHUNK: i32 = 4096;

/** Two floats as doubles, or one and a zero. `wide` is a constant where this is inlined. */
@inline
function loadPair(pointer: usize, wide: bool): v128 {
  return f64x2.promote_low_f32x4(wide ? v128.load64_zero(pointer) : v128.load32_zero(pointer));
}

/** Two doubles as floats, or only the first. */
@inline
function storePair(pointer: usize, value: v128, wide: bool): void {
  const floats = f32x4.demote_f64x2_zero(value);
  if (wide) v128.store64_lane(pointer, floats, 0);
  else v128.store32_lane(pointer, floats, 0);
}

/** The i-th of some doubles, in both lanes. */
@inline
function number(numbers: usize, i: usize): v128 {
  return v128.load64_splat(numbers + (i << 3));
}

/**
 * A step of AdamW for the elements from `begin` to `end`.
 *
 * @param numbers float64: the gradient's factor, beta1, 1 - beta1, beta2, 1 - beta2, what is kept of a parameter, the
 * rate, both corrections, epsilon
 */
export function adamw(
  parameter: usize, gradient: usize, mean: usize, square: usize, numbers: usize, begin: i32, end: i32,
): void {
  let at = <usize> begin << 2;
  for (const pairs = at + (<usize> (end - begin) >> 1 << 3); at < pairs; at += 8) {
    adamwPair(true, parameter + at, gradient + at, mean + at, square + at, numbers);
  }
  if (at < <usize> end << 2) adamwPair(false, parameter + at, gradient + at, mean + at, square + at, numbers);
}

@inline
function adamwPair(
  wide: bool, parameter: usize, gradient: usize, mean: usize, square: usize, numbers: usize,
): void {
  const g = f64x2.mul(loadPair(gradient, wide), number(numbers, 0));
  const m = f64x2.add(f64x2.mul(number(numbers, 1), loadPair(mean, wide)), f64x2.mul(number(numbers, 2), g));
  const v = f64x2.add(
    f64x2.mul(number(numbers, 3), loadPair(square, wide)),
    f64x2.mul(f64x2.mul(number(numbers, 4), g), g),
  );
  storePair(mean, m, wide);
  storePair(square, v, wide);
  const rise = f64x2.mul(number(numbers, 6), f64x2.div(m, number(numbers, 7)));
  const root = f64x2.add(f64x2.sqrt(f64x2.div(v, number(numbers, 8))), number(numbers, 9));
  const kept = f64x2.mul(loadPair(parameter, wide), number(numbers, 5));
  storePair(parameter, f64x2.sub(kept, f64x2.div(rise, root)), wide);
}

/**
 * A step of SGD with momentum for the elements from `begin` to `end`.
 *
 * @param numbers float64: the gradient's factor, weight decay, momentum, the rate
 */
export function sgd(
  parameter: usize, gradient: usize, velocity: usize, numbers: usize, nesterov: i32, begin: i32, end: i32,
): void {
  let at = <usize> begin << 2;
  for (const pairs = at + (<usize> (end - begin) >> 1 << 3); at < pairs; at += 8) {
    sgdPair(true, parameter + at, gradient + at, velocity + at, numbers, nesterov);
  }
  if (at < <usize> end << 2) sgdPair(false, parameter + at, gradient + at, velocity + at, numbers, nesterov);
}

@inline
function sgdPair(wide: bool, parameter: usize, gradient: usize, velocity: usize, numbers: usize, nesterov: i32): void {
  const p = loadPair(parameter, wide), momentum = number(numbers, 2);
  const g = f64x2.add(
    f64x2.mul(loadPair(gradient, wide), number(numbers, 0)),
    f64x2.mul(number(numbers, 1), p),
  );
  const v = f64x2.add(f64x2.mul(momentum, loadPair(velocity, wide)), g);
  storePair(velocity, v, wide);
  const along = nesterov ? f64x2.add(g, f64x2.mul(momentum, v)) : v;
  storePair(parameter, f64x2.sub(p, f64x2.mul(number(numbers, 3), along)), wide);
}

/** How many sums `squaredSums` makes of so many numbers. */
export function squaredSumCount(length: i32): i32 {
  return (length + CHUNK - 1) / CHUNK;
}

/** sums[i] = sum of the squares of a chunk of x, in float64, for the chunks from `begin` to `end`. */
export function squaredSums(x: usize, length: i32, sums: usize, begin: i32, end: i32): void {
  for (let chunk = begin; chunk < end; ++chunk) {
    let at = x + (<usize> (chunk * CHUNK) << 2);
    const all = x + (<usize> min((chunk + 1) * CHUNK, length) << 2), vectors = at + (all - at & ~31);
    const zero = f64x2.splat(0);
    let s = zero, t = zero, u = zero, w = zero;
    for (; at < vectors; at += 32) {
      const a = loadPair(at, true), b = loadPair(at + 8, true), c = loadPair(at + 16, true), d = loadPair(at + 24, true);
      s = f64x2.add(s, f64x2.mul(a, a));
      t = f64x2.add(t, f64x2.mul(b, b));
      u = f64x2.add(u, f64x2.mul(c, c));
      w = f64x2.add(w, f64x2.mul(d, d));
    }
    for (; at < all; at += 4) {
      const a = loadPair(at, false);
      s = f64x2.add(s, f64x2.mul(a, a));
    }
    const sum = f64x2.add(f64x2.add(s, t), f64x2.add(u, w));
    store<f64>(sums + (<usize> chunk << 3), f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}
