import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../../core/data/random.ts";
import { evaluate } from "../../../core/evaluate/evaluate.ts";
import { loadData } from "../../../core/distill/load_data.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { freshWeights } from "../../../core/plugin/parameters.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { classLogits } from "../../../plugins/models/subclasses.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { buildResnet } from "./resnet_fixture.ts";

testBackends("a class's logit is the logarithm of the sum over its subclasses, however large", async (backend) => {
  const ops = createOps(backend);
  const logits = [0, Math.log(3), 1, 1, 500, 500, -900, -500, 0, 1000, -1000, -1000];
  const expected = [Math.log(4), 1 + Math.log(2), 500 + Math.log(2), -500, 1000, -1000 + Math.log(2)];
  assertClose(await classLogits(ops, ops.tensor(logits, [2, 6]), 2).read(), expected, 1e-6);
}, [float64, ...backends]);

testBackends("a residual network of four subclasses predicts classes by their sums", async (backend) => {
  const ops = createOps(backend);
  const model = buildResnet({ depth: 8, width: 4, subclasses: 4 }, [8, 8, 1], 3);
  const shapes = Object.fromEntries(model.parameters.map(({ name, shape }) => [name, shape]));
  assert.deepEqual([shapes["fc.weight"], shapes["fc.bias"]], [[12, 16], [12]]);
  assert.deepEqual([model.classifier, model.config.subclasses], ["fc.weight", 4]);
  const weights = freeze(ops, model, freshWeights(model, new Random(1)));
  const image = ops.tensor(pseudoRandom(2, 128), [2, 8, 8, 1]);
  const call = { ops, weights, batch: { image }, training: false, randomSeed: () => 0 };
  const { logits, subclassLogits } = model.forward(call);
  assert.deepEqual([logits.shape, subclassLogits!.shape], [[2, 3], [2, 12]]);
  const parts = await ops.softmax(subclassLogits!).read();
  const sums = [0, 1, 2, 3, 4, 5].map((c) => [0, 1, 2, 3].reduce((sum, s) => sum + parts[4 * c + s], 0));
  assertClose(await ops.softmax(logits).read(), sums, 1e-6);
  weights.dispose();
}, [float64, ...backends]);

Deno.test("a student trained by lelp is merged, verified, saved and measured as any other", async () => {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]"] });
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses: [{ use: lelp, subclasses: 2 }]`,
    );
    await assert.rejects(tinyRun(folder, { text }), {
      name: "UserError",
      message:
        /tiny\.yaml:\d+:\d+: Cannot divide 3 classes into 2 each as the student gives 3 logits: set .* to 2, an option of resnet and of bert$/,
    });
    const overrides = ["student.subclasses=2", "student.overParameterise[0].layers=[layer*.conv*.weight, fc.weight]"];
    const summary = await tinyRun(folder, { text, overrides });
    assert.ok(summary.student.accuracy! > 0.8, `${summary.student.accuracy}`);

    const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, { overrides });
    const plugins = await resolvePlugins(recipe, builtins);
    const data = await loadData(recipe, plugins.dataset, new Random(3));
    const { input } = data.dataset;
    const { model, weights } = await readModelFolder(join(folder, "run", "student"), builtins.model, input);
    const backend = await CpuBackend.create();
    const ops = createOps(backend);
    const frozen = freeze(ops, model, weights);
    const measured = await evaluate(ops, {
      model,
      weights: frozen,
      examples: data.test,
      input,
      batchSize: 10,
    });
    assert.equal(measured.accuracy, summary.student.accuracy);
    await backend.close();
  });
});
