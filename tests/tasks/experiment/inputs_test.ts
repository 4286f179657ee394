import assert from "node:assert/strict";
import { join } from "node:path";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { InputHashes, readInputs, writeInputs } from "../../../tasks/experiment/inputs.ts";
import { FIXTURES } from "../../plugins/models/onnx_fixture.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

/** Runs `body` in a temporary folder with what the tiny recipe names as its student's weights. */
async function withWeights(
  weights: string,
  body: (folder: string, write: (file: string, text: string) => Promise<void>, recipe: Recipe) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const write = (file: string, text: string) => Deno.writeTextFile(join(folder, file), text);
    const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [`student.weights=${weights}`],
    });
    await Deno.mkdir(join(folder, "model"));
    for (const name of ["config.json", "a.bin", "b.bin", "other.bin", "x.safetensors"]) {
      await write(`model/${name}`, name);
    }
    await write("model/model.json", `{ "weightsManifest": [{ "paths": ["a.bin", "b.bin"] }] }`);
    await body(folder, write, recipe);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
type Recipe = Parameters<InputHashes["named"]>[0];

const forms: readonly (readonly [weights: string, parts: string[], others: string[]])[] = [
  ["model", ["config.json", "a.bin", "other.bin", "x.safetensors", "new.bin"], []],
  ["model/model.json", ["model.json", "config.json", "a.bin", "b.bin"], ["other.bin", "x.safetensors"]],
  ["model/x.safetensors", ["x.safetensors", "config.json"], ["a.bin", "model.json"]],
];

for (const [weights, parts, others] of forms) {
  Deno.test(`weights named as ${weights} change with each of their files, and with no other`, () =>
    withWeights(weights, async (_folder, write, recipe) => {
      const now = () => new InputHashes().named(recipe);
      for (const [files, says] of [[others, null], [parts, `"${weights}" (weights)`]] as const) {
        for (const file of files) {
          const before = await now();
          assert.deepEqual(Object.keys(before.weights!), [weights]);
          await write(`model/${file}`, file === "model.json" ? `["a.bin", "b.bin"]` : `${file}, again`);
          assert.equal(await new InputHashes().changed(recipe, before), says, file);
        }
      }
    }));
}

Deno.test("weights in ONNX change with the file of their tensors, and in a folder within theirs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "hub", "onnx"), { recursive: true });
    for (const place of [folder, join(folder, "hub", "onnx")]) {
      for (const name of ["fixed.onnx", "fixed.onnx.data"]) {
        await Deno.copyFile(join(FIXTURES, name), join(place, name === "fixed.onnx" ? "model.onnx" : name));
      }
    }
    for (const [weights, data] of [["model.onnx", "fixed.onnx.data"], ["hub", "hub/onnx/fixed.onnx.data"]]) {
      const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
        overrides: [`student.weights=${weights}`],
      });
      const before = await new InputHashes().named(recipe);
      assert.equal(await new InputHashes().changed(recipe, before), null);
      await Deno.writeTextFile(join(folder, data), "others");
      assert.equal(await new InputHashes().changed(recipe, before), `"${weights}" (weights)`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file is hashed once, and what is gone or was never recorded is not compared", () =>
  withWeights("model/x.safetensors", async (folder, write, recipe) => {
    const hashes = new InputHashes();
    const before = await hashes.named(recipe);
    await write("model/x.safetensors", "other");
    assert.equal(await hashes.changed(recipe, before), null, "the first reading counts");
    assert.equal(await new InputHashes().changed(recipe, {}), null);
    await Deno.remove(join(folder, "model"), { recursive: true });
    assert.equal(await new InputHashes().changed(recipe, before), null);
    assert.deepEqual((await new InputHashes().named(recipe)).weights, {});
    const data = { "https://example.org/x.bin": "0", "npm:some-package": "0" };
    assert.equal(await new InputHashes().changed(recipe, { data }), null);
  }));

Deno.test("what a run read is kept in its folder", () =>
  withWeights("model", async (folder) => {
    const inputs = { data: { a: "1" }, weights: { b: "2" }, "plug-in": {} };
    assert.deepEqual(await readInputs(join(folder, "run")), {});
    await writeInputs(join(folder, "run"), inputs);
    assert.deepEqual(await readInputs(join(folder, "run")), inputs);
    await assert.rejects(writeInputs(join(folder, "model", "a.bin"), inputs), {
      name: "UserError",
      message: /^Cannot make the run folder ".*a\.bin" as there is a file of that name: /,
    });
  }));
