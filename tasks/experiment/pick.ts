/** How good a number of cores is, by validation. */
export interface SweepPoint {
  /** For people: `n = 5`. */
  readonly name: string;
  /** Parameters in training over those at inference. */
  readonly increaseRate: number;
  /** On validation examples, in points: percent. Larger is better. */
  readonly score: number;
}

/** Which point was picked, and why in one sentence. */
export interface Pick {
  readonly point: SweepPoint;
  readonly reason: string;
}

/**
 * The smallest model in training that is within a tolerance of the best on validation.
 *
 * @param points in any order
 * @param tolerance points of score, 0 or more
 * @throws RangeError without points
 *
 * @example
 * ```ts
 * const points = [
 *   { name: "n = 2", increaseRate: 1.36, score: 86.5 },
 *   { name: "n = 5", increaseRate: 2.43, score: 87.8 },
 * ];
 * pickSmallest(points, 0.15).point.name; // "n = 5"
 * ```
 */
export function pickSmallest(points: readonly SweepPoint[], tolerance: number): Pick {
  if (points.length === 0) throw new RangeError("Cannot pick the smallest of no points");
  const best = points.reduce((best, point) => point.score > best.score ? point : best);
  // Scores are sums of rounded numbers: one that lies on the bound is within it.
  const within = points.filter(({ score }) => score >= best.score - tolerance - 1e-9);
  const point = within.reduce((small, next) => next.increaseRate < small.increaseRate ? next : small);
  const shown = ({ score }: SweepPoint) => score.toFixed(2);
  const size = `${point.increaseRate.toFixed(2)} times the parameters`;
  const reason = point === best
    ? `${point.name} (${size}) is picked: the best on validation (${shown(point)}), and nothing smaller is within ` +
      `${tolerance} of it`
    : `${point.name} (${size}) is picked: the smallest within ${tolerance} of the best on validation (${
      shown(point)
    } ` +
      `to ${shown(best)} of ${best.name} with ${best.increaseRate.toFixed(2)} times)`;
  return { point, reason };
}
