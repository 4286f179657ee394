import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { mergeCheckpoint } from "../../../core/distill/merge_checkpoint.ts";
import { CHECKPOINT_FILE } from "../../../core/distill/training/checkpoint.ts";
import { readRecipe } from "../../../core/recipe/recipe.ts";
import { readSafetensors } from "../../../core/safetensors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { openModel } from "../../../plugins/open_model.ts";
import { carryOut } from "../../../tasks/assess/carry_out.ts";
import { planOf } from "../../../tasks/assess/plan.ts";
import { writeReport } from "../../../tasks/report/write_report.ts";
import { studentBytes } from "../../support/run_observers.ts";
import { runHere } from "../../support/run_here.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { textRecipe, writeTinyTexts } from "../../support/tiny_texts.ts";

const text = tinyRecipe.replace("width: 4", "width: 8");

async function answers(folder: string) {
  const backend = await CpuBackend.create();
  const model = await openModel(folder, { backend });
  const { logits } = await model.predict({ images: Uint8Array.from({ length: 3 * 64 }, (_, at) => at * 7 % 251) });
  model[Symbol.dispose]();
  await backend.close();
  return logits.flatMap((row) => [...row]);
}

Deno.test("a run exports its chains as factors, which everything reads", () =>
  withTinyData(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    const overrides = ["train.epochs=2"];
    const whole = await tinyRun(folder, { text, overrides, output: "whole" });
    const keep = "export={ keepFactors: true, rank: 0.5, onnx: true, manifest: true }";
    const summary = await tinyRun(folder, { text, overrides: [...overrides, keep], record: true });
    const cuts = Object.values(summary.factors!.weights);
    assert.equal(cuts.length, 6);
    assert.ok(cuts.every(({ rank, fullRank, error }) => rank === fullRank / 2 && error > 0 && error < 1));
    assert.ok(summary.factors!.maxAbsLogitDifference > 1e-3);
    // Of each weight I x J with the rank I / 2.
    const left = (rows: number, cols: number) => rows / 2 * (rows + cols) - rows * cols;
    const changes = [[8, 72], [8, 72], [16, 72], [16, 144], [32, 144], [32, 288]].map(([i, j]) => left(i, j));
    const count = changes.reduce((sum, change) => sum + change, whole.student.parametersInference);
    assert.equal(summary.student.parametersInference, count);
    // Two convolutions for one, in ONNX as well.
    const [onnx] = summary.export!.onnx;
    assert.ok(onnx.check.maxAbsLogitDifference < 1e-4);
    assert.equal(onnx.operators.Conv, 9 + 6);
    const { tensors } = await readSafetensors(at("run", "student", "model.safetensors"));
    assert.deepEqual(tensors.get("layer2.0.conv1.weight.down")!.shape, [8, 8, 3, 3]);
    assert.deepEqual(tensors.get("layer2.0.conv1.weight.up")!.shape, [16, 8, 1, 1]);
    const [own, exported, merged] = [
      await answers(at("run", "student")),
      await answers(at("run", "student-onnx")),
      await answers(at("whole", "student")),
    ];
    own.forEach((logit, index) => assert.ok(Math.abs(logit - exported[index]) < 1e-4, "ONNX"));
    assert.ok(own.some((logit, index) => Math.abs(logit - merged[index]) > 1e-3), "something was cut");

    // Merging the checkpoint gives the same file.
    const backend = await CpuBackend.create();
    const recipe = await readRecipe(at("run", "recipe.yaml"));
    const { parameters } = await mergeCheckpoint(recipe, at("run", CHECKPOINT_FILE), at("merged"), {
      backend,
      builtins,
    });
    assert.equal(parameters, count);
    assert.deepEqual(await Deno.readFile(at("merged", "model.safetensors")), await studentBytes(folder, "run"));

    // It teaches, and is started from, as the model that it is.
    const taught = text.replace(
      "student:",
      "teacher: { use: resnet, depth: 8, width: 8, weights: run/student }\nstudent:",
    )
      .replace("cross-entropy", "kd");
    const { teacher } = await tinyRun(folder, { text: taught, overrides: ["train.epochs=1"], output: "taught" });
    assert.equal(teacher!.accuracy, summary.student.accuracy);
    await tinyRun(folder, { text, overrides: ["train.epochs=1", "student.weights=run/student"], output: "started" });

    await writeReport(at("run"));
    assert.match(await Deno.readTextFile(at("run", "report.html")), /layer2\.0\.conv1\.weight 8 of 16/);
    assert.match(await Deno.readTextFile(at("run", "student", "README.md")), /stored as two factors/);
    const { code, stdout } = await runHere("evaluate", [
      at("run", "student"),
      "--recipe",
      at("run", "recipe.yaml"),
      "--json",
    ]);
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).metrics?.accuracy ?? JSON.parse(stdout).accuracy, summary.student.accuracy);

    const plan = await planOf([at("run")], {
      set: [],
      steps: "2",
      restarts: "1",
      only: "bounds,explanation",
      eps: "0.001",
      examples: "2",
    });
    const { report } = await carryOut(plan, { backend, builtins, tell: () => {}, manifest: true });
    assert.equal(report.subjects[0].parameters, count);
    assert.equal(report.sections.length, 2);
    assert.equal(backend.memory().storages, 0);
    await backend.close();
  }));

Deno.test("an encoder of factors has two products for one, and is no model of transformers any more", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeTinyTexts(folder);
    const keep = "export={ keepFactors: '*intermediate*', rank: 4, onnx: true }";
    const plain = await tinyRun(folder, {
      text: textRecipe("", "", 1),
      output: "plain",
      overrides: ["export.onnx=true"],
    });
    const { export: exported, student } = await tinyRun(folder, { text: textRecipe("", "", 1), overrides: [keep] });
    assert.equal(student.parametersInference, plain.student.parametersInference - 32 * 64 + 4 * 96);
    assert.equal(exported!.onnx[0].operators.MatMul, plain.export!.onnx[0].operators.MatMul + 1);
    const config = JSON.parse(await Deno.readTextFile(join(folder, "run", "student", "config.json")));
    assert.deepEqual([config.model_type, config.factors.hidden.model_type], [undefined, "bert"]);
    await assert.rejects(
      tinyRun(folder, {
        text: textRecipe("", "", 1),
        overrides: ["export={ keepFactors: '*word_embeddings*', rank: 4 }"],
      }),
      { name: "UserError", message: /Nothing matches "\*word_embeddings\*"/ },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
