import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { Run } from "../../../core/distill/run.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const wanting = (onnx: string) => `${tinyRecipe.replace("epochs: 5", "epochs: 1")}export: { onnx: ${onnx} }\n`;
const taught = (onnx: string) =>
  wanting(onnx).replace("student:", "teacher: { use: resnet, depth: 8, width: 4, weights: plain/student }\nstudent:")
    .replace("labels: train-labels", "labels: null").replace("use: idx", 'use: idx\n  classes: ["0", "1", "2"]')
    .replace("cross-entropy", "kd");

Deno.test("a run exports its student to ONNX as the recipe says, with the operators of one that was never decomposed", async () => {
  await withTinyData(async (folder) => {
    const plain = wanting("true").replace(/overParameterise: .*/, "overParameterise: []");
    const { export: other, student } = await tinyRun(folder, { text: plain, output: "plain" });
    assert.equal(student.parameterIncreaseRate, 1);

    const { export: factored, student: learnt } = await tinyRun(folder, {
      text: taught("{ precision: [fp32, int8] }"),
    });
    assert.ok(learnt.metrics.agreement > 0);
    const [exact, small] = factored!.onnx;
    assert.deepEqual([exact.file, small.file], ["onnx/model.onnx", "onnx/model_quantized.onnx"]);
    assert.ok(exact.check.maxAbsLogitDifference < 1e-5 && exact.check.of === "test" && exact.check.examples === 24);
    assert.equal(exact.metrics, null);
    assert.equal(small.metrics!.own.accuracy, learnt.accuracy);
    // With the teacher, with whom a run measures how often its student agrees, the file is not compared.
    assert.deepEqual(Object.keys(small.metrics!.own), Object.keys(small.metrics!.onnx));
    assert.ok(Math.abs(small.metrics!.onnx.accuracy - learnt.accuracy!) < 0.1);
    const out = join(folder, "run", "student-onnx");
    for (const { file, bytes } of factored!.onnx) assert.equal((await Deno.stat(join(out, file))).size, bytes);
    const metrics = JSON.parse(await Deno.readTextFile(join(folder, "run", "metrics.json")));
    assert.deepEqual(metrics.export, factored);
    assert.match(
      await Deno.readTextFile(join(out, "README.md")),
      /library_name: transformers\.js\n[^]*model_quantized/,
    );
    const config = JSON.parse(await Deno.readTextFile(join(out, "config.json")));
    assert.deepEqual([config.architecture, config.id2label[2], config.run], ["resnet", "2", metrics.run]);
    assert.equal(JSON.parse(await Deno.readTextFile(join(out, "preprocessor_config.json"))).do_convert_rgb, false);

    assert.deepEqual(exact.operators, other!.onnx[0].operators);

    // A run that is done is exported later by resuming it.
    const resumed = await tinyRun(folder, { text: taught("true"), resume: true });
    assert.deepEqual(resumed.export!.onnx.map(({ file }) => file), ["onnx/model.onnx"]);
    // Without the key there is none, and the one of the run before is put aside with the rest.
    assert.equal((await tinyRun(folder, { text: taught("false") })).export, undefined);
    await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
    assert.ok(await Deno.stat(join(folder, "run", "previous", "student-onnx", "onnx", "model.onnx")));
  });
});

Deno.test("a run that is trained on after its export has that of the later student", async () => {
  await withTinyData(async (folder) => {
    const recipe = parseChecked(wanting("true"), join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [{ path: ["output"], value: join(folder, "run"), label: "test" }],
    });
    const backend = await CpuBackend.create();
    try {
      using run = await Run.open(recipe, { backend, builtins });
      const exportedFrom = async () => {
        await run.step();
        await run.export();
        await run.summary();
        return JSON.parse(await Deno.readTextFile(join(folder, "run", "student-onnx", "config.json"))).exportedFrom;
      };
      assert.notEqual(await exportedFrom(), await exportedFrom());
    } finally {
      await backend.close();
    }
  });
});

Deno.test("a student that cannot be exported is refused before it is trained, with the recipe's line", async () => {
  await withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "mine.ts"),
      `export default {
        kind: "model", name: "mine", description: "", source: "", options: ({ z }) => z.strictObject({}),
        build: (_, { classes }) => ({
          parameters: [{ name: "w", shape: [classes.length, 64], initialise: { use: "constant", value: 0 },
            trainable: true, overParameterisable: false }],
          config: {}, fromForeign: (name) => name,
          forward: ({ ops, batch, weights }) => {
            const pooled = ops.huber(ops.reshape(batch.image, [batch.image.shape[0], 64]), 1);
            return { logits: ops.linear(pooled, weights.get("w")), features: {}, hidden: [], attention: [], pooled };
          },
        }),
      };`,
    );
    const text = wanting("true").replace(/student:[\s\S]*?losses/, "student: { use: ./mine.ts }\nlosses");
    await assert.rejects(() => tinyRun(folder, { text }), {
      message:
        /tiny\.yaml:\d+:\d+.*Cannot export the model to ONNX as it uses the operation huber, which no operator /s,
    });
    await assert.rejects(Deno.stat(join(folder, "run")), Deno.errors.NotFound);
  });
});
