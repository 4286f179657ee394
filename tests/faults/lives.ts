import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { CHECKPOINT_FILE, readCheckpoint } from "../../core/distill/training/checkpoint.ts";
import { MOVING, PREVIOUS } from "../../core/distill/run_folder.ts";
import type { Random } from "../../core/data/random.ts";
import { CARD_FILE } from "../../core/model_folder/card_file.ts";
import { UNVERIFIED_PART } from "../../core/model_folder/replace_folder.ts";
import { metricsLog } from "../support/run_observers.ts";
import { checkOneRun, checkWhole, isThere, namesIn, runsIn, textOf, treeOf } from "../support/run_files.ts";
import { checkFine, type Command, run } from "./process.ts";
import { type Age, copy, type RunVerb, SEEDS, type Workshop } from "./workshop.ts";

/**
 * A command over its whole life, in a place where something may be already. Whatever cuts it off, what is in the place
 * is whole and of one run, and the same command, or `--resume`, ends as if nothing had been.
 */
export interface Life {
  readonly name: string;
  /** Makes the place as it is before the command. */
  before(): Promise<void>;
  readonly command: Command;
  /** What people do after it was cut off: the same, or another command that goes on. */
  readonly again: readonly Command[];
  /** After it was cut off, however often. @throws Error if a file is broken, or of another run than the others */
  check(): Promise<void>;
  /** Brings it to its end. @throws Error if that is not what an undisturbed one comes to, or something is left over */
  recover(random: Random): Promise<void>;
}

/** What a run folder holds after a run that came to its end. */
const RESULTS = ["checkpoint", "metrics.json", "metrics.jsonl", "recipe.yaml", "record.json", "report.html", "student"];

/** Part of a path that only something unfinished has. */
const LEFT_OVER = /\.tmp$|\.lock$|unverified|previous\.moving|\.unfinished|\.before$/;

function checkNothingLeft(folder: string): void {
  assert.deepEqual(treeOf(folder).filter((path) => LEFT_OVER.test(path)), []);
}

