import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Run } from "../../../../core/distill/run.ts";
import { comparable } from "../../../../core/distill/training/checkpoint.ts";
import { teach } from "../../../../core/distill/teach.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { builtins } from "../../../../plugins/builtins.ts";
import { metricsLog, recorder, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** Two of three classes: the rest is one class, so that nothing is lost. */
const text = tinyRecipe.replace(
  "losses: [{ use: cross-entropy }]",
  `teacher: { use: resnet, depth: 8, width: 4, weights: one/student, cache: outputs, keep: { topK: 2 } }
losses: [{ use: kd }, { use: hidden-mse, pairs: [{ student: layer1, teacher: layer1 }] }, { use: hard-distillation }]`,
);

const SHORT = ["train.maxSteps=3", "train.logEvery=1"];

/** The files of the teacher, which is trained once. */
let trained: Map<string, Uint8Array> | undefined;

async function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    const student = join(folder, "one", "student");
    if (trained) {
      await Deno.mkdir(student, { recursive: true });
      for (const [name, bytes] of trained) await Deno.writeFile(join(student, name), bytes);
    } else {
      await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=4"] });
      const names = (await Array.fromAsync(Deno.readDir(student))).map(({ name }) => name);
      trained = new Map();
      for (const name of names) trained.set(name, await Deno.readFile(join(student, name)));
    }
    await body(folder);
  });
}

/** A run: what it says of what is kept of the teacher, and its losses by step. */
async function run(folder: string, output: string, overrides: readonly string[] = []) {
  const { lines, reporter } = recorder();
  await tinyRun(folder, { text, output, reporter, overrides: [...SHORT, ...overrides] });
  const losses = (await metricsLog(folder, output)).flatMap(({ losses }) => losses ? [losses] : []);
  return { said: lines.filter((line) => /^teacher(\.keep.*)?: /.test(line) || line.includes("topK")), losses };
}

const filesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(join(folder, "outputs")))).map(({ name }) => name).sort();

async function teachTiny(folder: string, index: number, of: number): Promise<string[]> {
  const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, {});
  const backend = await CpuBackend.create();
  const { lines, reporter } = recorder();
  await teach(recipe, { backend, builtins, shard: { index, of }, reporter }).finally(() => backend.close());
  return lines;
}

Deno.test("a run by the largest logits is that by all where nothing is lost, from one file as from parts", () =>
  withTeacher(async (folder) => {
    const all = await run(folder, "all", ["teacher.keep=null"]);
    const [whole] = await filesIn(folder);
    const first = await run(folder, "first");
    const file = whole.replace(".safetensors", "-top2-T4.safetensors");
    const path = (name: string) => join(folder, "outputs", name);
    assert.deepEqual(await filesIn(folder), [file, whole]);
    assert.equal(
      first.said[0],
      `teacher: "${
        join(folder, "outputs")
      }" has these outputs with all logits ("${whole}"), and the recipe wants the 2 ` +
        "largest logits and the rest at temperature 4: that file is not used",
    );
    assert.match(first.said[1], /^teacher: outputs of 72 examples written to ".*-top2-T4\.safetensors", /);
    assert.equal(first.said[2], "teacher: kept are the 2 largest of 3 logits, 16 bytes of 12");
    assert.match(
      first.said[3],
      /^teacher: at temperature 4 the other classes have [\d.]+ % of the probability in the mean, [\d.]+ % at most; in the mean kd loses at most 0 \+ [\d.]+ D of what it is by all logits, D the largest range of the student's logits of other classes, and jensen-shannon at most 0$/,
    );
    assert.equal(all.losses.length, 3);
    all.losses.forEach((losses, step) => {
      for (const [name, value] of Object.entries<number>(losses)) {
        const off = Math.abs(first.losses[step][name] / value - 1);
        assert.ok(off < 1e-3 && (step > 0 || off < 1e-5), `${name} at step ${step}: ${off}`);
      }
    });
    const second = await run(folder, "second");
    assert.deepEqual(second.said, [`teacher: outputs read from "${path(file)}"`, ...first.said.slice(2)]);
    await Deno.remove(path(file));
    for (const index of [2, 1]) {
      assert.match((await teachTiny(folder, index, 2)).join("\n"), /kept are the 2 largest of 3/);
    }
    const parts = await run(folder, "parts");
    assert.equal(parts.said[0], `teacher: outputs read from 2 parts in "${join(folder, "outputs")}"`);
    assert.deepEqual(parts.said.slice(1), first.said.slice(2));
    const bytes = await Promise.all(["first", "second", "parts"].map((run) => studentBytes(folder, run)));
    assert.deepEqual(bytes[0], bytes[1]);
    assert.deepEqual(bytes[0], bytes[2]);
  }));

