import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_FILE } from "../../../core/distill/training/checkpoint.ts";
import { Interrupted, StoppedEarly } from "../../../core/distill/stops.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { withOutputFolder } from "../../../tasks/experiment/output_folder.ts";
import { trainingRunner } from "../../../tasks/experiment/runner.ts";
import { stopOfSeveral } from "../../../tasks/experiment/stop_of_several.ts";
import { plainPng } from "../../support/pictures.ts";
import { recorder, stopAt, studentBytes } from "../../support/run_observers.ts";
import { DIVERGING, tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const never = new AbortController().signal;

/** A run of the tiny recipe as the grid starts one, in the folder "run". */
async function run(folder: string, overrides: readonly string[] = [], signal = never, text = tinyRecipe) {
  let begun = 0;
  const begin = () => Promise.resolve(void begun++);
  const { reporter, lines } = recorder();
  const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, {
    overrides: ["backend=cpu", "train.epochs=2", ...overrides, {
      path: ["output"],
      value: join(folder, "run"),
      label: "test",
    }],
  });
  const steps: number[] = [];
  const observed = { ...reporter, progress: ({ step }: { step: number }) => void steps.push(step), end: () => {} };
  const outcome = await trainingRunner(builtins, observed, signal, begin)(recipe, "tiny");
  return { begun, outcome, told: lines.at(-1)!, lines, steps };
}

const written = async (folder: string) => (await Deno.stat(join(folder, "run", "metrics.json"))).mtime!.getTime();

Deno.test("a finished run is not run again, a changed one is", () =>
  withTinyData(async (folder) => {
    const first = await run(folder);
    assert.match(first.told, /^tiny: validation accuracy \d+\.\d\d %, \d+\.\d s$/);
    const time = await written(folder);
    const again = await run(folder, ["base=."]);
    assert.match(again.told, /\(was done\)$/);
    assert.deepEqual([first.begun, again.begun], [1, 0]);
    assert.equal(await written(folder), time);
    assert.deepEqual(again.outcome, first.outcome);

    const changed = await run(folder, ["train.optimiser.learningRate=0.01"]);
    assert.doesNotMatch(changed.told, /was done/);
    assert.notDeepEqual(changed.outcome, first.outcome);
  }));

Deno.test("an interrupted run goes on from its checkpoint to the same student, and half of a run is not a whole one", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "whole", overrides: ["backend=cpu", "train.epochs=2"] });
    await run(folder, ["train.batchSize=24"]);
    // Another recipe in the same folder, stopped half way: neither run is done.
    await assert.rejects(run(folder, [], stopAt(6)), Interrupted);
    await assert.rejects(Deno.stat(join(folder, "run", "metrics.json")), Deno.errors.NotFound);
    assert.ok((await Deno.stat(join(folder, "run", CHECKPOINT_FILE))).isFile);

    const { outcome, told } = await run(folder);
    assert.ok("summary" in outcome && !told.includes("was done"));
    const log = (await Deno.readTextFile(join(folder, "run", "metrics.jsonl"))).trim().split("\n");
    assert.ok(log.length > 0 && log.every((line) => JSON.parse(line).step <= 10));
    assert.deepEqual(await studentBytes(folder), await studentBytes(folder, "whole"));
    assert.ok(outcome.summary.seconds.train > 0 && outcome.summary.seconds.total >= outcome.summary.seconds.train);
  }));

Deno.test("a stop between runs says that those before it are kept", () => {
  const message = (error: Error) => (stopOfSeveral(error) as Error).message;
  assert.equal(message(new StoppedEarly()), "Stopped: runs that are done are kept, and the same command goes on");
  assert.equal(message(new Interrupted(3, 9, "a/checkpoint")), 'Stopped: the same command goes on from "a/checkpoint"');
  assert.equal(message(new Error("other")), "other");
});

Deno.test("a training that fails is a result, and is not tried again", () =>
  withTinyData(async (folder) => {
    const { outcome } = await run(folder, [DIVERGING]);
    assert.ok("failure" in outcome);
    assert.match(outcome.failure, /^Stopped at step \d+ as its loss is not finite/);
    const again = await run(folder, [DIVERGING]);
    assert.deepEqual(again.outcome, outcome);
    assert.match(again.told, /\(was done\)$/);
  }));

/** Changes a byte of a file's numbers. */
async function change(...path: string[]): Promise<void> {
  const bytes = await Deno.readFile(join(...path));
  await Deno.writeFile(join(...path), bytes.with(bytes.length - 2, bytes[bytes.length - 2] ^ 1));
}

const lossPlugin = `import { factor } from "./factor.ts";
export default {
  kind: "loss",
  name: "own",
  description: "Small logits",
  options: ({ z }) => z.strictObject({}),
  create: () => ({
    teacherOutputs: [],
    compute: ({ ops, student }) => ops.scale(ops.mean(ops.square(student.logits)), factor),
  }),
};
`;

