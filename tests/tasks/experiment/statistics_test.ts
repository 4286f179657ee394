import assert from "node:assert/strict";
import { differenceOf, halfWidth, momentsOf } from "../../../tasks/experiment/statistics.ts";
import { tQuantile } from "../../../tasks/experiment/student_t.ts";

const near = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

Deno.test("quantiles of t are those of printed tables, of fractional degrees too", () => {
  const known = [[1, 12.706205], [2, 4.302653], [4, 2.776445], [10, 2.228139], [30, 2.042272], [1e6, 1.959966]];
  for (const [degrees, quantile] of known) {
    near(tQuantile(0.975, degrees), quantile, 2e-6);
    near(tQuantile(0.025, degrees), -quantile, 2e-6);
  }
  near(tQuantile(0.95, 5), 2.015048);
  near(tQuantile(0.5, 3), 0);
  // With 2 degrees of freedom t = (2 p - 1) / sqrt(2 p (1 - p)).
  near(tQuantile(0.9, 2), 0.8 / Math.sqrt(0.18), 1e-9);
  assert.ok(tQuantile(0.975, 2.5) < tQuantile(0.975, 2) && tQuantile(0.975, 2.5) > tQuantile(0.975, 3));
  for (const [probability, degrees] of [[0, 1], [1, 1], [0.5, 0], [NaN, 1]]) {
    assert.throws(() => tQuantile(probability, degrees), RangeError);
  }
});

Deno.test("mean and deviation of a sample", () => {
  assert.deepEqual(momentsOf([2, 4, 4, 4, 5, 5, 7, 9]), { count: 8, mean: 5, deviation: Math.sqrt(32 / 7) });
  assert.deepEqual(momentsOf([3]), { count: 1, mean: 3, deviation: null });
  assert.equal(momentsOf([]), null);
});

Deno.test("the interval of a difference is Welch's, and noise is what holds 0", () => {
  const row = momentsOf([4, 6, 8])!, baseline = momentsOf([1, 2, 3])!;
  // Variances 4 and 1 over 3 runs: standard error sqrt(5 / 3), (5/3)^2 / ((16/9 + 1/9) / 2) = 50 / 17 degrees.
  const { value, interval, withinNoise } = differenceOf(row, baseline);
  assert.equal(value, 4);
  const half = tQuantile(0.975, 50 / 17) * Math.sqrt(5 / 3);
  near(interval![0], 4 - half);
  near(interval![1], 4 + half);
  assert.equal(withinNoise, true);
  assert.equal(differenceOf(momentsOf([14, 16, 18])!, baseline).withinNoise, false);
});

Deno.test("one run has no interval, and neither have runs that are all alike, whose noise nobody has seen", () => {
  const none = (value: number) => ({ value, interval: null, withinNoise: null });
  assert.deepEqual(differenceOf(momentsOf([3])!, momentsOf([1, 2])!), none(1.5));
  assert.deepEqual(differenceOf(momentsOf([3, 3])!, momentsOf([1, 1])!), none(2));
  assert.deepEqual(differenceOf(momentsOf([1, 1])!, momentsOf([1, 1])!), none(0));
  // Sums of equal numbers round.
  const third = momentsOf([0.1, 0.1, 0.1])!;
  assert.deepEqual(differenceOf(momentsOf([0.7, 0.7, 0.7])!, third).interval, null);
  assert.equal(halfWidth(third), null);
  // One sample that spreads has the interval of its mean.
  const half = halfWidth(momentsOf([4, 6, 8])!)!;
  near(half, 4.302653 * 2 / Math.sqrt(3), 1e-5);
  near(differenceOf(momentsOf([4, 6, 8])!, momentsOf([1, 1, 1])!).interval![0], 5 - half);
});
