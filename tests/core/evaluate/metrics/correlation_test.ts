import assert from "node:assert/strict";
import { pearson, spearman } from "../../../../core/evaluate/metrics/correlation.ts";

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);

Deno.test("Pearson's coefficient is that of a straight line, whatever its scale", () => {
  near(pearson([1, 2, 3, 4], [10, 8, 6, 4]), -1);
  near(pearson([1, 2, 3], [1, 3, 2]), 0.5);
  near(pearson([1, 2, 3], [7, 7, 7]), 0);
});

Deno.test("Spearman's coefficient is 1 for any rising curve and shares the ranks of equal values", () => {
  near(spearman([1, 2, 3, 4], [1, 10, 100, 1000]), 1);
  // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
  near(spearman([1, 2, 2, 3], [1, 2, 3, 4]), 4.5 / Math.sqrt(4.5 * 5));
});