/** The run folder's results are those of an undisturbed one: weights bit for bit, metrics and log but for seconds. */
export async function checkAsWhole(folder: string, whole: string): Promise<void> {
  await checkWhole(folder);
  await checkOneRun(folder);
  const weights = (of: string) => Deno.readFile(join(of, "student", "model.safetensors"));
  assert.ok(equal(await weights(folder), await weights(whole)), "the student is not the undisturbed run's");
  for (const name of namesIn(join(whole, "student")).filter((name) => !["config.json", CARD_FILE].includes(name))) {
    assert.ok(
      equal(await Deno.readFile(join(folder, "student", name)), await Deno.readFile(join(whole, "student", name))),
    );
  }
  const card = async (of: string) => {
    const text = (await textOf(of, "student", CARD_FILE))!;
    return text.replaceAll(/(?<=# run )\w+/.exec(text)![0], "RUN");
  };
  assert.equal(await card(folder), await card(whole));
  const results = async (of: string) => {
    const { student, teacher, losses, steps, epochs, merge } = JSON.parse((await textOf(of, "metrics.json"))!);
    return { student, teacher, losses, steps, epochs, merge };
  };
  assert.deepEqual(await results(folder), await results(whole));
  // A run that was stopped logs the steps up to there by themselves; the epochs' ends are the same.
  const log = async (of: string) => (await metricsLog(of, ".")).filter((line) => line.validation);
  assert.deepEqual(await log(folder), await log(whole));
}

/** A student that is there has all its files, as it takes its name when it is whole; the card comes later. */
async function checkStudent(folder: string): Promise<void> {
  if (!await isThere(folder, "student")) return;
  const names = ["config.json", "model.safetensors", "preprocessor_config.json"];
  const there = namesIn(join(folder, "student"));
  if (await isThere(folder, "metrics.json")) assert.ok(there.includes(CARD_FILE), `no card of "${folder}"`);
  assert.deepEqual(there.filter((name) => name !== CARD_FILE), names, `the student in "${folder}" is not whole`);
}

export const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** What is in a place before a run. */
type Start = "fresh" | "old" | "half" | "half in old";

/** A training, or a distillation with a cache of the teacher's outputs. */
export function runLife(shop: Workshop, verb: RunVerb, from: Start): Life {
  const folder = join(shop.place, "run");
  const of = (age: Age, ...more: string[]): Command => ({
    verb,
    args: [shop.recipe(verb), "--backend", "cpu", "--out", folder, "--set", `seed=${SEEDS[age]}`, ...more],
  });
  const half = from.startsWith("half");
  const command = half ? of("new", "--resume") : of("new");
  return {
    name: `${verb} (${from})`,
    command,
    again: [of("new"), of("new", "--resume")],
    async before() {
      const [, old] = [await shop.whole(verb, "new"), await shop.whole(verb, "old")];
      const there = half ? await shop.half(verb, from === "half" ? "fresh" : "old") : old;
      await shop.clear();
      if (from !== "fresh") await copy(there, folder);
    },
    async check() {
      await checkWhole(shop.place);
      const students: Age[] = [];
      for (const part of ["", PREVIOUS, MOVING]) {
        const own = join(folder, part);
        // While results are moved aside their recipe may be in one folder and their student in another.
        const files = (await isThere(own)) ? Object.keys(await runsIn(own)).length : 0;
        if (files > 0 && !await isThere(folder, MOVING)) await checkOneRun(own);
        await checkStudent(own);
        const age = await ageOf(own);
        if (age) students.push(age);
      }
      if (await isThere(folder, "student", "config.json") && await isThere(folder, "recipe.yaml")) {
        const seed = Number((await textOf(folder, "recipe.yaml"))!.match(/^seed: (\d+)$/m)![1]);
        assert.equal(SEEDS[(await ageOf(folder))!], seed, "recipe.yaml and student/ are of two runs");
      }
      if (from === "old" || from === "half in old") assert.ok(students.length > 0, "no finished student is left");
    },
    async recover(random) {
      if (random.below(4) < 3) await resume();
      checkFine(await run(of("new")));
      await checkAsWhole(folder, await shop.whole(verb, "new"));
      checkNothingLeft(shop.place);
      assert.deepEqual(namesIn(folder).filter((name) => name !== PREVIOUS), RESULTS);
      if (await isThere(folder, PREVIOUS)) await checkOneRun(join(folder, PREVIOUS));
    },
  };

  /** The run whose finished student is in a folder. */
  async function ageOf(own: string): Promise<Age | null> {
    const weights = await Deno.readFile(join(own, "student", "model.safetensors")).catch(() => null);
    if (weights === null) return null;
    for (const age of ["new", "old"] as const) if (equal(weights, await shop.student(verb, age))) return age;
    throw new Error(`the student in "${own}" is of no run`);
  }

  async function resume(): Promise<void> {
    const death = await run(of("new", "--resume"));
    if (death.code === 0) {
      await checkAsWhole(folder, await shop.whole(verb, "new"));
      return checkNothingLeft(shop.place);
    }
    assert.equal(death.code, 2, death.stderr);
    if (/^Cannot resume as there is no checkpoint/m.test(death.stderr)) {
      assert.ok(!await isThere(folder, CHECKPOINT_FILE) && !await isThere(folder, MOVING, CHECKPOINT_FILE));
      return;
    }
    assert.match(death.stderr, /it was made by another recipe: seed differs/);
    const { fingerprint } = await readCheckpoint(join(folder, CHECKPOINT_FILE));
    assert.equal(fingerprint.recipe.seed, SEEDS.old);
    checkFine(await run(of("old", "--resume")));
    await checkAsWhole(folder, await shop.whole(verb, "old"));
  }
}

/** A comparison or a sweep; an old one was done with a step less. */
export function experimentLife(shop: Workshop, verb: "compare" | "sweep", from: "fresh" | "old"): Life {
  const grid = verb === "compare"
    ? ["--seeds", Object.values(SEEDS).join()]
    : ["--cores", "1,2", "--rates", "0.05", "--seeds", "3"];
  const of = (folder: string, steps: number): Command => ({
    verb,
    args: [shop.recipe("train"), ...grid, "--output", folder, "--backend", "cpu", "--set", `train.maxSteps=${steps}`],
  });
  const whole = (steps: number) =>
    shop.make(`${verb}-${steps}`, async (folder) => checkFine(await run(of(folder, steps))));
  const folder = join(shop.place, "experiment");
  const command = of(folder, 6);
  return {
    name: `${verb} (${from})`,
    command,
    again: [command],
    async before() {
      const old = await whole(5);
      await whole(6);
      await shop.clear();
      if (from === "old") await copy(old, folder);
    },
    async check() {
      await checkWhole(shop.place);
      for (const own of runFolders(folder)) {
        await checkOneRun(own);
        await checkStudent(own);
        const steps = (await textOf(own, "recipe.yaml"))!.match(/^ {2}maxSteps: (\d)$/m)![1];
        const path = own.slice(folder.length + 1).replace(/previous(\.moving)?$/, "");
        const weights = await Deno.readFile(join(own, "student", "model.safetensors")).catch(() => null);
        const right = join(await whole(Number(steps)), path, "student", "model.safetensors");
        if (weights) {
          assert.ok(equal(weights, await Deno.readFile(right)), `${path}: recipe and student are of two runs`);
        }
      }
      await checkTables();
    },
    async recover() {
      checkFine(await run(command));
      await checkWhole(shop.place);
      checkNothingLeft(shop.place);
      const right = await whole(6);
      for (const own of runFolders(right)) await checkAsWhole(join(folder, own.slice(right.length)), own);
      assert.deepEqual(await numbersOf(folder), await numbersOf(right));
      await checkTables();
    },
  };

  /** The tables are of one and the same experiment, and of the runs that are in the folder. */
  async function checkTables(): Promise<void> {
    const results = await textOf(folder, "results.json");
    const csv = await textOf(folder, "results.csv");
    if (results === null) return assert.equal(csv, null, "results.csv without results.json");
    const { lines, results: rows } = JSON.parse(results);
    if (csv !== null) {
      const column = (name: string) => {
        const [head, ...cells] = csv.trimEnd().split("\r\n").map((line) => line.split(","));
        return cells.map((row) => row[head.indexOf(name)]);
      };
      for (const [name, key] of [["seconds", "seconds"], ["test", "test"]]) {
        assert.deepEqual(
          column(name),
          lines.map((line: Record<string, { mean: number }>) => String(line[key].mean)),
          "results.csv and results.json are of two runs",
        );
      }
    }
    for (const { runs } of rows) {
      for (const { folder: own, summary } of runs) {
        const [, path] = own.match(/\/(?:made\/[^/]+|place\/experiment)\/(.*)$/)!;
        const there = (await textOf(folder, path, "recipe.yaml"))?.match(/^# run (\w+)/)?.[1];
        assert.equal(there, summary.run, `results.json tells of another run of ${path} than the folder has`);
      }
    }
  }
}

/** What an experiment's results say, without the seconds and the paths. */
async function numbersOf(folder: string): Promise<unknown> {
  const { lines } = JSON.parse((await textOf(folder, "results.json"))!);
  return lines.map(({ name, test, validation, failed }: Record<string, unknown>) => ({
    name,
    test,
    validation,
    failed,
  }));
}

/** All folders below one, which may not be there, that hold a run's recipe. */
function runFolders(folder: string): string[] {
  if (!Array.from(Deno.readDirSync(dirname(folder))).some(({ name }) => name === basename(folder))) return [];
  return treeOf(folder).filter((path) => path.endsWith("recipe.yaml")).map((path) => join(folder, path, ".."));
}

/** The merging of a run that was stopped half way: into its own folder, or a folder where another model is. */
export function mergeLife(shop: Workshop, into: "its own" | "fresh" | "old"): Life {
  const [folder, elsewhere] = [join(shop.place, "run"), join(shop.place, "model")];
  const model = into === "its own" ? join(folder, "student") : elsewhere;
  const of = (to: string): Command => ({
    verb: "merge",
    args: into === "its own" ? [folder] : [folder, "--out", to],
  });
  const merged = () =>
    shop.make("merged", async (to) => {
      await copy(await shop.half("train", "fresh"), folder);
      checkFine(await run({ verb: "merge", args: [folder, "--out", join(to, "student")] }));
    });
  const old = () => join(shop.folder, "teacher", "student");
  return {
    name: `merge (${into})`,
    command: of(model),
    again: [of(model)],
    async before() {
      const half = await shop.half("train", "fresh");
      await shop.whole("train", "new");
      await merged();
      await shop.clear();
      await copy(half, folder);
      if (into === "old") await copy(old(), model);
    },
    async check() {
      await checkWhole(shop.place);
      await checkOneRun(folder);
      const models = [old(), join(await merged(), "student")];
      // Without its description it is no model.
      if (!await isThere(model, "config.json")) return;
      const matches = await Promise.all(models.map((right) => sameFiles(model, right)));
      assert.ok(matches.includes(true), "the model folder is neither the old one nor the new one");
    },
    async recover(random) {
      checkFine(await run(of(model)));
      assert.ok(await sameFiles(model, join(await merged(), "student")));
      if (random.below(2) === 0) {
        const { args } = runLife(shop, "train", "half").command;
        checkFine(await run({ verb: "train", args }));
        await checkAsWhole(folder, await shop.whole("train", "new"));
      }
      checkNothingLeft(shop.place);
    },
  };
}

/** Whether two folders hold the same files. */
async function sameFiles(a: string, b: string): Promise<boolean> {
  const names = namesIn(a).filter((name) => name !== UNVERIFIED_PART);
  if (names.join() !== namesIn(b).join()) return false;
  for (const name of names) {
    if (!equal(await Deno.readFile(join(a, name)), await Deno.readFile(join(b, name)))) return false;
  }
  return true;
}

/** The decomposition of a matrix to a file, or the merging of that file, where another file may be. */
export function chainLife(shop: Workshop, verb: "decompose" | "merge", from: "fresh" | "old"): Life {
  const file = join(shop.place, "out.safetensors");
  const decompose = (cores: number, out: string): Command => ({
    verb: "decompose",
    args: [
      join(shop.folder, "teacher", "student", "model.safetensors"),
      "--tensor",
      "layer3.0.conv2.weight",
      "--cores",
      String(cores),
      "--out",
      out,
    ],
  });
  const chain = (cores: number) =>
    shop.make(`chain-${cores}`, async (to) => checkFine(await run(decompose(cores, join(to, "out.safetensors")))));
  const of = async (out: string): Promise<Command> =>
    verb === "decompose" ? decompose(3, out) : { verb, args: [join(await chain(3), "out.safetensors"), "--out", out] };
  const right = async () =>
    verb === "decompose"
      ? await chain(3)
      : await shop.make("matrix", async (to) => checkFine(await run(await of(join(to, "out.safetensors")))));
  const content = async (of: string) => await Deno.readFile(join(of, "out.safetensors"));
  const command: Command = verb === "decompose"
    ? decompose(3, file)
    : { verb, args: [join(shop.folder, "made", "chain-3", "out.safetensors"), "--out", file] };
  return {
    name: `${verb} of a file (${from})`,
    command,
    again: [command],
    async before() {
      const [old] = [await chain(2), await chain(3), await right()];
      await shop.clear();
      if (from === "old") await copy(old, shop.place);
    },
    async check() {
      const there = await Deno.readFile(file).catch(() => null);
      if (there === null) return assert.notEqual(from, "old", "the file that was there is gone");
      const wholes = [await content(await right()), ...(from === "old" ? [await content(await chain(2))] : [])];
      assert.ok(wholes.some((bytes) => equal(bytes, there)), "the file is neither the old one nor the new one");
    },
    async recover() {
      checkFine(await run(command));
      assert.ok(equal(await Deno.readFile(file), await content(await right())));
      checkNothingLeft(shop.place);
    },
  };
}

/** Every life, those of runs more than once, as they have most to lose. */
export function livesOf(shop: Workshop): Life[] {
  return [
    runLife(shop, "train", "fresh"),
    runLife(shop, "train", "old"),
    runLife(shop, "distill", "old"),
    runLife(shop, "train", "half in old"),
    experimentLife(shop, "compare", "old"),
    mergeLife(shop, "old"),
    chainLife(shop, "decompose", "old"),
    runLife(shop, "distill", "half"),
    runLife(shop, "train", "half"),
    runLife(shop, "distill", "fresh"),
    experimentLife(shop, "sweep", "old"),
    mergeLife(shop, "its own"),
    chainLife(shop, "merge", "old"),
    experimentLife(shop, "compare", "fresh"),
    runLife(shop, "train", "old"),
    mergeLife(shop, "fresh"),
    experimentLife(shop, "sweep", "fresh"),
    chainLife(shop, "merge", "fresh"),
    chainLife(shop, "decompose", "fresh"),
  ];
}
