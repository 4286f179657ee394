import assert from "node:assert/strict";
import { join } from "node:path";
import { useTeacherCache } from "../../../core/distill/use_teacher_cache.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Loss } from "../../../core/plugin/loss.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { cpu, testBackends } from "../../support/backends.ts";
import { recorder, studentBytes } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const cached = (folder: string) =>
  `teacher: { use: resnet, depth: 8, width: 4, weights: one/student, cache: ${folder} }
losses: [{ use: kd }, { use: hidden-mse, pairs: [{ student: layer1, teacher: layer1 }] }, { use: patient, pairs: [{ student: pooled, teacher: pooled }] }]`;

async function withCache(body: (folder: string, text: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=9"] });
    await body(folder, tinyRecipe.replace("losses: [{ use: cross-entropy }]", cached("outputs")));
  });
}

const filesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("cached outputs train the same student as those of every step, and are written once", async () => {
  await withCache(async (folder, text) => {
    const run = async (output: string, more: Parameters<typeof tinyRun>[1] = {}) => {
      const { lines, reporter } = recorder();
      const summary = await tinyRun(folder, { text, reporter, output, ...more });
      return { summary, said: lines.filter((line) => line.startsWith("teacher: outputs")).join() };
    };
    const without = await run("without", { overrides: ["teacher.cache=null"] });
    const first = await run("first");
    assert.match(first.said, /^teacher: outputs of 72 examples written to ".*outputs.*\.safetensors", \d+\.\d MB$/);
    const [file] = await filesIn(join(folder, "outputs"));
    const second = await run("second");
    assert.equal(second.said, `teacher: outputs read from "${join(folder, "outputs", file)}"`);
    assert.equal(without.said, "");
    const bytes = await Promise.all(["without", "first", "second"].map((run) => studentBytes(folder, run)));
    assert.deepEqual(bytes[1], bytes[2]);
    // The teacher saw other batches, so that its sums may round otherwise.
    assert.ok(Math.abs(without.summary.losses.kd - first.summary.losses.kd) < 1e-4);
    assert.deepEqual(without.summary.student.accuracy, first.summary.student.accuracy);
  });
});

Deno.test("outputs of other weights, data, options, splits or losses are not used", async () => {
  await withCache(async (folder, text) => {
    const count = async () => (await filesIn(join(folder, "outputs"))).length;
    const overrides = ["train.maxSteps=1"];
    const run = (text: string, more: string[] = []) => tinyRun(folder, { text, overrides: [...overrides, ...more] });
    await run(text);
    assert.equal(await count(), 1);
    await run(text, ["train.batchSize=8", "losses[0].temperature=2", "name=other"]);
    assert.equal(await count(), 1, "what has no influence changes nothing");
    await run(text, ["seed=4"]);
    await run(text, ["validation.count=23"]);
    await run(text, ["dataset.mean=[0.4]"]);
    await run(text, ["teacher.dropout=0.1"]);
    await run(text, ["losses=[{ use: kd }]"]);
    assert.equal(await count(), 6);
    await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=8"] });
    await run(text);
    assert.equal(await count(), 7, "other weights");
  });
});

Deno.test("a damaged cache is not used but written again", async () => {
  await withCache(async (folder, text) => {
    const { lines, reporter } = recorder();
    const whole = await tinyRun(folder, { text });
    const [name] = await filesIn(join(folder, "outputs"));
    const file = join(folder, "outputs", name);
    const bytes = await Deno.readFile(file);
    const changes: [string, Uint8Array][] = [
      ["a changed number", bytes.with(bytes.length - 2, bytes[bytes.length - 2] ^ 1)],
      ["a shorter file", bytes.slice(0, -8)],
      ["another file", new TextEncoder().encode("not safetensors at all")],
    ];
    for (const [what, damaged] of changes) {
      await Deno.writeFile(file, damaged);
      lines.length = 0;
      const again = await tinyRun(folder, { text, reporter });
      assert.ok(
        lines.includes(`teacher: "${file}" is damaged and not used: its outputs are computed again`),
        `${what}: ${lines.join("\n")}`,
      );
      assert.equal(again.studentSha256, whole.studentSha256, what);
      assert.deepEqual(await Deno.readFile(file), bytes, what);
    }
  });
});

Deno.test("augmentation and a cache exclude each other", async () => {
  await withCache(async (folder, text) => {
    for (const augment of ["{ flip: true }", "{ shift: 1 }"]) {
      await assert.rejects(tinyRun(folder, { text, overrides: [`augment=${augment}`] }), {
        name: "UserError",
        message:
          /tiny\.yaml:\d+:\d+: Cannot cache the teacher's outputs as augmentation changes the images in every epoch/,
      });
    }
    await assert.rejects(Deno.stat(join(folder, "outputs")), Deno.errors.NotFound);
  });
});

testBackends("outputs for each token of a text are refused before anything is computed", async (backend) => {
  const ops = createOps(backend);
  const recipe = parseChecked(
    tinyRecipe.replace("losses:", "teacher: { use: x, weights: y, cache: z }\nlosses:"),
    "r.yaml",
    recipeSchema,
  );
  const input = {
    task: "classification",
    classes: ["a"],
    image: null,
    text: { vocabulary: 9, maxLength: 8, padding: 0, files: {} },
  } as const;
  const lessons = { data: { dataset: { input } }, teacher: {} } as unknown as Parameters<typeof useTeacherCache>[2];
  const loss: Loss = { teacherOutputs: ["logits", "hidden"], compute: ({ ops }) => ops.scalar(0) };
  const none = weightsFrom(new Map());
  const losses = [{ name: "x", weight: 1, loss, parameters: none, state: none }];
  await assert.rejects(useTeacherCache(ops, recipe, lessons, losses, () => {}), {
    name: "UserError",
    message: "r.yaml:14:39: Cannot cache the teacher's outputs for each token of a text as a batch is as long as its " +
      "longest text: set cache to null",
  });
}, [cpu]);
