import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import { Asha } from "../../../tasks/tune/asha.ts";
import { type Evaluator, resourcesFor, search } from "../../../tasks/tune/search.ts";
import { type Configuration, type Lever, Space, Trials } from "../../../tasks/tune/space.ts";

const range = (name: string, own: number, from: number, to: number): Lever => ({
  kind: "range",
  name,
  key: [name],
  own,
  from,
  to,
  scale: "log",
  off: null,
  unless: {},
});
const start: Lever = {
  kind: "choice",
  name: "start",
  own: "fresh",
  options: new Map([["first", []], ["last", []]]),
  off: null,
  unless: {},
};
const space = new Space([start, range("rate", 0.02, 0.01, 1), range("decay", 1e-3, 1e-5, 1e-1)]);

/** A surface with its best point at the start "last", a rate of 0.3 and a decay of 1e-4, where it is 0.9. */
function whole(configuration: Configuration): number {
  const rate = Number(configuration.rate ?? 0.02), decay = Number(configuration.decay ?? 1e-3);
  const started = { fresh: -0.06, first: -0.02, last: 0 }[String(configuration.start ?? "fresh")]!;
  return 0.9 + started - 0.08 * Math.log10(rate / 0.3) ** 2 - 0.02 * Math.log10(decay / 1e-4) ** 2;
}

/**
 * Made-up trainings of ten seconds: accuracy comes in as a power law, high rates later than low ones, and what is seen
 * of it is a little off, the less the longer it trains.
 */
function surface(seed: number): Evaluator<Configuration> & { readonly trained: Set<string> } {
  let used = 0;
  const trained = new Set<string>();
  return {
    trained,
    used: () => used,
    seconds: (_, resource) => 10 * resource,
    evaluate(configuration, resource) {
      used += 10 * resource;
      trained.add(JSON.stringify(configuration));
      const late = 0.2 + 0.05 * Math.log10(Number(configuration.rate ?? 0.02) / 0.01);
      const noise = 0.01 * new Random(seed).split(JSON.stringify(configuration)).split(`${resource}`).normal();
      return Promise.resolve({ score: whole(configuration) - late * (1 - resource) ** 2 + noise * (1.2 - resource) });
    },
  };
}

/** Searches for so many seconds. @returns the true score of what was found */
async function found(seed: number, resources: readonly number[], seconds: number) {
  const [asha, trials, evaluator] = [
    new Asha({ rungs: resources.length, unconditional: 1 }),
    new Trials(space, seed),
    surface(seed),
  ];
  await search({ asha, resources, configuration: (trial) => trials.at(trial), evaluator, seconds });
  assert.ok(evaluator.used() <= seconds + 1e-9, "it ends in time");
  const best = trials.at(asha.best!)!;
  return { best, score: whole(best), trials: asha.begun, distinct: evaluator.trained.size };
}

const seeds = [1, 2, 3, 4, 5];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("on a made-up surface the search finds the best point within tolerance", async () => {
  for (const seed of seeds) {
    const { best, score } = await found(seed, [1 / 9, 1 / 3, 1], 1000);
    assert.equal(best.start, "last");
    assert.ok(score > 0.875, `seed ${seed}: ${score} at ${JSON.stringify(best)}`);
    assert.ok(Number(best.rate) > 0.12 && Number(best.rate) < 0.8, `seed ${seed}: rate ${best.rate}`);
  }
});

Deno.test("at the same budget it beats random search over five seeds, and tries more", async () => {
  const [halving, random] = await Promise.all(
    [[1 / 9, 1 / 3, 1], [1]].map((resources) => Promise.all(seeds.map((seed) => found(seed, resources, 150)))),
  );
  const gain = seeds.map((_, index) => halving[index].score - random[index].score);
  assert.ok(mean(gain) > 0.005, `gains ${gain.map((value) => value.toFixed(4))}`);
  assert.ok(gain.filter((value) => value >= 0).length >= 4, `gains ${gain.map((value) => value.toFixed(4))}`);
  assert.ok(halving.every(({ trials }, index) => trials > random[index].trials));
});

Deno.test("several workers at once end with every piece of work reported", async () => {
  const asha = new Asha({ rungs: 3, unconditional: 1 });
  const trials = new Trials(space, 7);
  const base = surface(7);
  let [atOnce, most] = [0, 0];
  const evaluator: Evaluator<Configuration> = {
    ...base,
    workers: () => 4,
    async evaluate(configuration, resource) {
      most = Math.max(most, ++atOnce);
      const evaluated = await base.evaluate(configuration, resource);
      // Turns of the loop, more for some: they end in another order than they began.
      for (let turn = 0; turn < JSON.stringify(configuration).length % 7; turn++) await Promise.resolve();
      atOnce--;
      return evaluated;
    },
  };
  const told: string[] = [];
  await search({
    asha,
    resources: [1 / 9, 1 / 3, 1],
    configuration: (trial) => trials.at(trial),
    evaluator,
    seconds: 300,
    ended: ({ trial, rung }) => told.push(`${trial}@${rung}`),
  });
  assert.equal(most, 4);
  assert.equal(new Set(told).size, told.length);
  assert.equal(atOnce, 0);
  assert.ok(asha.best !== null && whole(trials.at(asha.best)!) > 0.86);
});

Deno.test("a space with few configurations is tried out, each once", async () => {
  const small = new Space([start]);
  const [asha, trials, evaluator] = [new Asha({ rungs: 1 }), new Trials(small, 1), surface(1)];
  await search({ asha, resources: [1], configuration: (trial) => trials.at(trial), evaluator, seconds: 1e6 });
  assert.equal(asha.begun, 3);
  assert.deepEqual(trials.at(0), {});
  assert.equal(trials.at(3), null);
});

Deno.test("a trial is begun only where there is time for all of it", async () => {
  // A trial takes 1.1 s, 3.3 s and 10 s; time is left for the first of a second one, and not for the rest.
  for (const [seconds, begun] of [[14.4, 0], [20, 1], [29, 2]]) {
    const [asha, trials, evaluator] = [new Asha({ rungs: 3, unconditional: 1 }), new Trials(space, 1), surface(1)];
    const options = { resources: [1 / 9, 1 / 3, 1], configuration: (trial: number) => trials.at(trial), evaluator };
    await search({ asha, ...options, seconds });
    assert.deepEqual([seconds, asha.begun], [seconds, begun]);
    assert.ok(evaluator.used() <= seconds);
  }
});

Deno.test("parts of a training end with whole epochs", () => {
  assert.deepEqual(resourcesFor(10, 3, 3), [1 / 9, 1 / 3, 1]);
  assert.deepEqual(resourcesFor(8, 3, 3), [1 / 3, 1]);
  assert.deepEqual(resourcesFor(3, 3, 3), [1 / 3, 1]);
  assert.deepEqual(resourcesFor(2, 3, 3), [1]);
});
