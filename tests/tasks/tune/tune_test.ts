import assert from "node:assert/strict";
import { join } from "node:path";
import { runHere } from "../../support/run_here.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));

/** The tiny recipe with a teacher of its kind, and a space of two levers. */
async function prepared(folder: string): Promise<{ recipe: string; flags: string[] }> {
  await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]", "train.epochs=2"] });
  const recipe = join(folder, "tiny.yaml");
  const taught = tinyRecipe
    .replace("student:", "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nstudent:")
    .replace("cross-entropy }", "cross-entropy, weight: 0.5 }, { use: kd }")
    .replace("epochs: 5", "epochs: 3");
  await Deno.writeTextFile(recipe, taught);
  const space = join(folder, "space.yaml");
  await Deno.writeTextFile(
    space,
    `levers:
  start: { key: student.initialise, values: [null, { from: teacher }], off: null }
  learning rate: { key: train.optimiser.learningRate, from: 0.01, to: 300 }
`,
  );
  return {
    recipe,
    flags: [recipe, "--backend", "cpu", "--space", space, "--output", join(folder, "out"), "--no-report"],
  };
}
