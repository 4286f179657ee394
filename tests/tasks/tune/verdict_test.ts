import assert from "node:assert/strict";
import { pairedDifference } from "../../../tasks/experiment/statistics.ts";
import type { Evaluator } from "../../../tasks/tune/search.ts";
import { type Configuration, type Lever, Space } from "../../../tasks/tune/space.ts";
import { contrastsOf, failuresOf, type Finding, wordOf } from "../../../tasks/tune/verdict.ts";
import { runVerdict } from "../../../tasks/tune/verdict_runs.ts";

const choice = (name: string, own: string, others: readonly string[], more: Partial<Lever> = {}): Lever =>
  ({
    kind: "choice",
    name,
    own,
    options: new Map(others.map((option) => [option, []])),
    off: null,
    unless: {},
    ...more,
  }) as Lever;
const rate: Lever = {
  kind: "range",
  name: "rate",
  key: ["rate"],
  own: 0.1,
  from: 0.01,
  to: 1,
  scale: "log",
  off: null,
  unless: { cores: ["none"] },
};
const space = new Space([
  choice("start", "mapped", ["last", "fresh"], { off: "fresh" }),
  choice("cores", "3", ["none", "5"], { off: "none" }),
  rate,
  choice("batch", "64", ["32"]),
  choice("pruning", "none", ["half"], { off: "none" }),
]);

Deno.test("each lever alone is set back: to the recipe's where it was moved, to off where it was not", () => {
  const told = (best: Configuration) =>
    contrastsOf(space, best).map(({ lever, best, against, configuration }) => [lever, best, against, configuration]);
  assert.deepEqual(told({ start: "last", rate: 0.3 }), [
    [null, null, null, {}],
    ["start", "last", "mapped", { rate: 0.3 }],
    ["rate", 0.3, 0.1, { start: "last" }],
    // Without chains the rate of cores means nothing, and is left out.
    ["cores", "3", "none", { start: "last", cores: "none" }],
  ]);
  assert.deepEqual(told({}), [
    ["start", "mapped", "fresh", { start: "fresh" }],
    ["cores", "3", "none", { cores: "none" }],
  ]);
  assert.deepEqual(told({ cores: "none" }), [
    ["cores", "none", "3", {}],
    ["start", "mapped", "fresh", { start: "fresh", cores: "none" }],
  ]);
});

Deno.test("a lever that is set back stands where an option of another one has it, and that is said", () => {
  const temperature: Lever = { ...rate, name: "temperature", key: ["losses", 1, "temperature"], own: 4, unless: {} };
  const change = (value: unknown) => [{ path: ["losses", 1], value, label: "test" }];
  const options = new Map([
    ["standardised", change({ use: "logit-standardization", temperature: 2 })],
    ["other", change({ use: "mse-logits" })],
  ]);
  const losses: Lever = { kind: "choice", name: "losses", own: "kd", options, off: null, unless: {} };
  const told = (best: Configuration) =>
    contrastsOf(new Space([losses, temperature]), best).map(({ lever, best, against }) => [lever, best, against]);
  assert.deepEqual(told({ losses: "standardised", temperature: 7.2 }), [
    [null, null, null],
    ["losses", "standardised", "kd"],
    ["temperature", 7.2, 2],
  ]);
  // Where that has no such number, there is none to be told.
  assert.deepEqual(told({ losses: "other", temperature: 7.2 }).at(-1), ["temperature", 7.2, null]);
  assert.deepEqual(told({ temperature: 7.2 }), [["temperature", 7.2, 4]]);
  // An option of a later lever has the last word, and off is where the recipe stands: nothing to be held against.
  const off = new Space([{ ...temperature, off: 4 } as Lever, losses]);
  const last = (best: Configuration) => contrastsOf(off, best).map(({ lever }) => lever);
  assert.deepEqual(last({ losses: "standardised", temperature: 7.2 }), [null, "losses"]);
  assert.deepEqual(last({ losses: "standardised" }), ["losses"]);
});

Deno.test("a lever that stays may be held against another setting than off, which then may be the better one", async () => {
  const epochs = choice("epochs", "10", ["20", "40"], { against: "20" });
  const longer = new Space([epochs, choice("cores", "3", ["none"], { off: "none", against: "none" })]);
  const told = (best: Configuration) =>
    contrastsOf(longer, best).map(({ lever, best, against }) => [lever, best, against]);
  assert.deepEqual(told({}), [["epochs", "10", "20"], ["cores", "3", "none"]]);
  assert.deepEqual(told({ epochs: "20" }), [["epochs", "20", "10"], ["cores", "3", "none"]]);
  const runs = (seed: number): Evaluator<Configuration> => ({
    used: () => 0,
    seconds: () => 1,
    evaluate: ({ epochs }) =>
      Promise.resolve({ score: (epochs ? 0.9 : 0.8) + 0.001 * Math.sin(seed) * (epochs ? 1 : 2) }),
  });
  const { findings } = await runVerdict({ space: longer, best: {}, runs, firstSeed: 1, seconds: 100 });
  assert.deepEqual(findings.map(wordOf), ["better at 20", "all pairs are alike: no interval"]);
});

