/**
 * A function of one number that is not linear: made of lines, or of parabolas, between kinks. What is bounded is how
 * much it changes, f(v + z) - f(v), where v is known and z lies between -lower and upper.
 */
export interface Curve {
  value(t: number): number;
  /** Where its parts meet, in rising order. */
  readonly kinks: readonly number[];
  /** The most that it changes by, for each unit of change of its number. */
  readonly steepest: number;
  /** Where f(t) - slope t may be least or largest between two kinks; `null` for one made of lines. */
  readonly stationary: ((slope: number) => number) | null;
  /** Slopes of a line below and of one above it between l and u; any are right, some are closer. */
  slopes(l: number, u: number): readonly [below: number, above: number];
}

/** 0 up to a number, then a line of some slope, up to a largest value: ReLU and its like. */
function ramp(begin: number, end: number, slope: number): Curve {
  const chord = (l: number, u: number, value: (t: number) => number) => (value(u) - value(l)) / (u - l);
  const value = (t: number) => slope * (Math.min(Math.max(t, begin), end) - begin);
  return {
    value,
    kinks: end === Infinity ? [begin] : [begin, end],
    steepest: slope,
    stationary: null,
    slopes(l, u) {
      if (u <= begin || l >= end) return [0, 0];
      if (l >= begin && u <= end) return [slope, slope];
      // Below a bend upwards, the line of the longer part (CROWN's adaptive choice); above one downwards, likewise.
      if (u <= end) return [u - begin > begin - l ? slope : 0, chord(l, u, value)];
      if (l >= begin) return [chord(l, u, value), end - l > u - end ? slope : 0];
      const top = slope * (end - begin);
      return [top / (u - begin), top / (end - l)];
    },
  };
}

const relu = ramp(0, Infinity, 1);

/** Howard et al. 2019, arXiv 1905.02244, section 5.2. */
const hardSigmoid = ramp(-3, 3, 1 / 6);

const hardSwish: Curve = {
  value: (t) => t * hardSigmoid.value(t),
  kinks: [-3, 3],
  steepest: 1.5,
  // The parabola's slope is (2 t + 3) / 6.
  stationary: (slope) => 3 * slope - 1.5,
  slopes(l, u) {
    if (u <= -3) return [0, 0];
    if (l >= 3) return [1, 1];
    const chord = u > l ? (hardSwish.value(u) - hardSwish.value(l)) / (u - l) : (2 * l + 3) / 6;
    return [chord, chord];
  },
};

/** By the names of their operations. */
export const CURVES: Readonly<Record<string, Curve>> = { relu, relu6: ramp(0, 6, 1), hardSigmoid, hardSwish };

/** Rounding of the few operations in float64 below, as a part of the numbers in them. */
const ROUNDING = 2 ** -50;

/** The least and the largest of f(v + z) - f(v) - slope z, with room for rounding. */
export function extremes(
  curve: Curve,
  v: number,
  lower: number,
  upper: number,
  slope: number,
): [least: number, most: number] {
  const [l, u] = [v - lower, v + upper];
  const middle = curve.value(v);
  let [least, most, largest] = [0, 0, Math.abs(v) + Math.abs(curve.kinks[0])];
  const look = (t: number) => {
    const apart = curve.value(t) - middle - slope * (t - v);
    if (apart < least) least = apart;
    if (apart > most) most = apart;
    largest = Math.max(largest, Math.abs(t));
  };
  look(l);
  look(u);
  for (const kink of curve.kinks) if (kink > l && kink < u) look(kink);
  const still = curve.stationary?.(slope);
  if (still !== undefined && still > l && still < u) look(still);
  // Of a number that does not change, nothing does.
  const room = lower === 0 && upper === 0 ? 0 : ROUNDING * largest * (1 + Math.abs(slope));
  return [least - room, most + room];
}
