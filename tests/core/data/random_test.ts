import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";

function draw<T>(count: number, next: () => T): T[] {
  return Array.from({ length: count }, next);
}

/** The first numbers of a stream, by which it is told from others. */
const numbersOf = (random: Random) => draw(4, () => random.uint32());

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** xoshiro128** 1.1 as its authors write it down, from a state of four words. */
function* xoshiro(state: readonly number[]): Generator<number> {
  const s = Uint32Array.from(state);
  const rotated = (x: number, by: number) => (x << by) | (x >>> (32 - by));
  while (true) {
    yield Math.imul(rotated(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 11);
  }
}

Deno.test("the numbers are those of the authors' C program, the state filled as splitmix32 in C does", () => {
  const authors = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
  assert.deepEqual([...xoshiro([1, 2, 3, 4]).take(10)], authors);
  const known: [seed: number, words: number[], next: number[]][] = [
    [0, [1684164658, 3653269916, 2939563536, 2141751570], [1789933344, 44971166, 2521387044, 3848737593]],
    [42, [551831576, 144025891, 322543647, 3034809370], [660444221, 3652823732, 77672526, 910233633]],
    [2 ** 32 - 1, [3950124170, 4293442868, 1302505678, 2762329221], [4104197751, 1825856343, 1152209388, 2427537429]],
  ];
  for (const [seed, words, next] of known) {
    const random = new Random(seed);
    assert.deepEqual(draw(4, () => random.uint32()), next);
    assert.deepEqual(draw(100, () => random.uint32()), [...xoshiro(words).drop(4).take(100)]);
  }
});

Deno.test("uniform numbers lie in [0, 1) with the mean and variance of the uniform distribution", () => {
  const random = new Random(1);
  const values = draw(100_000, () => random.uniform());
  assert.ok(values.every((value) => value >= 0 && value < 1));
  // Five standard errors: 0.2887 / sqrt(100000) and 0.0745 / sqrt(100000).
  assert.ok(Math.abs(mean(values) - 1 / 2) < 0.0046);
  assert.ok(Math.abs(mean(values.map((value) => (value - 0.5) ** 2)) - 1 / 12) < 0.0012);
});

Deno.test("normal numbers have the moments of the standard normal distribution", () => {
  const random = new Random(2);
  const values = draw(100_000, () => random.normal());
  // Five standard errors of each moment at this count: sqrt(1, 2, 15 and 96 over 100000).
  assert.ok(Math.abs(mean(values)) < 0.016);
  assert.ok(Math.abs(mean(values.map((value) => value ** 2)) - 1) < 0.023);
  assert.ok(Math.abs(mean(values.map((value) => value ** 3))) < 0.062);
  assert.ok(Math.abs(mean(values.map((value) => value ** 4)) - 3) < 0.155);
});

Deno.test("numbers below a limit are equally likely", () => {
  const random = new Random(3);
  const counts = new Uint32Array(6);
  for (let i = 0; i < 60_000; i++) counts[random.below(6)]++;
  // Chi-squared with 5 degrees of freedom is above 25.7 once in 10000.
  const chiSquared = [...counts].reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chiSquared < 25.7, `chi-squared ${chiSquared}`);
});

Deno.test("a limit of three quarters of the range has no bias towards small numbers", () => {
  // By a plain remainder half of the draws would fall into the lowest third.
  const random = new Random(4);
  const limit = 3 * 2 ** 30;
  const low = draw(30_000, () => random.below(limit)).filter((value) => value < limit / 3).length;
  assert.ok(Math.abs(low - 10_000) < 5 * Math.sqrt(30_000 * (1 / 3) * (2 / 3)), `${low} of 30000`);
});

Deno.test("the limits at the ends of the range work", () => {
  const random = new Random(5);
  assert.deepEqual(draw(3, () => random.below(1)), [0, 0, 0]);
  assert.equal(new Random(6).below(2 ** 32), new Random(6).uint32());
});

Deno.test("a shuffle keeps the values, and each of the 24 orders of 4 is equally likely", () => {
  const random = new Random(6);
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = random.shuffle([0, 1, 2, 3]).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  assert.ok([...counts.keys()].every((order) => order.split(",").sort().join() === "0,1,2,3"));
  // Chi-squared with 23 degrees of freedom is above 56.6 once in 10000.
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquared < 56.6, `chi-squared ${chiSquared}`);
});

Deno.test("a shuffle works in place, on arrays and on indices", () => {
  const indices = Uint32Array.from({ length: 100 }, (_, index) => index);
  assert.equal(new Random(0).shuffle(indices), indices);
  assert.notDeepEqual([...indices], [...indices].sort((a, b) => a - b));
  assert.deepEqual(new Random(0).shuffle([...indices.keys()]), [...indices]);
});

Deno.test("a stream depends on the seed and the label, not on what was drawn before", () => {
  const fresh = numbersOf(new Random(8).split("shuffle"));
  const used = new Random(8);
  draw(10, () => used.uint32());
  assert.deepEqual(numbersOf(used.split("shuffle")), fresh);
  assert.notDeepEqual(numbersOf(new Random(9).split("shuffle")), fresh);
});

Deno.test("streams stay the same from one version to the next, or old recipes would give other results", () => {
  // Computed by an implementation of the same definition in Python.
  const random = new Random(42);
  for (const [label, seed] of [[5, 1797244045], ["shuffle", 2954640748], ["é", 929342067]] as const) {
    assert.deepEqual(numbersOf(random.split(label)), numbersOf(new Random(seed)));
    assert.deepEqual(numbersOf(random.split(label).split("again")), numbersOf(new Random(seed).split("again")));
  }
});

Deno.test("labels that look alike give different streams", () => {
  const random = new Random(10);
  const streams = [
    random,
    random.split(""),
    random.split(0),
    random.split("a"),
    random.split("b"),
    random.split("ab"),
    random.split("ba"),
    random.split("a").split("b"),
    random.split("1"),
    random.split(1),
    random.split(1).split(97),
    random.split(1).split(2),
    random.split(2).split(1),
    random.split(3),
  ];
  assert.equal(new Set(streams.map((stream) => numbersOf(stream).join())).size, streams.length);
});

Deno.test("streams of successive numbers are not correlated", () => {
  const random = new Random(11);
  const firsts = Array.from({ length: 20_000 }, (_, label) => random.split(label).uniform() - 0.5);
  const products = firsts.slice(1).map((value, index) => value * firsts[index]);
  // Five standard errors: 1 / 12 / sqrt(20000).
  assert.ok(Math.abs(mean(products)) < 0.003);
  assert.ok(Math.abs(mean(firsts)) < 0.0103);
});

Deno.test("a seed, limit or label that cannot be is refused", () => {
  const random = new Random(0);
  for (const bad of [-1, 0.5, 2 ** 32, NaN, Infinity]) {
    assert.throws(() => new Random(bad), RangeError);
    assert.throws(() => random.split(bad), RangeError);
  }
  for (const bad of [0, -1, 1.5, 2 ** 32 + 1, NaN]) assert.throws(() => random.below(bad), RangeError);
});
