import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";

const files = { train: "{ images: a, labels: b }", test: "{ images: a, labels: b }" };

/** A recipe in a folder with a teacher of two layers, resolved. */
function resolve(folder: string, teacher: string, student: string) {
  const text = `name: text\ndataset: { use: idx, train: ${files.train}, test: ${files.test} }\n` +
    `losses: [{ use: cross-entropy }]\nteacher: { use: bert, ${teacher} }\nstudent: { use: bert, ${student} }\n` +
    "train: { epochs: 1, batchSize: 1, optimiser: { use: sgd, learningRate: 1 } }\n";
  return resolvePlugins(parseChecked(text, join(folder, "recipe.yaml"), recipeSchema), builtins);
}

async function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "teacher"));
    const config = { model_type: "bert", num_hidden_layers: 2, hidden_size: 8, num_attention_heads: 2 };
    await Deno.writeTextFile(join(folder, "teacher", "config.json"), JSON.stringify(config));
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a model's sizes come from the config.json beside its weights, or from the one that is named", () =>
  withTeacher(async (folder) => {
    const from = async (teacher: string, student: string) => {
      const resolved = await resolve(folder, teacher, student);
      const show = ({ layers, width, heads }: Record<string, number>) => [layers, width, heads];
      return [show(resolved.teacher!.options), show(resolved.student.options)];
    };
    const sizes = "layers: 1, width: 4";
    const given = [1, 4, null];
    assert.deepEqual(await from("weights: teacher", sizes), [[2, 8, 2], given]);
    assert.deepEqual(await from("weights: teacher/model.safetensors", sizes), [[2, 8, 2], given]);
    assert.deepEqual(await from("weights: other.safetensors, config: teacher", sizes), [[2, 8, 2], given]);
    assert.deepEqual(await from("weights: t, config: teacher/config.json", "config: teacher, layers: 1"), [[2, 8, 2], [
      1,
      8,
      2,
    ]]);
    // Without a description, the recipe says it all.
    assert.deepEqual(await from(`weights: other.safetensors, ${sizes}`, sizes), [given, given]);
  }));

Deno.test("a config.json that is not there, or of another family, is refused with its place in the recipe", () =>
  withTeacher(async (folder) => {
    const refused = (teacher: string, message: RegExp) =>
      assert.rejects(() => resolve(folder, teacher, "layers: 1, width: 4"), { name: "UserError", message });
    await refused(
      "weights: t, config: nothing.json",
      /recipe\.yaml:4:\d+: Cannot read the model's description ".*nothing/,
    );
    await Deno.writeTextFile(join(folder, "teacher", "config.json"), '{ "model_type": "gpt2" }');
    await refused(
      "weights: teacher",
      /recipe\.yaml:4:\d+: Cannot build the model in ".*config\.json": Cannot build a model of type "gpt2" as an encoder/,
    );
    await Deno.writeTextFile(join(folder, "teacher", "config.json"), "[]");
    await refused("weights: teacher", /recipe\.yaml:4:\d+: Cannot read ".*config\.json" as a model's description/);
  }));

Deno.test("a Hugging Face config is built by the family of its model_type", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/config.json`;
    const describe = async (config: Record<string, unknown>) => {
      await Deno.writeTextFile(file, JSON.stringify(config));
      return await readDescribedModel(folder, builtins.model);
    };
    const sizes = { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16 };
    const vit = await describe({ model_type: "vit", ...sizes, image_size: 8, patch_size: 4, num_channels: 1 });
    assert.equal(vit.architecture, "vit");
    assert.deepEqual(vit.model.parameters.find(({ name }) => name.endsWith("position_embeddings"))!.shape, [1, 5, 8]);
    const bert = await describe({ model_type: "roberta", ...sizes, vocab_size: 20, max_position_embeddings: 12 });
    assert.equal(bert.architecture, "bert");
    assert.equal(bert.input.task, "classification");
    // A cross-encoder's: one label without a word of what it answers is a number.
    const one = { ...sizes, id2label: { 0: "LABEL_0" } };
    assert.equal((await describe({ model_type: "bert", ...one })).input.task, "regression");
    const several = await describe({ model_type: "bert", ...one, problem_type: "multi_label_classification" });
    assert.equal(several.input.task, "multi-label");
    await assert.rejects(() => describe({ model_type: "gpt2" }), {
      name: "UserError",
      message:
        /Cannot build a model of type "gpt2", as it writes texts, and only encoders are read: expected one of bert, distilbert, .*, vit, deit$/,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const use of ["bert", "vit"]) {
  Deno.test(`${use}: a student of its teacher's layers computes as they do, and is refused where it says otherwise`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const started = (student: string, from = "teacher") => {
        const sizes = `use: ${use}, layers: 2, width: 384`;
        const text = `name: text\ndataset: { use: idx, train: ${files.train}, test: ${files.test} }\n` +
          `losses: [{ use: cross-entropy }]\n` +
          `teacher: { ${sizes}, heads: 12, activation: relu, epsilon: 0.001, weights: t.safetensors }\n` +
          `student: { ${sizes}, ${
            from === "teacher" ? "initialise: { from: teacher }" : "initialise: null"
          }${student} }\n` +
          "train: { epochs: 1, batchSize: 1, optimiser: { use: sgd, learningRate: 1 } }\n";
        return resolvePlugins(parseChecked(text, join(folder, "recipe.yaml"), recipeSchema), builtins);
      };
      const show = ({ variant, heads, activation, epsilon }: Record<string, unknown>) => [
        variant,
        heads,
        activation,
        epsilon,
      ];
      const own = [use, 12, "relu", 0.001];
      assert.deepEqual(show((await started("")).student.options), own);
      assert.deepEqual(show((await started(", heads: 12")).student.options), own);
      // DistilBERT has BERT's layers, and DeiT a vision transformer's.
      const other = use === "bert" ? "distilbert" : "deit";
      assert.deepEqual(show((await started(`, variant: ${other}`)).student.options), [other, ...own.slice(1)]);
      assert.deepEqual(show((await started("", "nothing")).student.options), [null, null, null, null]);
      await assert.rejects(() => started(", heads: 6"), {
        name: "UserError",
        message:
          /recipe\.yaml:5:\d+: Cannot start a student with heads: 6 from layers of its teacher, which has heads: 12: leave/,
      });
      await assert.rejects(() => started(", epsilon: 0.1"), /with epsilon: 0\.1 .* which has epsilon: 0\.001/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
