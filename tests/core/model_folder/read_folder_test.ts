import assert from "node:assert/strict";
import { join } from "node:path";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";

/** What the tiny runs are trained for, as their config.json has it. */
async function dataOf(folder: string): Promise<InputDescription> {
  const { input: { height, width, channels, normalise }, labels } = await readConfig(folder);
  return { task: "classification", classes: labels, image: { size: [height, width, channels], normalise }, text: null };
}

const readConfig = async (folder: string) => JSON.parse(await Deno.readTextFile(join(folder, "config.json")));

/** Runs `body` with the folder of a student that was trained for a step. */
function withStudent(body: (folder: string, data: InputDescription) => Promise<void>): Promise<void> {
  return withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.maxSteps=1"] });
    const student = join(folder, "run", "student");
    await body(student, await dataOf(student));
  });
}

Deno.test("a model folder is built again from its config.json, with all of its weights", () =>
  withStudent(async (folder, data) => {
    const { architecture, model, weights } = await readModelFolder(folder, builtins.model, data);
    assert.equal(architecture, "resnet");
    assert.deepEqual([...weights.keys()], model.parameters.map(({ name }) => name));
    assert.equal(model.config.width, 4);
  }));

Deno.test("a model for other images, another normalisation or other classes is refused", () =>
  withStudent(async (folder, data) => {
    const refused = (change: Partial<InputDescription>, message: RegExp) =>
      assert.rejects(() => readModelFolder(folder, builtins.model, { ...data, ...change }), {
        name: "UserError",
        message,
      });
    await refused(
      { image: { ...data.image!, size: [28, 28, 1] } },
      /config\.json:\d+:\d+: Cannot run .* images of 8, 8 and 1, .* has 28, 28 and 1$/,
    );
    await refused(
      { image: { ...data.image!, normalise: { mean: [0.5], std: [1] } } },
      /it takes pixels with mean .*, and the data set has 0\.5$/,
    );
    const text = { vocabulary: 9, maxLength: 8, padding: 0, files: {} };
    await refused({ image: null, text }, /it takes as input images, and the data set has text$/);
    await refused({ task: "tagging" }, /it takes the task classification, and the data set has tagging$/);
    await refused({ classes: ["a", "b"] }, /it takes the classes .*, and the data set has a and b$/);
  }));

Deno.test("mistakes in config.json are shown with line and column", () =>
  withStudent(async (folder, data) => {
    const config = await readConfig(folder);
    const file = join(folder, "config.json");
    const refused = async (change: Record<string, unknown>, message: RegExp) => {
      await Deno.writeTextFile(file, JSON.stringify({ ...config, ...change }, null, 2));
      await assert.rejects(() => readModelFolder(folder, builtins.model, data), { name: "UserError", message });
    };
    await refused(
      { architecture: "resnett" },
      /config\.json:2:\d+: Unknown model "resnett" .*: did you mean "resnet"\?$/,
    );
    await refused(
      { depth: "8" },
      /config\.json:3:\d+: Expected an integer >= 8 and <= 2000 or null for depth: got "8"$/,
    );
    await refused({ widht: 4 }, /config\.json:\d+:\d+: Unknown key "widht" .*: did you mean "width"\?$/);
    await refused({ depth: 9 }, /config\.json:2:\d+: Cannot build a ResNet of depth 9: expected/);
    await refused({ width: 8 }, /^Cannot load the model from ".*" as shapes differ: conv1\.weight is \[4, 1, 3, 3\]/);
    await refused({ labels: undefined }, /config\.json:1:1: Missing key "labels" at the top level: expected a list/);
  }));