Deno.test("an interval is Student's over the pairs", () => {
  // By hand: differences 1, 2, 3 have the mean 2 and the deviation 1; t(0.975, 2) = 4.30265.
  const worth = pairedDifference([[5, 4], [7, 5], [10, 7]])!;
  assert.equal(worth.value, 2);
  assert.ok(Math.abs(worth.interval![0] - (2 - 4.30265 / Math.sqrt(3))) < 1e-4);
  assert.ok(Math.abs(worth.interval![1] - (2 + 4.30265 / Math.sqrt(3))) < 1e-4);
  assert.equal(worth.withinNoise, true);
  assert.equal(pairedDifference([[5, 4], [7, 6.01], [10, 8.99]])!.withinNoise, false);
  assert.deepEqual(pairedDifference([[2, 1]]), { value: 1, interval: null, withinNoise: null });
  // Of a coarse metric all pairs may differ by one step: of how much others would, that says nothing.
  const alike = pairedDifference([[0.81, 0.77], [0.64, 0.6], [0.73, 0.69]])!;
  assert.deepEqual([alike.interval, alike.withinNoise], [null, null]);
  assert.equal(
    wordOf({ worth: alike, pairs: 3, failed: { best: 0, against: 0, givenUp: 0 } } as Finding),
    "all pairs are alike: no interval",
  );
  assert.equal(pairedDifference([]), null);
});

/** Runs of ten seconds whose scores are known but for noise of the seed, which both of a pair have. */
function known(lost: (configuration: Configuration, seed: number) => boolean = () => false) {
  let used = 0;
  const runs = (seed: number): Evaluator<Configuration> => ({
    used: () => used,
    seconds: () => 10,
    evaluate(configuration) {
      used += 10;
      if (lost(configuration, seed)) return Promise.resolve({ lost: "its loss is not finite" });
      const { start = "mapped", cores = "3" } = configuration;
      const started = { mapped: 0.8, last: 0.82, fresh: 0.7 }[String(start)]!;
      const own = 0.0005 * Math.sin(7 * seed + String(start).length) + (cores === "none" ? 0.0004 * Math.cos(seed) : 0);
      return Promise.resolve({ score: started + 0.05 * Math.sin(seed) + own });
    },
  });
  return runs;
}

Deno.test("a lever's worth comes out of pairs, however much the seeds differ", async () => {
  const options = { space, best: { start: "last" }, firstSeed: 1, seconds: 1000 };
  const { findings, seeds } = await runVerdict({ ...options, runs: known() });
  assert.deepEqual(seeds, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(findings.map((finding) => [finding.lever, finding.pairs, wordOf(finding)]), [
    ["start", 10, "worth it"],
    ["cores", 10, "within noise"],
  ]);
  const { value, interval } = findings[0].worth!;
  assert.ok(Math.abs(value - 0.02) < 1e-3 && interval![0] > 0.018 && interval![1] < 0.022);
});

Deno.test("what there is no time for is not measured, and says so; a failed run costs its pair", async () => {
  const options = { space, best: { start: "last" }, firstSeed: 1, seconds: 75 };
  const { findings, seeds } = await runVerdict({ ...options, runs: known() });
  assert.deepEqual(findings.map((finding) => [finding.lever, finding.pairs, wordOf(finding)]), [
    ["start", 3, "worth it"],
    ["cores", 0, "not measured: no time"],
  ]);
  assert.deepEqual(seeds, [1, 2, 3]);

  const failing = await runVerdict({ ...options, seconds: 95, runs: known(({ cores }) => cores === "none") });
  assert.equal(wordOf(failing.findings[1]), "does not train without it");
  const once = await runVerdict({
    ...options,
    seconds: 95,
    runs: known(({ start }, seed) => seed === 2 && start === undefined),
  });
  assert.deepEqual(once.findings.map((finding) => [finding.pairs, failuresOf(finding)]), [
    [2, " (without it 1 failed)"],
    [3, ""],
  ]);
  assert.deepEqual([failing.failed, once.failed], [0, 0]);
});

Deno.test("where the best itself fails it is not said of the others, nor of runs that were given up", async () => {
  const options = { space, best: { start: "last" }, firstSeed: 1, seconds: 1e6 };
  const isBest = ({ start, cores }: Configuration) => start === "last" && cores === undefined;
  const always = await runVerdict({ ...options, runs: known(isBest) });
  assert.deepEqual(always.findings.map(wordOf), Array(2).fill("the best itself does not train"));
  assert.equal(always.failed, always.seeds.length);
  const once = await runVerdict({ ...options, runs: known((own, seed) => seed === 2 && isBest(own)) });
  assert.deepEqual(once.findings.map(failuresOf), Array(2).fill(" (the best failed 1x)"));
  assert.equal(once.failed, 1);
  const left = known(({ cores }) => cores === "none");
  const runs = (seed: number): Evaluator<Configuration> => ({
    ...left(seed),
    async evaluate(...asked) {
      const evaluated = await left(seed).evaluate(...asked);
      return "lost" in evaluated ? { ...evaluated, givenUp: true } : evaluated;
    },
  });
  const given = await runVerdict({ ...options, runs });
  assert.deepEqual(given.findings.map(wordOf), ["worth it", "not measured: given up"]);
});

Deno.test("several workers come to the same verdict, in whatever order runs end", async () => {
  const options = { space, best: { start: "last" }, firstSeed: 1, seconds: 1e6 };
  const alone = await runVerdict({ ...options, runs: known() });
  let [underWay, most] = [0, 0];
  const several = known();
  const runs = (seed: number): Evaluator<Configuration> => ({
    ...several(seed),
    workers: () => 5,
    async evaluate(configuration, resource) {
      most = Math.max(most, ++underWay);
      const evaluated = await several(seed).evaluate(configuration, resource);
      for (let turn = 0; turn < (7 * seed + JSON.stringify(configuration).length) % 5; turn++) await Promise.resolve();
      underWay--;
      return evaluated;
    },
  });
  assert.deepEqual(await runVerdict({ ...options, runs }), alone);
  assert.equal(most, 5);
});
