import assert from "node:assert/strict";
import { join } from "node:path";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

/** Runs the tiny recipe with a loss (or a student) whose file has this text, and gives what is said. */
async function refusal(folder: string, text: string, kind: "loss" | "model" = "loss"): Promise<string> {
  const name = `plugin_${crypto.randomUUID()}.js`;
  await Deno.writeTextFile(join(folder, name), text);
  const recipe = kind === "loss"
    ? tinyRecipe.replace("{ use: cross-entropy }", `{ use: ./${name} }`)
    : tinyRecipe.replace("use: resnet", `use: ./${name}`);
  let said = "";
  await assert.rejects(tinyRun(folder, { text: recipe, overrides: ["train.maxSteps=2"] }), (error: Error) => {
    assert.equal(error.name, "UserError", error.stack);
    said = error.message.replaceAll(name, "FILE").replace(/^.*tiny\.yaml:\d+:\d+: /, "");
    return true;
  });
  assert.ok(!said.includes("\n"), said);
  return said;
}

const loss = (create: string) =>
  `export default { kind: "loss", name: "mine", description: "Mine", options: ({ z }) => z.strictObject({}), ` +
  `create: () => (${create}) };`;
const computing = (compute: string) =>
  loss(`{ teacherOutputs: [], compute: ({ ops, student, teacher }) => ${compute} }`);

Deno.test("what a loss does wrong is one sentence with its name", () =>
  withTinyData(async (folder) => {
    const says = async (text: string, sentence: string | RegExp) => {
      const said = await refusal(folder, text);
      if (typeof sentence === "string") assert.equal(said, sentence);
      else assert.match(said, sentence);
    };
    await says(computing('{ throw new Error("Out of ideas") }'), 'The loss "mine" failed in compute: Out of ideas');
    await says(
      computing("ops.mean(student.features.layer9)"),
      /^The loss "mine" failed in compute: Cannot read properties of undefined/,
    );
    await says(
      computing("ops.subtract(student.logits, student.pooled)"),
      /^The loss "mine" failed in compute: Cannot .*\[16, 3\].*\[16, 16\]/,
    );
    await says(
      computing("ops.square(student.logits)"),
      'Cannot use what compute of the loss "mine" returns: expected a scalar tensor of shape [], got a tensor of shape [16, 3]',
    );
    await says(computing("1"), /: expected a scalar tensor of shape \[\], got number$/);
    await says(computing("undefined"), /got undefined$/);
    await says(
      computing("ops.mean(teacher.logits)"),
      'The loss "mine" failed in compute: Cannot read the teacher\'s logits as teacherOutputs does not name it: add "logits" there',
    );
    await says(
      loss('{ teacherOutputs: ["logit"], compute() {} }'),
      'Cannot use the loss "mine": teacherOutputs names "logit", did you mean "logits"?',
    );
    await says(loss('(() => { throw new Error("No luck") })()'), 'The loss "mine" failed in create: No luck');
    await says(
      loss('{ teacherOutputs: [], async prepare() { throw new Error("No data") }, compute() {} }'),
      'The loss "mine" failed in prepare: No data',
    );
  }));

Deno.test("a file that is no plug-in is refused by what it lacks", () =>
  withTinyData(async (folder) => {
    assert.equal(
      await refusal(folder, "export const loss = 1;"),
      'Cannot use "./FILE" as a loss plug-in: it has no default export with a definition',
    );
    assert.equal(
      await refusal(folder, 'export default { kind: "model" };'),
      'Cannot use "./FILE" as a loss plug-in: its default export has no kind: "loss"',
    );
    assert.equal(
      await refusal(folder, 'export default { kind: "loss", name: "x", description: "X", options: () => {} };'),
      'Cannot use "./FILE" as a loss plug-in: its default export has no create',
    );
    assert.match(await refusal(folder, "export default {"), /^Cannot load the loss plug-in "\.\/FILE": /);
  }));

Deno.test("NaN of a loss stops the run and says what is not finite", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "nan.js"),
      computing("ops.log(ops.scale(ops.mean(ops.square(student.logits)), -1))"),
    );
    const text = tinyRecipe.replace("{ use: cross-entropy }", "{ use: ./nan.js }");
    await assert.rejects(tinyRun(folder, { text, overrides: ["train.maxSteps=2"] }), {
      name: "NonFiniteLoss",
      message: /^Stopped at step 1 as its loss is not finite/,
    });
  }));

Deno.test("what a model does wrong is one sentence with its name", () =>
  withTinyData(async (folder) => {
    const model = (build: string) =>
      `export default { kind: "model", name: "mine", description: "Mine", options: ({ z }) => z.looseObject({}), ` +
      `build: () => (${build}) };`;
    assert.equal(
      await refusal(folder, model('(() => { throw new Error("Too small") })()'), "model"),
      'The model "mine" failed in build: Too small',
    );
    assert.match(
      await refusal(folder, model("{}"), "model"),
      /^Cannot use the model "mine": its build must give \{ parameters/,
    );
    // "layer*.conv*.weight" of the recipe is to be found.
    const parameters = `[{ name: "layer1.conv1.weight", shape: [4, 4], initialise: { use: "constant", value: 1 }, ` +
      `trainable: true, overParameterisable: true }]`;
    assert.equal(
      await refusal(
        folder,
        model(`{ parameters: ${parameters}, config: {}, fromForeign: (name) => name, forward: () => ({ logits: 1 }) }`),
        "model",
      ),
      'Cannot use what forward of the model "mine" returns: it has no features',
    );
  }));

Deno.test("a loss that is an object of a class keeps its private fields", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "class.js"),
      `class Mine { #factor = 2; teacherOutputs = [];
        compute({ ops, student }) { return ops.scale(ops.mean(ops.square(student.logits)), this.#factor); } }
      ${loss("new Mine()")}`,
    );
    const text = tinyRecipe.replace("{ use: cross-entropy }", "{ use: ./class.js }");
    const summary = await tinyRun(folder, { text, overrides: ["train.maxSteps=2"] });
    assert.ok(summary.losses.mine > 0);
  }));
