import assert from "node:assert/strict";
import { shared } from "../../../tasks/tune/at_once.ts";
import { decide, type Finalist } from "../../../tasks/tune/decide.ts";
import type { Evaluator } from "../../../tasks/tune/search.ts";
import type { Configuration } from "../../../tasks/tune/space.ts";

const finalist = (trial: number, score: number): Finalist => ({
  trial,
  score,
  configuration: trial === 0 ? {} : { rate: trial },
});

/** Runs of ten seconds: what a trial is worth, and what it owes to a seed. */
function runsOf(worth: (trial: number, seed: number) => number | null) {
  const done: string[] = [];
  const runs = (seed: number): Evaluator<Configuration> => ({
    used: () => 10 * done.length,
    seconds: () => 10,
    evaluate({ rate = 0 }) {
      done.push(`${rate}@${seed}`);
      const score = worth(Number(rate), seed);
      return Promise.resolve(score === null ? { lost: "its loss is not finite" } : { score });
    },
  });
  return { runs, done };
}

const finalists = [finalist(5, 0.9), finalist(2, 0.89), finalist(0, 0.88), finalist(7, 0.87), finalist(8, 0.86)];

Deno.test("the best of one seed is held to two more, beside the recipe and the next two", async () => {
  const { runs, done } = runsOf((trial) => ({ 5: 0.8, 0: 0.85, 2: 0.87, 7: 0.9 })[trial]!);
  const decided = await decide({ finalists, runs, firstSeed: 4, seconds: 1000 });
  assert.deepEqual(done, ["5@4", "5@5", "0@4", "0@5", "2@4", "2@5", "7@4", "7@5"]);
  const means = [[7, 0.89], [2, (0.89 + 2 * 0.87) / 3], [0, 0.86], [5, (0.9 + 2 * 0.8) / 3]];
  assert.deepEqual(decided.map(({ trial }) => trial), means.map(([trial]) => trial));
  decided.forEach(({ mean }, index) => assert.ok(Math.abs(mean! - means[index][1]) < 1e-12));
});

Deno.test("of equals the recipe wins; one of which a run fails does not", async () => {
  const equal = [finalist(5, 0.9), finalist(0, 0.9), finalist(2, 0.8)];
  const { runs } = runsOf((trial, seed) => trial === 2 && seed === 5 ? null : 0.9);
  const decided = await decide({ finalists: equal, runs, firstSeed: 4, seconds: 1000 });
  assert.deepEqual(decided.map(({ trial, mean }) => [trial, mean !== null]), [[0, true], [5, true], [2, false]]);
});

Deno.test("where there is no time for two of them the search's order stays, and nothing is begun for one alone", async () => {
  const { runs, done } = runsOf(() => 0.1);
  const decided = await decide({ finalists, runs, firstSeed: 4, seconds: 39 });
  assert.deepEqual(decided.map(({ trial, mean }) => [trial, mean]), [[5, null], [2, null], [0, null], [7, null]]);
  assert.deepEqual(done, []);
  const alone = await decide({ finalists: [finalist(0, 0.9)], runs, firstSeed: 4, seconds: 1000 });
  assert.deepEqual([alone.map(({ trial }) => trial), done], [[0], []]);
});

Deno.test("several workers decide the same, and in the time that they have for more", async () => {
  const worth = (trial: number) => ({ 5: 0.8, 0: 0.85, 2: 0.87, 7: 0.9 })[trial]!;
  const alone = await decide({ finalists, runs: runsOf(worth).runs, firstSeed: 4, seconds: 1000 });
  let [underWay, most, now] = [0, 0, 0];
  const runs = (seed: number): Evaluator<Configuration> => ({
    used: () => now,
    seconds: () => 10,
    workers: () => 4,
    async evaluate({ rate = 0 }) {
      most = Math.max(most, ++underWay);
      // Those of later trials end first.
      for (let turn = 0; turn < 9 - Number(rate) + seed; turn++) await Promise.resolve();
      if (--underWay === 0) now += 10;
      return { score: worth(Number(rate)) };
    },
  });
  // Eight runs of 10 s in 20 s.
  const decided = await decide({ finalists, runs, firstSeed: 4, seconds: 20 });
  assert.deepEqual([decided, most], [alone, 4]);
});

Deno.test("no further finalist is begun that would end too late, as the first two are still at work", async () => {
  // The first two are four runs of 10 s; a third beside them has one free worker for its two.
  for (const [workers, seconds, runs, end] of [[5, 15, 4, 10], [5, 20, 8, 20], [8, 15, 8, 10]]) {
    let [now, underWay] = [0, 0];
    const ends: (() => void)[] = [];
    const begun: string[] = [];
    const pass = async () => {
      // All that is begun at one time ends at one time.
      for (let turn = 0; turn < 9; turn++) await Promise.resolve();
      now += 10;
      ends.splice(0).forEach((end) => end());
    };
    const evaluators = (seed: number): Evaluator<Configuration> => ({
      used: () => now,
      seconds: () => 10,
      workers: () => workers,
      async evaluate({ rate = 0 }) {
        begun.push(`${rate}@${seed}`);
        if (underWay++ === 0) void pass();
        await new Promise<void>((resolve) => ends.push(resolve));
        underWay--;
        return { score: 0.5 };
      },
    });
    await decide({ finalists, runs: evaluators, firstSeed: 4, seconds });
    assert.deepEqual([begun.length, now], [runs, end], `${workers} workers, ${seconds} s`);
  }
});

Deno.test("the best is decided beside the recipe, also where its own runs take longer than was expected", async () => {
  const { runs, done } = runsOf(() => 0.5);
  const slow = (seed: number): Evaluator<Configuration> => ({ ...runs(seed), used: () => 20 * done.length });
  const decided = await decide({ finalists, runs: slow, firstSeed: 4, seconds: 45 });
  assert.deepEqual(done, ["5@4", "5@5", "0@4", "0@5"]);
  assert.deepEqual(decided.filter(({ mean }) => mean !== null).map(({ trial }) => trial), [5, 0]);
});

Deno.test("of runs by several workers the last waits for its turn", () => {
  assert.deepEqual([shared(30, 3, 1), shared(30, 3, 2), shared(40, 4, 2), shared(10, 1, 4)], [30, 20, 20, 10]);
  assert.deepEqual([shared(20, 2, 2), shared(20, 2, 2, 1)], [10, 20]);
});
