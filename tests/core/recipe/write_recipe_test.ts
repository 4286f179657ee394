import assert from "node:assert/strict";
import { z } from "zod";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../../core/recipe/write_recipe.ts";

const full = `name: full.1
seed: 4294967295
output: runs/other
dataset: { use: ./my_dataset.ts, train: { images: a.gz, labels: b.gz }, mean: [0.286], note: "yes" }
validation: { count: 500 }
augment: { flip: true, shift: 2 }
teacher: { use: resnet, depth: 20, weights: ../teachers/fashion-resnet20 }
student:
  use: resnet
  depth: 8
  overParameterise:
    - { layers: ["layer*.conv*", "!layer1.*"], rows: [4, 1, 4], cols: [12, 1, 6] }
    - { layers: "fc.weight", increaseRate: 2.5, gauge: left-canonical }
losses:
  - { use: kd, weight: { from: 0, to: 0.9, epochs: 2.5, schedule: cosine }, temperature: 4 }
  - { use: tensor-alignment, weight: 1e-7, layers: { layer1.0.conv1.weight: layer1.2.conv1.weight } }
train:
  epochs: 5
  optimiser: { use: adamw, learningRate: 1e-6 }
  schedule: { use: steps, milestones: [1, 2.5], warmupEpochs: 0.5 }
  clipGradientNorm: null
  earlyStopping: {}
`;

Deno.test("a resolved recipe, written and read again, is the same recipe", () => {
  const { value } = parseChecked(full, "full.yaml", recipeSchema);
  const text = stringifyRecipe(value);
  const again = parseChecked(text, "resolved.yaml", recipeSchema).value;
  assert.deepEqual(again, value);
  assert.equal(again.output, "runs/other");
  assert.equal(stringifyRecipe(again), text);
});

Deno.test("strings that look like something else, long and many-line ones come back as they were", () => {
  const strings = [
    "",
    "null",
    "~",
    "true",
    "1e-3",
    "0x10",
    "- a",
    "a: b",
    "# c",
    " padded ",
    "*x",
    "&x",
    "!x",
    "@",
    "%",
    "a\nb\n",
  ];
  const value = {
    strings: [...strings, "word ".repeat(60), "\t", "é\u2028\u0000"],
    numbers: [1e21, 1e-300, -0.5, 0.1 + 0.2],
  };
  assert.deepEqual(parseChecked(stringifyRecipe(value), "x.yaml", z.looseObject({})).value, value);
});

Deno.test("a list that is used twice is written twice", () => {
  const shared = [1, 2];
  assert.equal(stringifyRecipe({ a: shared, b: { c: shared } }), "a: [1, 2]\nb:\n  c: [1, 2]\n");
});
