/** Takes runs of plane rotations: see {@link Workspace.rotateRows} for how they are written down. */
export interface RotationSink {
  /** Where runs are written; full or not, `flush` empties it. */
  readonly buffer: Float64Array;
  flush(runs: number): void;
}

/**
 * More runs than any matrix needs (about two for each row): a bound, so that rounding can never keep the loop alive.
 */
const MOST_RUNS_PER_ROW = 30;

/**
 * The implicit QR iteration of Golub and Kahan: rotations from both sides bring an upper bidiagonal matrix to diagonal
 * form, in place. Those from the left go to the sink; those from the right are not kept. A step without a shift, where
 * the shift would be lost in rounding, is that of Demmel and Kahan (1990), "Accurate singular values of bidiagonal
 * matrices": it finds zeros at once.
 *
 * Numbers above the diagonal count as zero from the rounding of the whole matrix on, as they came with that error.
 *
 * @param diagonal becomes singular values, in no order, some negative
 * @returns how many runs of rotations it took
 */
export function diagonalise(diagonal: Float64Array, upper: Float64Array, sink: RotationSink): number {
  const size = diagonal.length;
  const negligible = largest(diagonal, upper) * Number.EPSILON;
  let last = size - 1, used = 0, runs = 0, pending = 0;
  while (last > 0) {
    if (Math.abs(upper[last - 1]) <= negligible) {
      upper[--last] = 0;
      continue;
    }
    let first = last - 1;
    while (first > 0 && Math.abs(upper[first - 1]) > negligible) first--;
    if (used + 2 * (last - first + 1) > sink.buffer.length) {
      sink.flush(pending);
      used = pending = 0;
    }
    sink.buffer[used++] = first;
    sink.buffer[used++] = last - first;
    const shift = shiftOf(diagonal, upper, first, last);
    const step = shift === 0 ? stepWithoutShift : stepWithShift;
    step(diagonal, upper, first, last, sink.buffer.subarray(used), shift);
    used += 2 * (last - first);
    pending++;
    if (++runs >= MOST_RUNS_PER_ROW * size) break;
  }
  sink.flush(pending);
  return runs;
}

function largest(...lists: Float64Array[]): number {
  return lists.reduce((most, list) => list.reduce((most, x) => Math.max(most, Math.abs(x)), most), 0);
}

/** The smaller singular value of the last 2 x 2 block; 0 where that is lost next to the first entry, or one is zero. */
function shiftOf(diagonal: Float64Array, upper: Float64Array, first: number, last: number): number {
  let least = Infinity, most = 0;
  for (let i = first; i <= last; i++) {
    const size = Math.abs(diagonal[i]);
    least = Math.min(least, size);
    most = Math.max(most, size);
  }
  if (least <= Number.EPSILON * most) return 0;
  const f = Math.abs(diagonal[last - 1]), g = Math.abs(upper[last - 1]), h = Math.abs(diagonal[last]);
  // The larger one is (|f + h, g| + |f - h, g|) / 2, their product f h.
  const shift = 2 * f * (h / (Math.hypot(f + h, g) + Math.hypot(f - h, g)));
  return (shift / diagonal[first]) ** 2 < Number.EPSILON ? 0 : shift;
}

/** Lengths below this are zero next to numbers around 1: no direction is to be had from them. */
const TINY = 1e-140;

function stepWithShift(
  d: Float64Array,
  e: Float64Array,
  first: number,
  last: number,
  rotations: Float64Array,
  shift: number,
): void {
  let f = (Math.abs(d[first]) - shift) * (Math.sign(d[first]) + shift / d[first]);
  let g = e[first];
  for (let i = first, at = 0; i < last; i++) {
    let radius = Math.sqrt(f * f + g * g);
    let cosine = radius > TINY ? f / radius : 1, sine = radius > TINY ? g / radius : 0;
    if (i > first) e[i - 1] = radius;
    f = cosine * d[i] + sine * e[i];
    e[i] = cosine * e[i] - sine * d[i];
    g = sine * d[i + 1];
    d[i + 1] *= cosine;
    radius = Math.sqrt(f * f + g * g);
    cosine = radius > TINY ? f / radius : 1;
    sine = radius > TINY ? g / radius : 0;
    d[i] = radius;
    f = cosine * e[i] + sine * d[i + 1];
    d[i + 1] = cosine * d[i + 1] - sine * e[i];
    if (i + 1 < last) {
      g = sine * e[i + 1];
      e[i + 1] *= cosine;
    }
    rotations[at++] = cosine;
    rotations[at++] = sine;
  }
  e[last - 1] = f;
}

function stepWithoutShift(
  d: Float64Array,
  e: Float64Array,
  first: number,
  last: number,
  rotations: Float64Array,
): void {
  let right = 1, left = 1, leftSine = 0;
  for (let i = first, at = 0; i < last; i++) {
    let f = d[i] * right, g = e[i];
    let radius = Math.sqrt(f * f + g * g);
    if (i > first) e[i - 1] = leftSine * radius;
    right = radius > TINY ? f / radius : 1;
    g = radius > TINY ? d[i + 1] * (g / radius) : 0;
    f = left * radius;
    radius = Math.sqrt(f * f + g * g);
    left = radius > TINY ? f / radius : 1;
    leftSine = radius > TINY ? g / radius : 0;
    d[i] = radius;
    rotations[at++] = left;
    rotations[at++] = leftSine;
  }
  const rest = d[last] * right;
  d[last] = rest * left;
  e[last - 1] = rest * leftSine;
}