/** The tiny recipe with a teacher and a loss from files, the loss with a helper of its own. */
async function withFiles(folder: string): Promise<string> {
  await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]", "train.maxSteps=2"] });
  await Deno.writeTextFile(join(folder, "own.ts"), lossPlugin);
  await Deno.writeTextFile(join(folder, "factor.ts"), "export const factor = 1;\n");
  return tinyRecipe.replace(
    "losses: [{ use: cross-entropy }]",
    `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student/model.safetensors }
losses: [{ use: cross-entropy }, { use: kd }, { use: ./own.ts, weight: 0.1 }]`,
  );
}

Deno.test("a run is done anew when data, teacher or a plug-in have another content, and says which", () =>
  withTinyData(async (folder) => {
    const text = await withFiles(folder);
    const again = () => run(folder, ["train.epochs=1"], never, text);
    await again();
    const changes: [string, () => Promise<void>][] = [
      ['"train-images" (data)', () => change(folder, "train-images")],
      ['"test-labels" (data)', () => change(folder, "test-labels")],
      ['"teacher/student/model.safetensors" (weights)', () => change(folder, "teacher/student/model.safetensors")],
      ['"./own.ts" (plug-in)', () => Deno.writeTextFile(join(folder, "own.ts"), lossPlugin + "// another\n")],
      ['"./own.ts" (plug-in)', () => Deno.writeTextFile(join(folder, "factor.ts"), "export const factor = 2;\n")],
    ];
    for (const [what, alter] of changes) {
      assert.match((await again()).told, /\(was done\)$/, `before ${what}`);
      await alter();
      const { lines, told } = await again();
      assert.ok(lines.includes(`tiny: ${what} has changed since: the run is done anew`), lines.join("\n"));
      assert.doesNotMatch(told, /was done/);
    }
    // The same bytes in a new file.
    const images = await Deno.readFile(join(folder, "train-images"));
    await Deno.remove(join(folder, "train-images"));
    assert.match((await again()).told, /\(was done\)$/, "without its data a result can still be shown");
    await Deno.writeFile(join(folder, "train-images"), images);
    assert.match((await again()).told, /\(was done\)$/);
  }));

Deno.test("a failed training is tried again with other data, and an interrupted one begins anew with another plug-in", () =>
  withTinyData(async (folder) => {
    const text = await withFiles(folder);
    const failing = [DIVERGING];
    await run(folder, failing, never, text);
    await change(folder, "train-images");
    const { lines } = await run(folder, failing, never, text);
    assert.ok(lines.includes('tiny: "train-images" (data) has changed since: the run is done anew'), lines.join("\n"));

    await assert.rejects(run(folder, [], stopAt(6), text), Interrupted);
    await Deno.writeTextFile(join(folder, "factor.ts"), "export const factor = 3;\n");
    const { lines: told, steps } = await run(folder, [], never, text);
    assert.equal(steps[0], 5, "the first line of progress is there again");
    assert.ok(told.includes('tiny: "./own.ts" (plug-in) has changed since: the run is done anew'), told.join("\n"));

    // Also where the new one was stopped before its first step.
    await assert.rejects(run(folder, ["train.epochs=3"], stopAt(6), text), Interrupted);
    await Deno.writeTextFile(join(folder, "factor.ts"), "export const factor = 4;\n");
    await assert.rejects(run(folder, ["train.epochs=3"], AbortSignal.abort(new StoppedEarly()), text), StoppedEarly);
    // With what it began with it goes on.
    await Deno.writeTextFile(join(folder, "factor.ts"), "export const factor = 3;\n");
    await assert.rejects(run(folder, ["train.epochs=3"], stopAt(2), text), Interrupted);
    const { steps: rest } = await run(folder, ["train.epochs=3"], stopAt(1), text).catch(() => ({ steps: [0] }));
    assert.notEqual(rest[0], 5);
    await Deno.writeTextFile(join(folder, "factor.ts"), "export const factor = 4;\n");
    await assert.rejects(run(folder, ["train.epochs=3"], AbortSignal.abort(new StoppedEarly()), text), StoppedEarly);
    const { steps: all } = await run(folder, ["train.epochs=3"], never, text);
    assert.equal(all[0], 5, "the first line of progress is there again");
  }));

/** A classifier of the mails in the folder "mails". */
const mails = `
name: tiny
dataset:
  { use: mail, folder: mails, classes: { ham: [ham], spam: [spam] }, vocabularySize: 60, maxLength: 12 }
student: { use: bert, layers: 1, width: 8, heads: 2, positions: 12 }
losses: [{ use: cross-entropy }]
train: { batchSize: 4, optimiser: { use: adamw, learningRate: 0.01 } }
`;

