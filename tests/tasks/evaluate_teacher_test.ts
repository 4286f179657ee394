import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";
import { evaluateTeacher } from "../../tasks/support/evaluate_teacher.ts";
import { FIXTURES } from "../plugins/models/onnx_fixture.ts";
import { runHere } from "../support/run_here.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

const ONNX =
  "use: onnx, weights: rows.onnx, outputs: { probabilities: output_probability }, normalise: { mean: [0], std: [1] }";
const OURS = "use: resnet, depth: 8, width: 4, weights: ours/student";

const taught = (teacher: string) =>
  tinyRecipe.replace("losses: [{ use: cross-entropy }]", `teacher: { ${teacher} }\nlosses: [{ use: kd }]`);

async function measured(folder: string, text: string, split = "test") {
  const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema);
  const backend = await CpuBackend.create();
  try {
    const report = await evaluateTeacher(recipe, { backend, builtins, split, tell: () => {} });
    assert.equal(backend.memory().storages, 0);
    return report;
  } finally {
    await backend.close();
  }
}

Deno.test("a recipe's teacher is measured as the run measures it: ONNX, several together, files of outputs", () =>
  withTinyData(async (folder) => {
    await Deno.copyFile(join(FIXTURES, "rows.onnx"), join(folder, "rows.onnx"));
    await tinyRun(folder, { output: "ours", overrides: ["train.maxSteps=6"] });
    for (
      const [teacher, architecture, model] of [
        [ONNX, "onnx", "rows.onnx"],
        [OURS, "resnet", "ours/student"],
        [`${OURS}, others: [{ ${ONNX} }]`, "resnet and onnx", "ours/student, rows.onnx"],
      ]
    ) {
      const text = taught(teacher);
      const { teacher: told } = await tinyRun(folder, { text, overrides: ["train.maxSteps=1"] });
      const report = await measured(folder, text);
      assert.deepEqual([report.loss, report.metrics, report.examples], [told!.loss, told!.metrics, 24]);
      assert.deepEqual([report.architecture, report.model, report.classes!.length], [architecture, model, 3]);
      assert.equal((await measured(folder, text, "validation")).examples, 24);
    }
    await Deno.writeTextFile(
      join(folder, "said.jsonl"),
      Array.from({ length: 96 }, (_, index) => JSON.stringify({ 0: 0, 1: 0, 2: 0, [index % 3]: 9 })).join("\n"),
    );
    const said = taught("use: outputs, file: said.jsonl, key: row, values: logits");
    const { metrics, model } = await measured(folder, said, "train");
    assert.deepEqual([metrics.accuracy, model], [1, "said.jsonl"]);
    const refused = (text: string, message: RegExp, split?: string) =>
      assert.rejects(measured(folder, text, split), { name: "UserError", message });
    await refused(said, /^--split test: Cannot measure a file of outputs there as .* teacher\.file: \{ train: FILE/);
    await refused(tinyRecipe, /^Cannot measure the teacher of ".*tiny\.yaml" as it names none$/);
    await refused(said, /^--split mismatched: Expected train, test or validation$/, "mismatched");
  }));

Deno.test("evaluate takes an ONNX file on a recipe's data, and the teacher of a recipe", () =>
  withTinyData(async (folder) => {
    const [recipe, moved] = [join(folder, "tiny.yaml"), join(folder, "moved.onnx")];
    await Deno.copyFile(join(FIXTURES, "rows.onnx"), moved);
    await Deno.writeTextFile(recipe, taught(ONNX));
    const evaluate = (...args: string[]) => runHere("evaluate", [...args, "--backend", "cpu"]);
    const { code, stdout, stderr } = await evaluate(moved, "--recipe", recipe, "--json");
    assert.equal(code, 0, stderr);
    const { model, architecture, metrics } = JSON.parse(stdout);
    assert.deepEqual([model, architecture, metrics.accuracy], [moved, "onnx", 1]);
    const shown = await evaluate("--teacher", recipe, "--set", `teacher.weights=${moved}`);
    assert.match(shown.stdout, /accuracy +100\.00 %/, shown.stderr);
    // A folder as an export without fp32 leaves it.
    const folderOfOne = join(folder, "small");
    await Deno.mkdir(join(folderOfOne, "onnx"), { recursive: true });
    await Deno.copyFile(moved, join(folderOfOne, "onnx", "model_quantized.onnx"));
    const small = await evaluate(folderOfOne, "--recipe", recipe);
    assert.match(small.stdout, /accuracy +100\.00 %/, small.stderr);
    const report = await evaluate(folderOfOne, "--recipe", recipe, "--json");
    assert.equal(JSON.parse(report.stdout).model, join(folderOfOne, "onnx", "model_quantized.onnx"));
    await Deno.writeTextFile(join(folderOfOne, "config.json"), '{ "exportedFrom": "another model" }');
    const wrong = await evaluate(join(folderOfOne, "onnx", "model_quantized.onnx"), "--recipe", recipe);
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /Cannot use ".*quantized\.onnx" as ".*config\.json" beside it is of an export that it does not say to be part of: /,
    );
    for (
      const [args, says] of [
        [[moved], `Cannot evaluate "${moved}" without a data set: name a recipe that has it with --recipe FILE`],
        [[], "Cannot evaluate nothing: name a model, or --teacher RECIPE"],
        [["x", "--teacher", recipe], `--teacher ${recipe}: Cannot measure "x" as well: leave out one of them`],
      ] as const
    ) {
      const { code, stderr } = await evaluate(...args);
      assert.deepEqual([code, stderr], [2, `${says}\n`]);
    }
  }));