Deno.test("as many as there are classes are all of them, and what is kept otherwise is named and not used", () =>
  withTeacher(async (folder) => {
    const other = await run(folder, "other", ["teacher.keep.topK=1", "losses[0].temperature=2"]);
    const [file] = await filesIn(folder);
    assert.match(file, /^teacher-[0-9a-f]{16}-top1-T2\.safetensors$/);
    const named = (wanted: string) =>
      `teacher: "${
        join(folder, "outputs")
      }" has these outputs with the 1 largest logits and the rest at temperature 2 ` +
      `("${file}"), and the recipe wants ${wanted}: that file is not used`;
    const temperature = await run(folder, "temperature", ["teacher.keep.topK=1"]);
    assert.equal(temperature.said[0], named("the 1 largest logits and the rest at temperature 4"));
    await Deno.remove(join(folder, "outputs", file.replace("T2", "T4")));
    const enough = await run(folder, "enough", ["teacher.keep.topK=3"]);
    assert.equal(enough.said[0], "teacher.keep.topK leaves nothing out: all of 3 logits are kept");
    assert.equal(enough.said[1], named("all logits"));
    const all = await run(folder, "all", ["teacher.keep=null"]);
    assert.match(all.said[0], /^teacher: outputs read from/);
    assert.deepEqual(await studentBytes(folder, "enough"), await studentBytes(folder, "all"));
    // With one kept of three the loss is another, below that of all.
    assert.ok(temperature.losses[0].kd < all.losses[0].kd - 1e-3);
    assert.equal(other.losses.length, all.losses.length);
    const idle = await run(folder, "idle", [
      "losses=[{ use: hidden-mse, pairs: [{ student: layer1, teacher: layer1 }] }]",
    ]);
    assert.equal(idle.said[0], "teacher.keep.topK changes nothing: no loss reads the teacher's logits");
  }));

Deno.test("what the largest logits do not do for is refused in one sentence, before anything is computed", () =>
  withTeacher(async (folder) => {
    const needsAll = (loss: string) =>
      `Cannot use the loss "${loss}" with teacher.keep.topK: it needs all of the teacher's logits, and of each example ` +
      "the 2 largest are kept; leave out teacher.keep, or use losses that can do with these, such as kd";
    const refused: [string[], string][] = [
      ...["mse-logits", "dist", "dkd", "logit-standardization"].map((use): [string[], string] => [
        [`losses=[{ use: ${use} }]`],
        needsAll(use),
      ]),
      [
        ["losses=[{ use: kd }, { use: dbkd }]"],
        'Cannot use the loss "dbkd" with teacher.keep.topK: it runs the teacher itself, and sees all of its logits',
      ],
      [
        ["losses=[{ use: kd, temperature: { from: 4, to: 1 } }]"],
        'Cannot use the loss "kd" with teacher.keep.topK and a temperature that changes',
      ],
      [
        ["teacher.cache=null"],
        "Cannot keep the largest of the teacher's logits as it is not said where: give teacher.cache a folder",
      ],
      [
        ["train.theseus={ replacingRate: 0.5 }"],
        "Cannot keep the largest of the teacher's logits with train.theseus, where layers of the teacher compute in " +
        "every step: leave out keep",
      ],
      [["teacher.keep.topK=0"], "Expected an integer >= 1"],
    ];
    for (const [overrides, sentence] of refused) {
      await assert.rejects(run(folder, "refused", overrides), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.ok(error.message.includes(sentence), `${overrides}: ${error.message}`);
        return true;
      });
    }
    await assert.rejects(Deno.stat(join(folder, "outputs")), Deno.errors.NotFound);
  }));

Deno.test("a dry run computes losses of the form that the largest logits have, and keeps nothing", () =>
  withTeacher(async (folder) => {
    const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [{ path: ["output"], value: join(folder, "dry"), label: "test" }],
    });
    const backend = await CpuBackend.create();
    try {
      using run = await Run.open(recipe, { backend, builtins, dry: true });
      await run.step();
      await run.step();
      assert.equal(run.steps, 2);
    } finally {
      await backend.close();
    }
    await assert.rejects(Deno.stat(join(folder, "outputs")), Deno.errors.NotFound);
  }));

Deno.test("a cache beside a loss that runs the teacher itself says that it keeps nothing for it", () =>
  withTeacher(async (folder) => {
    const { warnings, reporter } = recorder();
    await tinyRun(folder, {
      text,
      reporter,
      overrides: [...SHORT, "teacher.keep=null", "losses=[{ use: dbkd, queries: 2 }]"],
    });
    assert.deepEqual(warnings.filter((line) => line.startsWith("teacher.cache")), [
      'teacher.cache keeps nothing for the loss "dbkd": it runs the teacher itself before training, in every run anew',
    ]);
    await assert.rejects(Deno.stat(join(folder, "outputs")), Deno.errors.NotFound);
  }));

Deno.test("a loss of a plug-in that runs the teacher must say so, as a cache keeps nothing for it", () =>
  withTeacher(async (folder) => {
    const write = (said: string) =>
      Deno.writeTextFile(
        join(folder, `${said}.ts`),
        `export default {
          kind: "loss", name: "asks", description: "", equation: "", source: "",
          options: ({ z }) => z.strictObject({}),
          create: () => ({
            teacherOutputs: [],
            ${said}: true,
            async prepare({ overTrainingBatches, teacherWeights }) {
              for await (const { data } of overTrainingBatches(({ ops }) => ops.full([16], 1))) data.length;
            },
            compute: ({ ops, student }) => ops.mean(student.logits),
          }),
        };`,
      );
    await write("mixed");
    await write("runsTeacher");
    const loss = (said: string) => ["teacher.keep=null", `losses=[{ use: ./${said}.ts }]`];
    await assert.rejects(run(folder, "silent", loss("mixed")), {
      name: "UserError",
      message: /Cannot run the teacher for the loss "asks" as it does not say runsTeacher: true beside teacherOutputs$/,
    });
    await run(folder, "said", loss("runsTeacher"));
  }));

Deno.test("a checkpoint's recipe says what is kept of the teacher where that is not all, as older ones say nothing", () => {
  const taught = (...overrides: string[]) => {
    const { value } = parseChecked(text, "tiny.yaml", recipeSchema, { overrides });
    return comparable(value).teacher as Record<string, unknown>;
  };
  assert.deepEqual(taught().keep, { topK: 2 });
  assert.ok(!("keep" in taught("teacher.keep=null")));
});
