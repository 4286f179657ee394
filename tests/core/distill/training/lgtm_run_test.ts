import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../../../core/data/random.ts";
import { withHeldOut } from "../../../../core/distill/held_out.ts";
import type { RunData } from "../../../../core/distill/load_data.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import type { Examples } from "../../../../core/plugin/dataset.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { recorder, stopAt, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const TEACHER = "teacher={ use: resnet, depth: 8, width: 4, weights: taught/student }";

/** OPDF with a teacher that learns. */
const overrides = [
  TEACHER,
  "losses=[{ use: kd, temperature: 1 }, { use: tensor-alignment, weight: 10, onMismatch: skip }]",
  "train.lgtm={ teacherRate: 0.02, heldOut: 0.2 }",
  "train.epochs=2",
  "train.optimiser={ use: adamw, learningRate: 0.01 }",
  "augment={ flip: true }",
  "student.dropout=0.1",
];

const teach = (folder: string) => tinyRun(folder, { output: "taught", overrides: ["train.epochs=2"] });

Deno.test("a run whose teacher learns: replayed, run anew, and resumed it gives the same student and teacher", () =>
  withTinyData(async (folder) => {
    await teach(folder);
    const { lines, reporter } = recorder();
    const backend = await CpuBackend.create();
    const whole = await tinyRun(folder, { overrides, output: "whole", reporter, backend });
    assert.deepEqual([backend.memory().storages, backend.memory().bytes], [0, 0], "all is freed");
    await backend.close();
    assert.ok(
      lines.includes(
        "the teacher learns from 58 examples, by what helps the student on 14 others that are held out of training",
      ),
      lines.join("\n"),
    );
    assert.ok(
      lines.some((line) => /^\d+ of its matrices learn as chains, which the student's are compared with$/.test(line)),
    );
    assert.equal(whole.examples.train, 58);
    const card = await Deno.readTextFile(join(folder, "whole", "student", "README.md"));
    assert.match(card, /teacher's SHA-256 \| `\w+`, as it began: its numbers here are those after it has learned, too/);
    assert.match(card, /\n {2}lgtm:\n {4}teacherRate: 0\.02\n/);
    const before = lines.find((line) => line.startsWith("teacher, before it learns: test accuracy"));
    const after = lines.find((line) => line.startsWith("teacher, having learned: test accuracy"));
    assert.ok(before && after, lines.join("\n"));
    const anew = await tinyRun(folder, { overrides: [...overrides, "train.replay=false"], output: "anew" });
    assert.equal(anew.studentSha256, whole.studentSha256);
    await assert.rejects(tinyRun(folder, { overrides, output: "parts", signal: stopAt(5) }), Interrupted);
    const resumed = await tinyRun(folder, { overrides, output: "parts", resume: true });
    assert.deepEqual(resumed.teacher, whole.teacher);
    assert.deepEqual(await studentBytes(folder, "parts"), await studentBytes(folder, "whole"));
    const frozen = await tinyRun(folder, { overrides: [...overrides, "train.lgtm=null"], output: "frozen" });
    assert.notEqual(frozen.teacher!.loss, whole.teacher!.loss);
    assert.equal(frozen.examples.train, 72);
  }));

const REFUSALS: [override: string, message: RegExp][] = [
  ["teacher=null", /^--set|Cannot let the teacher learn as there is none$/],
  [
    "teacher={ use: resnet, depth: 8, width: 4, weights: taught/student, cache: kept }",
    /Cannot let the teacher learn and keep its outputs: set teacher\.cache to null$/,
  ],
  [
    "teacher={ use: resnet, depth: 8, width: 4, weights: taught/student, others: [{ use: resnet, depth: 8, width: 4, weights: taught/student }] }",
    /Cannot let the teacher learn where it is several: name one$/,
  ],
  ["train.theseus={}", /Cannot let the teacher learn and put its frozen layers in the student's place: leave out /],
  ["train.accumulate=2", /Cannot let the teacher learn by steps of 2 batches: set train\.accumulate to 1$/],
  ["labelNoise={ fraction: 0.2 }", /Cannot let the teacher learn from labels of which some are wrong on purpose, /],
  ["augment={ mixup: 0.2 }", /Cannot let the teacher learn by mixed images, which have two labels: /],
  [
    "train.lgtm.heldOut=0.001",
    /Cannot hold out 0 of the 72 training examples with a label for the teacher to learn by: /,
  ],
  ["train.lgtm.heldOut=0.999", /Cannot hold out 72 of the 72 training examples/],
  [
    "losses=[{ use: cross-entropy }]",
    /Cannot let the teacher learn as no loss compares the student with it: add one, such as kd$/,
  ],
  [
    "losses=[{ use: kd }, { use: lelp, subclasses: 2 }]",
    /Cannot use the loss "lelp" with a teacher that learns, as it looks at it once before training: leave out train\.lgtm/,
  ],
];

Deno.test("what does not go with a teacher that learns is refused", () =>
  withTinyData(async (folder) => {
    await teach(folder);
    for (const [override, message] of REFUSALS) {
      const more = override.includes("lelp") ? ["student.subclasses=2"] : [];
      await assert.rejects(tinyRun(folder, { overrides: [...overrides, ...more, override] }), {
        name: "UserError",
        message,
      });
    }
  }));

Deno.test("held-out examples are training examples with a label on which the student does not train, of each class a part", () => {
  const labels = Int32Array.from({ length: 40 }, (_, i) => i % 4);
  const labelled = Uint8Array.from({ length: 40 }, (_, i) => i < 20 ? 1 : 0);
  const examples = (given?: Uint8Array): Examples => ({
    length: 40,
    labels,
    ...(given && { labelled: given }),
    batch: (indices) => ({ label: { data: Float32Array.from(indices), shape: [indices.length] } }),
  });
  const recipe = parseChecked(tinyRecipe, "tiny.yaml", recipeSchema, {
    overrides: [TEACHER, "train.lgtm={ heldOut: 0.2 }"],
  });
  for (const given of [undefined, labelled]) {
    const { data, heldOut } = withHeldOut(recipe, { train: examples(given) } as RunData, new Random(1));
    const all = ({ length, batch }: Examples) =>
      [...batch(Uint32Array.from({ length }, (_, i) => i)).label.data].sort((a, b) => a - b);
    const [trained, held] = [all(data.train), all(heldOut!)];
    assert.equal(held.length, given ? 4 : 8);
    assert.deepEqual([...trained, ...held].sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i));
    assert.deepEqual([...heldOut!.labels!].sort(), given ? [0, 1, 2, 3] : [0, 0, 1, 1, 2, 2, 3, 3]);
    if (given) assert.ok(held.every((index) => index < 20));
  }
  const none = { train: examples(new Uint8Array(40)) } as RunData;
  assert.throws(() => withHeldOut(recipe, none, new Random(1)), {
    name: "UserError",
    message:
      /Cannot let the teacher learn as no training example has a label, by which what helps the student is told$/,
  });
  const without = parseChecked(tinyRecipe, "tiny.yaml", recipeSchema);
  const data = { train: examples() } as RunData;
  assert.deepEqual(withHeldOut(without, data, new Random(1)), { data, heldOut: null });
});
