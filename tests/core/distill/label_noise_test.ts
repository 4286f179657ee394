import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { Random } from "../../../core/data/random.ts";
import { describeLabelNoise } from "../../../core/distill/label_noise.ts";
import { divide } from "../../../core/distill/load_data.ts";
import { comparable } from "../../../core/distill/training/checkpoint.ts";
import type { Dataset, Examples, Task } from "../../../core/plugin/dataset.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { recorder } from "../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";

const CLASSES = 5;
const CLASS_NAMES = ["a", "b", "c", "d", "e"];

/** Examples that say their own number, with labels that repeat; one of ten has none if `some`. */
function examples(length: number, some = false): Examples {
  const labels = Int32Array.from({ length }, (_, index) => some && index % 10 === 9 ? -1 : index % CLASSES);
  const labelled = Uint8Array.from(labels, (label) => label < 0 ? 0 : 1);
  return {
    length,
    labels,
    ...(some && { labelled }),
    batch: (indices) => ({
      image: { data: Float32Array.from(indices), shape: [indices.length, 1, 1, 1] },
      label: { data: Float32Array.from(indices, (index) => labels[index]), shape: [indices.length] },
    }),
  };
}

function divided(
  labelNoise: string,
  seed = 0,
  { train = examples(1000), task = "classification" as Task, more = "" } = {},
) {
  const dataset: Dataset = {
    input: {
      task,
      classes: CLASS_NAMES,
      image: { size: [1, 1, 1], normalise: { mean: [0], std: [1] } },
      text: null,
    },
    splits: { train, test: examples(50) },
  };
  const text = `
name: noise
dataset: { use: idx }
validation: { count: 100 }
labelNoise: ${labelNoise}
${more}
student: { use: resnet, depth: 8 }
losses: [{ use: cross-entropy }]
train: { epochs: 1, batchSize: 4 }
`;
  const recipe = parseChecked(text, "noise.yaml", recipeSchema);
  return { recipe, ...divide(recipe, dataset, {}, new Random(seed)) };
}

/** Of each example its own number, its label in a batch, and that in the list. */
function all(list: Examples) {
  const { image, label } = list.batch(Uint32Array.from({ length: list.length }, (_, index) => index));
  return Array.from(image.data, (own, row) => ({ own, label: label.data[row], listed: list.labels![row] }));
}

Deno.test("exactly the fraction of the training labels is another class, each as likely; the others stay right", () => {
  const { train, validation, test, recipe, dataset } = divided("{ fraction: 0.2 }");
  const right = (own: number) => own % CLASSES;
  const seen = all(train);
  assert.ok(seen.every(({ label, listed }) => label === listed && label >= 0 && label < CLASSES));
  const wrong = seen.filter(({ own, label }) => label !== right(own));
  assert.deepEqual([seen.length, wrong.length], [900, 180]);
  // How much further the wrong class is: 45 of each expected, a deviation of 5.8.
  const steps = [1, 2, 3, 4].map((step) =>
    wrong.filter(({ own, label }) => label === (right(own) + step) % CLASSES).length
  );
  assert.ok(steps.every((count) => Math.abs(count - 45) < 20), `${steps}`);
  assert.ok([...all(validation!), ...all(test)].every(({ own, label }) => label === right(own)));
  assert.equal(
    describeLabelNoise(recipe.value, train, dataset.input),
    "label noise: 180 of the 900 training labels are wrong on purpose, each any of the other 4 classes",
  );
});

Deno.test("the seed draws which labels are wrong, and a batch has the same in any order", () => {
  const labels = (seed: number) => [...divided("{ fraction: 0.3 }", seed).train.labels!];
  assert.deepEqual(labels(1), labels(1));
  assert.notDeepEqual(labels(1), labels(2));
  const { train } = divided("{ fraction: 0.3 }", 1);
  const order = Uint32Array.of(7, 3, 899, 3);
  assert.deepEqual([...train.batch(order).label.data], Array.from(order, (index) => train.labels![index]));
});

Deno.test("noise is of the labels that there are, after the subset is drawn", () => {
  const { train } = divided("{ fraction: 0.5 }", 3, { train: examples(1000, true), more: "subset: { fraction: 0.5 }" });
  const known = all(train).filter((_, index) => train.labelled![index] === 1);
  assert.ok(all(train).every(({ label }, index) => (label === -1) === (train.labelled![index] === 0)));
  const wrong = known.filter(({ own, label }) => label !== own % CLASSES).length;
  assert.equal(wrong, Math.round(known.length / 2));
});

Deno.test("labels that are no classes, one class, and a fraction that makes none wrong are refused", () => {
  const refused: [Task, RegExp][] = [
    ["regression", /^noise\.yaml:5:\d+: Cannot make labels wrong of a regression: its labels are numbers/],
    ["tagging", /Cannot make labels wrong of tags: /],
    ["multi-label", /Cannot make labels wrong of examples that may be of several classes: /],
  ];
  for (const [task, message] of refused) {
    assert.throws(() => divided("{ fraction: 0.2 }", 0, { task }), { name: "UserError", message });
  }
  assert.throws(() => divided("{ fraction: 0.0001 }"), {
    message: /Cannot make 0 of 900 training labels wrong: a larger fraction is needed$/,
  });
  for (const fraction of ["0", "1", "-0.1"]) {
    assert.throws(() => divided(`{ fraction: ${fraction} }`), /labelNoise\.fraction/);
  }
});

Deno.test("a teacher is not called poor by labels that are wrong on purpose", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher" });
    const { reporter, warnings } = recorder();
    const overrides = [
      "labelNoise={ fraction: 0.9 }",
      "validation=null",
      "train.maxSteps=1",
      "losses=[{ use: kd }]",
      "teacher={ use: resnet, depth: 8, width: 4, weights: teacher/student, onPoorTeacher: refuse }",
    ];
    await tinyRun(folder, { overrides, reporter });
    assert.deepEqual(warnings, []);
  }));

Deno.test("a run says its noise, trains on it and is measured without it; one without noise is what it was", () =>
  withTinyData(async (folder) => {
    const { reporter, lines } = recorder();
    const noisy = await tinyRun(folder, {
      overrides: ["labelNoise={ fraction: 0.9 }", "train.epochs=3"],
      output: "noisy",
      reporter,
    });
    assert.ok(
      lines.includes("label noise: 65 of the 72 training labels are wrong on purpose, each any of the other 2 classes"),
    );
    assert.equal(noisy.wrongLabels, 65);
    assert.match(
      await Deno.readTextFile(`${folder}/noisy/student/README.md`),
      /\| training labels +\| 65 of 72 wrong on purpose/,
    );
    const clean = await tinyRun(folder, { overrides: ["train.epochs=3"] });
    assert.equal(clean.wrongLabels, undefined);
    assert.ok(
      noisy.student.accuracy! < 0.4 && clean.student.accuracy! > 0.6,
      `${noisy.student.accuracy}, ${clean.student.accuracy}`,
    );
    const parsed = divided("null").recipe.value;
    assert.ok(!("labelNoise" in comparable(parsed)), "a checkpoint from before there was noise goes on");
    assert.deepEqual(comparable(divided("{ fraction: 0.2 }").recipe.value).labelNoise, { fraction: 0.2 });
  }));
