import assert from "node:assert/strict";
import { join } from "node:path";
import { metricsLog, recorder } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData, writeTinyData } from "../../support/tiny_run.ts";

const CLASSES = "classes: [up, middle, down]";

/** The tiny recipe with a teacher, other data and other losses. */
const taught = (dataset: string, losses = "[{ use: kd }]") =>
  tinyRecipe
    .replace(/dataset:\n(?: .*\n)+/, `dataset: { use: idx, ${dataset} }\n`)
    .replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses: ${losses}`,
    );

const images = (labels: string, test = labels) =>
  `train: { images: train-images, labels: ${labels} }, test: { images: test-images, labels: ${test} }, ${CLASSES}`;

/** The tiny data, and a teacher of them that is right. */
function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  return withTinyData(async (folder) => {
    const text = tinyRecipe.replace("use: idx", `use: idx\n  ${CLASSES}`).replace(/ {2}overParameterise.*\n/, "");
    const { student } = await tinyRun(folder, { text, output: "teacher" });
    assert.ok(student.accuracy! > 0.9, `${student.accuracy}`);
    await body(folder);
  });
}

Deno.test("a student learns from a teacher without any label, watched by its agreement with the teacher", () =>
  withTeacher(async (folder) => {
    const { lines, warnings, reporter } = recorder();
    const summary = await tinyRun(folder, { text: taught(images("null")), reporter });
    const { student, teacher, labelled } = summary;
    assert.deepEqual(labelled, { train: 0, validation: 0, test: 0 });
    assert.deepEqual([student.accuracy, student.loss, teacher!.accuracy, teacher!.metrics], [null, null, null, {}]);
    assert.deepEqual(Object.keys(student.metrics), ["agreement"]);
    assert.ok(student.metrics.agreement > 0.8, `${student.metrics.agreement}`);
    assert.deepEqual(Object.keys(student.validationMetrics!), ["agreement"]);
    assert.deepEqual(warnings, []);
    for (const name of ["72 training", "24 validation", "24 test"]) {
      assert.ok(lines.includes(`labels: none of the ${name} examples`), lines.join("\n"));
    }
    assert.ok(lines.includes("teacher: test no labels"), lines.join("\n"));
    assert.ok(
      lines.some((line) => /^epoch 5: validation agreement \d\.\d{4}, no labels$/.test(line)),
      lines.join("\n"),
    );
    const log = await metricsLog(folder);
    assert.ok(log.every(({ accuracy, validation }) => (accuracy ?? null) === null && !validation?.accuracy));
    // The very same student comes of labels that nothing reads.
    const { studentSha256 } = await tinyRun(folder, {
      text: taught(images("train-labels", "test-labels")),
      overrides: ["validation.stratify=false"],
    });
    assert.equal(studentSha256, summary.studentSha256);
  }));

Deno.test("what learns from labels is refused before training where there are none", () =>
  withTeacher(async (folder) => {
    const refused = (text: string, message: RegExp) => assert.rejects(() => tinyRun(folder, { text }), { message });
    for (const loss of ["cross-entropy", "dkd", "kernel-transfer", "contrastive"]) {
      await refused(
        taught(images("null"), `[{ use: kd }, { use: ${loss} }]`),
        new RegExp(
          `^.*tiny.yaml:\\d+:\\d+: Cannot use the loss "${loss}" as it learns from labels, and none of the 72 training ` +
            "examples has one: use losses that learn from the teacher alone, such as kd$",
        ),
      );
    }
    await refused(
      taught(images("null").replace(CLASSES, "mean: [0.5]")),
      /Cannot tell the classes as no image has a label/,
    );
    const plugin = (body: string) =>
      `export default {
  kind: "loss", name: "own", description: "Own", options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: ["logits"], compute: ({ ops, student, teacher, batch }) => ${body} }),
};`;
    await Deno.writeTextFile(
      join(folder, "reads.ts"),
      plugin("ops.mean(ops.pick({ ...student }.logits, batch.label))"),
    );
    await refused(
      taught(images("null"), "[{ use: ./reads.ts }]"),
      /Cannot use the loss "own" where examples have no label: it reads the label of each; leave them out, or use /,
    );
    const alone = "ops.mean(ops.square(ops.subtract(student.logits, { ...batch, teacher }.teacher.logits)))";
    await Deno.writeTextFile(join(folder, "alone.ts"), plugin(alone));
    const { labelled } = await tinyRun(folder, { text: taught(images("null"), "[{ use: ./alone.ts }]") });
    assert.equal(labelled.train, 0);
  }));

Deno.test("of examples with labels in part, those with one are validated and scored, and all are learned from", () =>
  withTeacher(async (folder) => {
    await writeTinyData(folder, 96, 24, { label: (label, example) => example % 3 === example % 2 ? label : 255 });
    const text = taught(
      `${images("train-labels", "test-labels")}, noLabel: 255`,
      "[{ use: cross-entropy }, { use: kd }]",
    );
    const overrides = ["validation.count=8", "train.monitor=validation.agreement"];
    const { lines, warnings, reporter } = recorder();
    const { labelled, examples, student, teacher } = await tinyRun(folder, { text, overrides, reporter });
    assert.deepEqual(examples, { train: 88, validation: 8, test: 24 });
    assert.deepEqual(labelled, { train: 24, validation: 8, test: 8 });
    assert.deepEqual(warnings, []);
    assert.ok(lines.includes("labels: 24 of the 88 training examples"), lines.join("\n"));
    assert.equal((8 * student.accuracy!) % 1, 0);
    assert.equal((8 * teacher!.accuracy!) % 1, 0);
    assert.ok(student.metrics.agreement >= 0 && student.accuracy! > 0.5, JSON.stringify(student.metrics));
    assert.ok(lines.some((line) => /^teacher: test accuracy .* %, .*labels for 8 of 24$/.test(line)), lines.join("\n"));
    // Labels give them directions, and centres of classes; they learn from all examples.
    for (const loss of ["{ use: lelp, subclasses: 2 }", "{ use: kernel-transfer, warmUpEpochs: 1 }"]) {
      const { warnings, reporter } = recorder();
      const text = taught(`${images("train-labels", "test-labels")}, noLabel: 255`, `[${loss}]`);
      const own = /lelp/.test(loss) ? ["student.subclasses=2"] : [];
      await tinyRun(folder, { text, overrides: [...overrides, "train.epochs=2", ...own], reporter });
      assert.deepEqual(warnings.filter((text) => /teach nothing/.test(text)), [], loss);
    }
    const told = recorder();
    const alone = text.replace(/teacher:.*\n/, "").replace(", { use: kd }", "");
    await tinyRun(folder, { text: alone, overrides: overrides.slice(0, 1), reporter: told.reporter });
    assert.deepEqual(told.warnings, [
      "64 of the 88 training examples teach nothing, as they have no label and every loss learns from labels: leave them " +
      "out, or add a loss that learns from a teacher alone, such as kd",
    ]);
  }));

Deno.test("files of unlabelled images are trained on beside labelled ones, and are not validated", () =>
  withTeacher(async (folder) => {
    const text = taught(
      `${images("train-labels", "test-labels")}, takeTrain: 48, unlabelled: [test-images, train-images]`,
    );
    const { labelled, examples, student } = await tinyRun(folder, { text });
    assert.deepEqual(
      examples,
      { train: 24 + 24 + 96 - 24, validation: 24, test: 24 },
      "copies of validation are left out",
    );
    assert.deepEqual(labelled, { train: 24, validation: 24, test: 24 });
    assert.ok(student.accuracy! > 0.8);
    await writeTinyData(folder, 1, 1);
    await Deno.writeFile(join(folder, "other"), Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7));
    await assert.rejects(
      () => tinyRun(folder, { text: text.replace("[test-images, train-images]", "[other]").replace("48", "1") }),
      {
        message: /Cannot use training images of 8 x 8 x 1 with unlabelled images of 1 x 1 x 1: sizes must be equal$/,
      },
    );
  }));

Deno.test("balanced sampling is refused where there are no classes, and beside a loss that remembers examples", () =>
  withTeacher(async (folder) => {
    const overrides = ["train.sampler=balanced"];
    const refused = (text: string, message: RegExp) =>
      assert.rejects(() => tinyRun(folder, { text, overrides }), { message });
    await refused(
      taught(images("null")),
      /^--set train.sampler=balanced: Cannot balance classes as the training examples /,
    );
    await refused(
      taught(images("train-labels", "test-labels"), "[{ use: contrastive }]"),
      /Cannot balance classes beside the loss "contrastive", which remembers each example: one may be in a batch twice$/,
    );
    await refused(
      taught(images("train-labels", "test-labels"), "[{ use: cross-entropy, classWeights: balanced }]"),
      /Cannot balance classes beside train\.sampler: balanced, .* twice; leave out one of them$/,
    );
    const balanced = taught(images("train-labels", "test-labels"), "[{ use: cross-entropy }]");
    const { student } = await tinyRun(folder, { text: balanced, overrides });
    assert.ok(student.accuracy! > 0.8);
  }));
