import assert from "node:assert/strict";
import { pairMetrics, vectorAgreement } from "../../../core/evaluate/vectors.ts";
import { examplesOf, inPairs, pairsAmong } from "../../../core/plugin/pairs.ts";

const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);

Deno.test("pairs are measured by the cosines of their vectors", () => {
  // Cosines 0, 1 / sqrt 2 and -1, whatever the lengths.
  const vectors = [1, 0, 0, 5, 3, 3, -2, 0];
  const pairs = {
    first: Uint32Array.of(0, 0, 0),
    second: Uint32Array.of(1, 2, 3),
    scores: Float32Array.of(3, 4, 1),
  };
  const { spearman, pearson } = pairMetrics(vectors, 4, pairs);
  close(spearman, 1);
  const [a, b] = [[0, Math.SQRT1_2, -1], [3, 4, 1]];
  const centred = (values: number[]) => values.map((x) => x - values.reduce((sum, value) => sum + value) / 3);
  const [x, y] = [centred(a), centred(b)];
  const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  close(pearson, dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)));
  close(pairMetrics(vectors, 4, { ...pairs, scores: Float32Array.of(2, 1, 3) }).spearman, -1);
});

Deno.test("agreement is the mean cosine, and of other widths that of similarities", () => {
  close(vectorAgreement([1, 0, 0, 2], [3, 0, 2, 0], 2), 0.5);
  close(vectorAgreement([1, 0, 0, 0], [3, 0, 2, 0], 2), 0.5);
  // Cosines of neighbours: 0, 1 and -1 of the one; 0, 0.5 and -0.5 of the other.
  const wide = [1, 0, 0, 0, 1, 0, 0, 1, 0, 0, -1, 0];
  const half = Math.sqrt(3) / 2;
  const narrow = [1, 0, 0, 1, half, 0.5, -1, 0].map((x) => 7 * x);
  const expected = vectorAgreement(wide, narrow, 4);
  assert.ok(expected > 0.9 && expected < 1, `${expected}`);
  close(vectorAgreement(wide, wide.flatMap((x, i) => i % 3 === 2 ? [x, 0] : [x]), 4), 1);
});

Deno.test("of pairs those stay of which both texts are chosen", () => {
  const pairs = { first: Uint32Array.of(0, 2, 4), second: Uint32Array.of(1, 3, 0), scores: Float32Array.of(1, 2, 3) };
  assert.deepEqual(pairsAmong(pairs, Uint32Array.of(4, 3, 0, 2)), {
    first: Uint32Array.of(3, 0),
    second: Uint32Array.of(1, 2),
    scores: Float32Array.of(2, 3),
  });
  assert.deepEqual(inPairs(pairs, 6), Uint8Array.of(1, 1, 1, 1, 1, 0));
  assert.deepEqual(examplesOf(pairs, [2, 0]), Uint32Array.of(0, 1, 4));
});
