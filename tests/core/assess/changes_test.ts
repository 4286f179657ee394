import assert from "node:assert/strict";
import { IMAGE_CHANGES } from "../../../core/assess/robustness/image_changes.ts";
import { withoutTokens, withTypos } from "../../../core/assess/robustness/text_changes.ts";
import { someExamples } from "../../../core/assess/some_examples.ts";
import { Random } from "../../../core/data/random.ts";

const named = (name: string) => IMAGE_CHANGES.find((change) => change.name === name)!;

const image = (values: Float32Array) => ({ values, height: 5, width: 5, channels: 2 });

const spread = Float32Array.from({ length: 50 }, (_, at) => (at * 7 % 50) / 50);

const close = (own: Float32Array, right: Float32Array, by: number) =>
  own.forEach((value, at) => assert.ok(Math.abs(value - right[at]) <= by, `${at}: ${value} is not ${right[at]}`));

Deno.test("a grey image stays as it is under blur, contrast and shift, and its mean under noise nearly", () => {
  const grey = new Float32Array(50).fill(0.5);
  for (const name of ["blur", "contrast", "shift"]) {
    close(named(name).apply(image(grey), 2, new Random(1)), grey, 1e-6);
  }
  const noisy = named("noise").apply(image(grey), 0.05, new Random(1));
  const mean = noisy.reduce((sum, value) => sum + value, 0) / 50;
  assert.ok(Math.abs(mean - 0.5) < 0.03 && noisy.some((value) => value !== 0.5));
});

Deno.test("a shift moves pixels by as many as it says, and the edge goes on", () => {
  const bright = new Float32Array(50);
  bright[2 * (2 * 5 + 2)] = 1;
  const places = new Set<number>();
  for (let seed = 0; seed < 60; seed++) {
    const moved = named("shift").apply(image(bright), 1, new Random(seed));
    const at = moved.indexOf(1);
    assert.deepEqual([at % 2, moved.filter((value) => value === 1).length], [0, 1]);
    places.add(at / 2);
  }
  assert.deepEqual([...places].sort((a, b) => a - b), [6, 7, 8, 11, 13, 16, 17, 18]);
});

Deno.test("blur spreads one pixel as the Gaussian has it, and no contrast is the mean", () => {
  const bright = new Float32Array(50);
  bright[2 * 12] = 1;
  const blurred = named("blur").apply(image(bright), 0.5, new Random(1));
  const weights = [-2, -1, 0, 1, 2].map((x) => Math.exp(-2 * x * x));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const right = Float32Array.from(
    { length: 50 },
    (_, at) => at % 2 ? 0 : weights[(at / 2) % 5] * weights[Math.floor(at / 10)] / sum ** 2,
  );
  close(blurred, right, 1e-6);
  const mean = spread.reduce((total, value) => total + value, 0) / 50;
  close(named("contrast").apply(image(spread), 1, new Random(1)), new Float32Array(50).fill(mean), 1e-6);
});

Deno.test("a strength of 0 changes no image and no text", () => {
  for (const { name, apply } of IMAGE_CHANGES) {
    if (name !== "blur") close(apply(image(spread), 0, new Random(1)), spread, 1e-7);
  }
  const tokens = { tokens: [1, 5, 6, 7, 2], types: [0, 0, 0, 0, 0] };
  assert.deepEqual(withoutTokens(tokens, 0, new Random(1)), tokens);
  assert.equal(withTypos("Free entry, win!", 0, new Random(1)), "Free entry, win!");
});

Deno.test("left out tokens are of the rate that is asked for, never marks, and more with a higher rate", () => {
  const tokens = [101, ...Array.from({ length: 400 }, (_, at) => at), 102, 7, 8, 102];
  const types = tokens.map((_, at) => at > 401 ? 1 : 0);
  const left = [0.1, 0.4, 1].map((rate) => withoutTokens({ tokens, types }, rate, new Random(3)));
  assert.deepEqual(left[2], { tokens: [101, 101, 102, 102, 102], types: [0, 0, 0, 0, 1] });
  assert.ok(Math.abs(left[0].tokens.length - 360) < 20 && Math.abs(left[1].tokens.length - 240) < 30);
  const kept = new Set(left[0].tokens);
  assert.ok(left[1].tokens.every((token) => kept.has(token)), "what a higher rate leaves, a lower one does");
  assert.deepEqual(left[0], withoutTokens({ tokens, types }, 0.1, new Random(3)));
});

Deno.test("typing errors change one letter or two of a word, and leave all else", () => {
  const words = Array.from({ length: 300 }, () => "kitchen").join(" ");
  const typed = withTypos(`a, ${words}! 12`, 1, new Random(2));
  assert.ok(typed.startsWith("a, ") && typed.endsWith("! 12"));
  const changed = typed.slice(3, -4).split(" ");
  assert.ok(!changed.includes("kitchen"));
  assert.ok(changed.includes("ktichen"), "letters change places");
  const kinds = changed.map((word) => word.length);
  assert.equal(kinds.length, 300);
  for (const length of [6, 7, 8]) assert.ok(kinds.filter((own) => own === length).length > 40, `${length}`);
  assert.equal(withTypos("ab", 1, new Random(1)) === "ab", false);
});

Deno.test("the examples that are looked at are drawn by the seed, in their order", () => {
  assert.deepEqual([...someExamples(4, null, 1)], [0, 1, 2, 3]);
  assert.deepEqual([...someExamples(4, 9, 1)], [0, 1, 2, 3]);
  const some = someExamples(1000, 50, 1);
  assert.deepEqual(some, someExamples(1000, 50, 1));
  assert.notDeepEqual(some, someExamples(1000, 50, 2));
  assert.deepEqual(some, Uint32Array.from(some).sort());
  assert.equal(new Set(some).size, 50);
});