Deno.test("data that are a folder are compared as a whole", () =>
  withTinyData(async (folder) => {
    for (const [kind, word] of [["ham", "lunch"], ["spam", "offer"]]) {
      await Deno.mkdir(join(folder, "mails", kind), { recursive: true });
      for (let i = 0; i < 8; i++) {
        const text = `Subject: ${word} ${i}\r\n\r\nthe ${word} of day ${i}\r\n`;
        await Deno.writeTextFile(join(folder, "mails", kind, `${i}`), text);
      }
    }
    await run(folder, [], never, mails);
    assert.match((await run(folder, [], never, mails)).told, /\(was done\)$/);
    const changes = [
      () => Deno.writeTextFile(join(folder, "mails", "spam", "9"), "Subject: offer\r\n\r\none more\r\n"),
      // Another class, and the same bytes in the same order.
      () => Deno.rename(join(folder, "mails", "ham", "7"), join(folder, "mails", "spam", "-7")),
    ];
    for (const alter of changes) {
      await alter();
      const { lines } = await run(folder, [], never, mails);
      assert.ok(lines.includes('tiny: "mails" (data) has changed since: the run is done anew'), lines.join("\n"));
    }
  }));

Deno.test("recipes of two folders, which name their data alike, have each its own", () =>
  withTinyData(async (folder) => {
    for (const [name, count] of [["a", 8], ["b", 9]] as const) {
      for (const word of ["ham", "spam"]) {
        await Deno.mkdir(join(folder, name, "mails", word), { recursive: true });
        for (let i = 0; i < count; i++) {
          await Deno.writeTextFile(join(folder, name, "mails", word, `${i}`), `Subject: ${word}\r\n\r\nof ${i}\r\n`);
        }
      }
    }
    const { reporter, lines } = recorder();
    const runner = () => trainingRunner(builtins, { ...reporter, end: () => {} }, never, () => Promise.resolve());
    const both = async (run: ReturnType<typeof runner>) => {
      for (const name of ["a", "b"]) {
        const overrides = ["backend=cpu", "train.epochs=1", `output=${join(folder, name, "run")}`];
        await run(parseChecked(mails, join(folder, name, "tiny.yaml"), recipeSchema, { overrides }), name);
      }
    };
    await both(runner());
    lines.length = 0;
    await both(runner());
    assert.deepEqual(lines.filter((line) => !line.endsWith("(was done)")), []);
    assert.equal(lines.length, 2);
  }));

Deno.test("an experiment's folder is its own", () =>
  withTinyData(async (folder) => {
    const at = join(folder, "results");
    const none = () => Promise.resolve();
    const refused = (where: string, name: string, message: RegExp) =>
      assert.rejects(withOutputFolder(where, name, none), { name: "UserError", message });
    await withOutputFolder(at, "a", () => refused(at, "a", /another experiment runs in it \(process \d+\)/));
    await withOutputFolder(at, "a", none);
    await refused(
      at,
      "b",
      /^Cannot write to ".*" as it holds the experiment "a", not "b": name another folder with --o/,
    );
    await refused(folder, "a", /as it holds files that no experiment wrote: name another folder with --output$/);
    await refused(
      join(folder, "train-images"),
      "a",
      /^Cannot make the experiment's folder ".*train-images" as there is a file of that name: /,
    );
  }));

Deno.test("an experiment whose folder was moved or removed says so before it writes there again", () =>
  withTinyData(async (folder) => {
    const at = join(folder, "results");
    await withOutputFolder(at, "a", async (check) => {
      await check();
      await Deno.rename(at, `${at}.moved`);
      await Deno.mkdir(at);
      await assert.rejects(check, {
        name: "UserError",
        message: `Cannot write to "${at}" as it was moved or removed while the experiment ran: put it back, and the ` +
          "same command goes on",
      });
    });
  }));

Deno.test("pictures of a folder are told to have changed when they have, and not before", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const write = (path: string, grey: number) => Deno.writeFile(join(folder, "pics", path), plainPng([grey], 8));
    for (const split of ["train", "test"]) {
      for (const [label, name] of ["dark", "light"].entries()) {
        await Deno.mkdir(join(folder, "pics", split, name), { recursive: true });
        for (let i = 0; i < 4; i++) await write(join(split, name, `${i}.png`), 200 * label + 2 * i);
      }
    }
    const text = tinyRecipe.replace(/dataset:[^]*student:/, "dataset: { use: image-folder, folder: pics }\nstudent:")
      .replace(/^validation.*$/m, "validation: null");
    const again = () => run(folder, ["train.maxSteps=1"], never, text);
    assert.equal((await again()).begun, 1);
    assert.equal((await again()).begun, 0, "nothing has changed");
    await write("train/dark/0.png", 9);
    const { begun, lines } = await again();
    assert.equal(begun, 1);
    assert.ok(lines.includes('tiny: "pics" (data) has changed since: the run is done anew'), lines.join());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
