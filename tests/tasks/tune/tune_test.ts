import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { kindOfPath } from "../../../core/files.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { readTuning } from "../../../tasks/report/read_tuning.ts";
import { prepareTuning, tune, type TuningOptions } from "../../../tasks/tune/run_tuning.ts";
import { readTuned } from "../../../tasks/tune/tuned_recipe.ts";
import { type FakeOutput, fakeOutput } from "../../support/fake_output.ts";
import { lossThat } from "../../support/hostile_plugin.ts";
import { runHere } from "../../support/run_here.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { never, readJson, short, withTiny } from "./tiny.ts";

/** How {@link tune} is called, in the folder "out". */
const optionsIn = (folder: string, backend: CpuBackend, out: FakeOutput): TuningOptions => ({
  folder: join(folder, "out"),
  clock: () => 0,
  started: 0,
  budget: 1,
  verdict: 0.5,
  search: "asha",
  space: join(folder, "space.yaml"),
  resume: false,
  report: false,
  quiet: false,
  backend,
  builtins,
  signal: never,
  out,
  warnings: out,
  tell: out.line,
  sent: null,
});

Deno.test("tune writes the best recipe, its student and a verdict, in its time; --resume decides the same again", () =>
  withTiny(async (folder, file, backend) => {
    const out = join(folder, "out");
    // One core is a plain weight, which trains quicker.
    await Deno.writeTextFile(file, short.replace("cores: 3", "cores: 1"));
    await Deno.writeTextFile(
      join(folder, "space.yaml"),
      `levers:
  learning rate: { key: train.optimiser.learningRate, from: 0.02, to: 0.2 }
  batch: { key: train.batchSize, values: [12, 36] }
`,
    );
    const run = async (budget: number, more: Partial<TuningOptions> = {}) => {
      const told = fakeOutput();
      let [now, tick] = [0, 0.02];
      const options: TuningOptions = {
        ...optionsIn(folder, backend, told),
        clock: () => now += tick,
        budget,
        verdict: 0.35,
        tell(line) {
          told.line(line);
          // The probe is over, which looks at the clock much more often than a run does.
          if (line.startsWith("A run of the recipe takes")) tick = 1;
        },
        ...more,
      };
      await tune(await readTuned(file, []), options);
      return { text: told.text, tuning: await readJson(join(out, "tune.json")) };
    };
    const lines = (text: string, what: RegExp) => text.split("\n").filter((line) => what.test(line));
    // A second for each evaluation; a third of the time for the verdict, which needs six.
    const { text, tuning } = await run(44);
    assert.match(text, /\n0:02 of 0:44: trial 0, 1\/3: validation accuracy \d+\.\d\d %; the recipe as it is\n/);
    assert.deepEqual(tuning.resources, [1 / 3, 1]);
    assert.ok(tuning.seconds.used <= 44, `${tuning.seconds.used} s`);
    assert.equal(lines(text, /: seed \d+, /).length, 2 * tuning.verdict.seeds.length);
    assert.ok(tuning.decided.filter(({ mean }: { mean: number | null }) => mean !== null).length >= 2);
    assert.equal(lines(text, /finalist \d+, seed [45]: /).length, lines(text, /finalist/).length);
    assert.ok(tuning.verdict.seeds.length >= 3 && tuning.verdict.seeds[0] === 6);
    const { run: id, student } = await readJson(join(out, "best", "metrics.json"));
    assert.deepEqual([tuning.test.run, tuning.test.student], [id, student.metrics]);
    const best = tuning.trials.find(({ trial }: { trial: number }) => trial === tuning.best.trial);
    assert.equal(best.scores.at(-1), student.validationAccuracy);
    assert.ok(
      tuning.decided.every(({ mean }: { mean: number | null }) => mean === null || mean <= tuning.decided[0].mean),
    );
    assert.match(
      text,
      /\nBest of "tiny" \(trial \d+\): .*\.\nValidation accuracy .* Test accuracy .*, measured once, /,
    );
    // Numbers stand at the right, words at the left.
    const page = await Deno.readTextFile(join(out, "tune.md"));
    assert.match(
      page,
      /\n\| trial \| 1\/3 \| whole \| 3 seeds \| what it changes \|\n\|---:\|---:\|---:\|---:\|---\|\n/,
    );
    assert.match(page, /\n\| lever \| best \| against \| worth \| verdict \|\n\|---\|---\|---\|---:\|---\|\n/);
    // A page is drawn of the same.
    assert.ok((await readTuning(out)).said.every((sentence) => text.includes(sentence) && page.includes(sentence)));
    const whole = await Deno.readTextFile(join(out, "tune.json"));
    await Deno.writeTextFile(join(out, "tune.json"), whole.replace('"used": ', '"used": 1'));
    await assert.rejects(readTuning(out), { message: /^Cannot read the tuning .* its checksum is another's; / });
    await Deno.writeTextFile(join(out, "tune.json"), whole);
    // Nothing of the trials was measured on test examples.
    for await (const { name } of Deno.readDir(join(out, "runs"))) {
      assert.equal(await kindOfPath(join(out, "runs", name, "metrics.json")), null);
    }

    await assert.rejects(run(44), {
      message: /^Cannot begin a tuning in .* as there is one already: --resume goes on/,
    });
    await assert.rejects(run(2), { message: /as there is one already/ });
    await assert.rejects(run(44, { resume: true, search: "random" }), {
      message: /or with other flags: name another /,
    });
    const more = await run(44, { resume: true });
    const told = (text: string) => lines(text, /^0:\d\d of/).map((line) => line.replace(/^.*? of/, ""));
    assert.deepEqual(told(more.text), told(text), "the same decisions, answered from the folder");
    assert.deepEqual(more.tuning.verdict, tuning.verdict);
    assert.deepEqual([tuning.tested, more.tuning.tested], [[id], [id]], "one best, measured once");
    assert.doesNotMatch(more.text, /looked at before/);

    const again = await readTuned(join(out, "best.yaml"), []);
    assert.equal(again.row.recipe([]).value.train.epochs, 3);
    const { train: { optimiser, batchSize } } = again.row.recipe([]).value;
    const { "learning rate": rate = 0.05, batch = 24 } = more.tuning.best.configuration;
    assert.deepEqual([optimiser.learningRate, batchSize], [rate, Number(batch)]);
  }));

Deno.test("stopped before it is begun, a tuning says that there is nothing to go on with, and leaves nothing", () =>
  withTiny(async (folder, file, backend) => {
    const out = join(folder, "out");
    const options = { ...optionsIn(folder, backend, fakeOutput()), space: null, signal: AbortSignal.abort() };
    await assert.rejects(tune(await readTuned(file, []), options), {
      name: "StoppedEarly",
      message: "Stopped before training began: nothing was written, and the same command begins again",
    });
    assert.equal(await kindOfPath(out), null);
  }));

Deno.test("a tuning goes on only where what its options name is the same, too", () =>
  withTiny(async (folder, file, backend) => {
    await Deno.mkdir(join(folder, "out"));
    await Deno.writeTextFile(join(folder, "mine.ts"), lossThat(""));
    await Deno.writeTextFile(
      join(folder, "space.yaml"),
      "levers: { losses: { choices: { mine: { losses: [{ use: ./mine.ts }] } } } }\n",
    );
    const told = fakeOutput();
    const options = optionsIn(folder, backend, told);
    const prepared = (goesOn: boolean) =>
      readTuned(file, []).then((tuned) =>
        prepareTuning(tuned, goesOn ? { ...options, space: null } : options, { goesOn, dryRun: false })
      );
    await prepared(false);
    assert.doesNotMatch(told.text, /There is time/);
    await prepared(true);
    // By a clock that stands still there is time for all.
    assert.match(
      told.text,
      /There is time for trainings of 6 and 12 epochs, which are not tried, as the space stays/,
    );
    assert.doesNotMatch(told.text, /left aside/);
    await prepareTuning(await readTuned(file, []), { ...options, budget: 0.5 }, { goesOn: true, dryRun: false });
    assert.match(told.text, /--budget 0\.5s is less than the 1s that this tuning had: trials .* are left aside/);
    // Another space forgets none of it, as trials stay.
    const other = join(folder, "other.yaml");
    await Deno.writeTextFile(other, "levers: { rate: { key: train.optimiser.learningRate, values: [0.1] } }\n");
    const tuned = await readTuned(file, []);
    await prepareTuning(tuned, { ...options, space: other }, { goesOn: true, dryRun: false });
    await Deno.writeTextFile(join(folder, "mine.ts"), lossThat("// Another one.\n"));
    await assert.rejects(prepared(true), {
      name: "UserError",
      message: /^Cannot resume the tuning in .* as "\.\/mine\.ts" \(plug-in\) has changed since: name another folder/,
    });
  }));

Deno.test("what cannot be tuned is refused in a sentence, before anything is written", () =>
  withTinyData(async (folder) => {
    const file = join(folder, "tiny.yaml");
    await Deno.writeTextFile(file, short);
    const out = join(folder, "out");
    const refused = async (args: readonly string[], message: RegExp) => {
      const { code, stdout, stderr } = await runHere("tune", [file, "--output", out, ...args]);
      assert.deepEqual([code, stdout.replace(/^Backend .*\n/, "")], [2, ""], stderr);
      assert.match(stderr, message);
      assert.equal(await kindOfPath(out), null);
    };
    const budget = ["--budget", "10m", "--backend", "cpu"];
    await refused([], /^Cannot tune without end: --budget 30m says how long\n$/);
    await refused(["--budget", "30"], /^--budget 30: Expected a time with its unit/);
    await refused([...budget, "--verdict", "1"], /^--verdict 1: Expected a part from 0 to 0\.9\n$/);
    await refused([...budget, "--search", "best"], /'--search <way>' argument 'best' is invalid|search/);
    await refused([...budget, "--set", "validation=null"], /^--set validation=null: Cannot tune "tiny" without valid/);
    await refused(
      [...budget, "--set", "train.maxSteps=9"],
      /^--set train\.maxSteps=9: Cannot tune a training that ends/,
    );
    await refused([...budget, "--resume"], /^Cannot resume as there is no tuning in /);
    await refused(
      [...budget, "--resume", "--dry-run"],
      /^Cannot resume in a dry run: leave out --resume or --dry-run\n$/,
    );
    // A space is read before anything is opened.
    const levers = join(folder, "space.yaml");
    await refused([...budget, "--space", levers], /^Cannot read .*space\.yaml/);
    const change = (changes: string) => `choices: { x: { ${changes} } }`;
    const compared = "trials are compared with each other by what it says";
    for (
      const [lever, message] of [
        // What trials are compared by is nothing to be tried, and neither is what tune says of each run.
        [change("train: { monitor: validation.loss }"), `lever "a" at "x": Cannot change train.monitor: ${compared}`],
        [change("seed: 9"), `lever "a" at "x": Cannot change seed: ${compared}`],
        [change("student: { width: 0 }"), 'lever "a" at "x": '],
        // Of what trains nobody all trials would be alike.
        [change("export: { onnx: true }"), 'lever "a" at "x": Cannot learn anything from export: the student is'],
        ["key: log.terminal, values: [false]", "Cannot change log.terminal as the recipe has no such value"],
        ["key: train.batchSize, from: 16, to: 64", 'lever "a": '],
      ]
    ) {
      await Deno.writeTextFile(levers, `levers: { a: { ${lever} } }\n`);
      await refused([...budget, "--space", levers], new RegExp(`space\\.yaml.*${message}`));
    }
    const { code, stderr } = await runHere("tune", [file, "--output", out, "--budget", "0.1s", "--backend", "cpu"]);
    assert.equal(code, 2);
    assert.match(stderr, /^--budget 0\.1s: Cannot tune "tiny" in it/);
    assert.equal(await kindOfPath(out), null, "a budget that is refused leaves nothing");
    await Deno.writeTextFile(file, "rows: {}\n");
    await refused(budget, /^Expected a recipe: ".*" has "rows" and is an experiment: deno task compare runs it\n$/);
  }));

Deno.test("too little time is refused with what a run takes; where it is too little for a verdict the search goes on", () =>
  withTiny(async (folder, file, backend) => {
    await Deno.writeTextFile(
      join(folder, "space.yaml"),
      "levers:\n  rate: { key: train.cores.learningRateScale, from: 0.5, to: 2 }\n",
    );
    const run = async (budget: number, tick: number, more: Partial<TuningOptions> = {}) => {
      const told = fakeOutput();
      let now = 0;
      const options: TuningOptions = {
        ...optionsIn(folder, backend, told),
        budget,
        clock: () => now += tick,
        tell(line) {
          told.line(line);
          // The probe is over, which looks at the clock much more often than a run does.
          if (line.startsWith("A run of the recipe takes")) tick = 1;
        },
        ...more,
      };
      await tune(await readTuned(file, []), options);
      return told.text;
    };
    await assert.rejects(run(10, 1), {
      message:
        /^--budget 10s: Cannot tune "tiny" in it: a run of it takes about \d+ s here, and the search, which has 3\.5s /,
    });
    const text = await run(16, 0.02, { verdict: 0.4, search: "random", folder: join(folder, "random") });
    const [before, after] = text.split(/No time for a verdict, which needs .*; the search goes on instead\n/);
    assert.match(before, /trial 1, whole: /);
    assert.match(after, /^0:\d\d of 0:16: (?:trial \d+, whole|finalist)/);
    assert.match(text, /What each lever is worth was not measured\./);
    // Where there is no time to decide either, that too is for more trials.
    const short = await run(13, 0.02, { verdict: 0, search: "random", folder: join(folder, "short") });
    assert.match(short, /\n0:08 of 0:13: trial 6, whole: /);
    assert.doesNotMatch(text, /1\/3/);
  }));

Deno.test("of a time in which no longer training is tried a line says what has them", () =>
  withTiny(async (folder, file, backend) => {
    const prepared = async (budget: number) => {
      const told = fakeOutput();
      let now = 0;
      const options = { ...optionsIn(folder, backend, told), budget, clock: () => ++now, space: null };
      const { text } = await prepareTuning(await readTuned(file, []), options, { goesOn: false, dryRun: true });
      return { said: told.text, text };
    };
    // A run of three epochs takes 13 seconds by this clock, and one of six 25.
    const { said, text } = await prepared(120);
    assert.match(
      said,
      /\nTrainings of 6 epochs are not tried, as one takes about 25s here, .*: --budget 4m46s has them\n/,
    );
    assert.doesNotMatch(text, /train\.epochs/);
    assert.match((await prepared(286)).text, /key: train\.epochs\n +values: \[6\]/);
  }));
