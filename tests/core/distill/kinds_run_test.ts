import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { mergeCheckpoint } from "../../../core/distill/merge_checkpoint.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { CHECKPOINT_FILE, comparable } from "../../../core/distill/training/checkpoint.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { readRecipe } from "../../../core/recipe/recipe.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { sha256 } from "../../../core/sha256.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { backends } from "../../support/backends.ts";
import { recorder, stopAt } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

/** A kind in each of the student's stages. */
const KINDS = "student.overParameterise=[" + [
  "{ layers: layer1*conv*, use: sum, kernels: 2 }",
  "{ layers: layer2*conv*, use: do-conv }",
  "{ layers: layer3*conv*, use: majority, kernels: 3 }",
].join(", ") + "]";

Deno.test("a run of every kind merges exactly, resumes bit for bit, and its replayed steps are those that are run", () =>
  withTinyData(async (folder) => {
    const options = { overrides: [KINDS, "train.epochs=2", "export.manifest=true", "student.dropout=0.2"] };
    const { lines, reporter } = recorder();
    const whole = await tinyRun(folder, { ...options, output: "whole", reporter, record: true });
    assert.ok(whole.merge.maxAbsLogitDifference < 1e-4, `${whole.merge.maxAbsLogitDifference}`);
    assert.ok(lines.some((line) => line.endsWith(" at inference")), lines.join("\n"));

    for (const stop of [3, 5]) {
      await assert.rejects(tinyRun(folder, { ...options, signal: stopAt(stop), output: "parts" }), Interrupted);
      const resumed = await tinyRun(folder, { ...options, resume: true, output: "parts" });
      assert.equal(resumed.studentSha256, whole.studentSha256, `${stop}`);
    }
    const unplayed = [...options.overrides, "train.replay=false"];
    const { studentSha256 } = await tinyRun(folder, { overrides: unplayed, output: "unplayed" });
    assert.equal(studentSha256, whole.studentSha256);

    // The checkpoint after the last step has the tensors that all of it was made of.
    const run = join(folder, "whole"), out = join(folder, "merged");
    const backend = await CpuBackend.create();
    const recipe = await readRecipe(join(run, "recipe.yaml"));
    await mergeCheckpoint(recipe, join(run, CHECKPOINT_FILE), out, { backend, builtins });
    assert.equal(backend.memory().storages, 0, "nothing is left on the device");
    await backend.close();
    assert.equal(await sha256(await Deno.readFile(join(out, "model.safetensors"))), whole.studentSha256);

    const json = async (...path: string[]) => JSON.parse(await Deno.readTextFile(join(folder, "whole", ...path)));
    const { matrices } = await json("record.json");
    assert.deepEqual(
      matrices.map(({ heldAs }: { heldAs: string }) => heldAs).filter((_: string, at: number) => at % 2 === 0),
      ["2 kernels, 1x1 and mean", "a kernel and 4 of 9 x 9", "3 kernels, mixed"],
    );
    const manifest = await json("student", "manifest.json");
    for (const { use, rows, cols, reconstructionError } of manifest.matrices) {
      assert.ok(use !== "mpo" && rows.length === 1 && cols.length === 1 && reconstructionError < 1e-6, use);
    }
    const card = await Deno.readTextFile(join(run, "student", "README.md"));
    assert.match(
      card,
      /6 weight matrices of it were made of more parameters in each step \(OREPA, arXiv:2204\.00826; DO-Conv, arXiv:2006\.12030; majority kernels, arXiv:2402\.05033\), [\d,]+ in all; they were merged, and/,
    );
    assert.ok(card.includes("`layer2.0.conv1.weight` do-conv: a kernel and 4 of 9 x 9"), card);
  }));

for (const { name, available, open } of backends) {
  Deno.test({
    name: `every kind trains, beside pruning and merged weight decay, and is verified (${name})`,
    ignore: !available,
    fn: () =>
      withTinyData(async (folder) => {
        const backend = await open();
        const overrides = [
          KINDS,
          "train.maxSteps=4",
          "train.cores.weightDecayTarget=merged",
          "student.prune={ layers: 'layer*conv*', amount: 0.5, over: 0.5 }",
        ];
        const { merge, pruning, student } = await tinyRun(folder, { backend, overrides });
        assert.ok(merge.maxAbsLogitDifference < 1e-3);
        assert.ok(pruning!.nonZeros < student.parametersInference);
        assert.equal(backend.memory().storages, 0, "nothing is left on the device");
        await backend.close();
      }),
  });
}

Deno.test("losses of cores refuse what has none, and do-conv refuses a layer without places, by the line", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]", "train.maxSteps=1"] });
    const taught = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses: [{ use: tensor-alignment }]`,
    );
    await assert.rejects(tinyRun(folder, { text: taught, overrides: [KINDS] }), {
      name: "UserError",
      message:
        /Cannot align tensors: no weight of the student is over-parameterised as a chain \(use: mpo\): layer1\.0\.conv1\.weight has use: sum, and no cores$/,
    });
    const everywhere = "student.overParameterise=[{ layers: ['*.conv*weight', 'fc*'], use: do-conv }]";
    await assert.rejects(tinyRun(folder, { overrides: [everywhere] }), {
      name: "UserError",
      message:
        /Cannot use do-conv where there is nothing to mix: expected kernels of more than one place, not \[3, 16\]; leave it out by "!" in layers \(for fc\.weight\)$/,
    });
  }));

Deno.test("a checkpoint of before there were other kinds fits its recipe still", () => {
  const entry = { layers: "layer*.conv*.weight", cores: 3, rows: null, cols: null, increaseRate: null };
  const { value } = parseChecked(tinyRecipe, "tiny.yaml", recipeSchema);
  const { student } = comparable(value) as { student: { overParameterise: unknown } };
  assert.deepEqual(student.overParameterise, [{ ...entry, gauge: "balanced" }]);
  const changed = parseChecked(tinyRecipe, "tiny.yaml", recipeSchema, { overrides: [KINDS] }).value;
  const own = comparable(changed) as { student: { overParameterise: readonly Record<string, unknown>[] } };
  assert.deepEqual(own.student.overParameterise.map(({ use, kernels }) => [use, kernels]), [
    ["sum", 2],
    ["do-conv", null],
    ["majority", 3],
  ]);
});
