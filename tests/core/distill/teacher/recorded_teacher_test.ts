import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { writeSafetensors } from "../../../../core/safetensors.ts";
import { openModel } from "../../../../plugins/open_model.ts";
import { recorder } from "../../../support/run_observers.ts";
import { textRecipe, withTextTeacher } from "../../../support/tiny_texts.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const CLASSES = "classes: [neutral, entailment, contradiction]";

/** What the teacher of the tiny texts says of them, and the texts with ids. */
async function writeOutputs(folder: string): Promise<readonly (readonly number[])[]> {
  const backend = await CpuBackend.create();
  const all: number[][] = [];
  {
    using model = await openModel(join(folder, "teacher", "student"), { backend });
    for (const split of ["train", "test"]) {
      const rows = (await Deno.readTextFile(join(folder, `${split}.jsonl`))).split("\n").map((line) =>
        JSON.parse(line)
      );
      const { logits } = await model.predict({ texts: rows.map(({ text }) => text) });
      const write = (name: string, records: readonly unknown[]) =>
        Deno.writeTextFile(
          join(folder, `${split}-${name}.jsonl`),
          records.map((row) => JSON.stringify(row)).join("\n"),
        );
      await write("logits", logits.map((row) => ({ logits: [...row] })));
      // An example that is left out moves no other.
      const own = rows.map((row, index) => ({ ...row, key: `k${index}`, ...(index === 1 && { text: " " }) }));
      await write("ids", own);
      await write("moved", logits.map((row, index) => ({ id: `k${index}`, logits: [...row] })).reverse());
      if (split === "train") all.push(...logits.map((row) => [...row]));
    }
  }
  await backend.close();
  const data = Float32Array.from(all.flat());
  await writeSafetensors(join(folder, "t.safetensors"), new Map([["logits", { shape: [all.length, 3], data }]]));
  return all;
}

/** The recipe of the tiny texts, held out in part, with another teacher and other losses. */
const taught = (teacher: string, { dataset = "", losses = "[{ use: kd }]", more = "" } = {}) =>
  textRecipe(
    `, tokenizer: teacher/student, ${CLASSES}${dataset}`,
    `teacher: { ${teacher} }\nlosses: ${losses}\n${more}`,
    2,
  ).replace("validation: null", "validation: { count: 3 }");
const IDS = { dataset: ", id: key, onBad: skip" };
const idsOf = (text: string) => text.replace("train.jsonl", "train-ids.jsonl").replace("test.jsonl", "test-ids.jsonl");
const file = (train: string, rest = "key: row, values: logits", test = "test-logits.jsonl") =>
  `use: outputs, file: { train: ${train}, test: ${test} }, ${rest}`;

Deno.test("a file of its outputs teaches as the model does, however they are joined and whatever is held out", () =>
  withTextTeacher(async (folder) => {
    await writeOutputs(folder);
    const model = await tinyRun(folder, { text: taught("use: bert, weights: teacher/student") });
    const { lines, reporter } = recorder();
    const rows = await tinyRun(folder, { text: taught(file("train-logits.jsonl")), reporter });
    assert.ok(Math.abs(rows.teacher!.loss! - model.teacher!.loss!) < 1e-5);
    assert.ok(Math.abs(rows.student.loss! - model.student.loss!) < 1e-3, `${rows.student.loss} ${model.student.loss}`);
    assert.equal(rows.teacher!.accuracy, 1);
    assert.ok(!lines.some((line) => /guess/.test(line)));
    const tensors = await tinyRun(folder, { text: taught(file("t.safetensors")) });
    assert.equal(tensors.studentSha256, rows.studentSha256);
    const ids = await tinyRun(folder, {
      text: idsOf(taught(file("train-moved.jsonl", "key: id, values: logits", "test-moved.jsonl"), IDS)),
    });
    const left = await tinyRun(folder, { text: idsOf(taught(file("train-logits.jsonl"), IDS)) });
    assert.deepEqual([ids.examples.train, ids.skipped.length], [48, 2]);
    assert.equal(ids.studentSha256, left.studentSha256);
    // Outputs of other examples would not go with the labels.
    assert.deepEqual([ids.teacher!.accuracy, left.teacher!.accuracy], [1, 1]);
    const { warnings, ...alone } = recorder();
    const agreeing = { overrides: ["train.monitor=validation.agreement"], reporter: alone.reporter };
    const text = taught("use: outputs, file: train-logits.jsonl, key: row, values: logits");
    const { teacher, student } = await tinyRun(folder, { text, ...agreeing });
    assert.deepEqual([teacher, warnings.filter((line) => !line.includes("letter for letter"))], [null, []]);
    assert.ok(student.validationMetrics!.agreement > 0 && student.metrics.agreement === undefined);
    assert.ok(alone.lines.includes("teacher: no outputs of the test examples"), alone.lines.join("\n"));
  }));

Deno.test("what cannot be learned from a file of outputs is refused in one sentence before training", () =>
  withTextTeacher(async (folder) => {
    const logits = await writeOutputs(folder);
    const refused = (text: string, message: RegExp | string) =>
      assert.rejects(() => tinyRun(folder, { text }), (error: Error) => {
        const said = error.message.replace(/^.*tiny\.yaml:\d+:\d+: /, "");
        if (typeof message === "string") assert.equal(said, message);
        else assert.match(said, message);
        assert.equal(error.name, "UserError");
        return true;
      });
    const outputs = "use: outputs, file: train-logits.jsonl, key: row, values: logits";
    for (
      const [loss, reads] of [
        ["hidden-mse, pairs: [{ student: embeddings, teacher: embeddings }]", /features|hidden/],
        ["relational", "pooled"],
        ["lelp, subclasses: 1", "pooled"],
        ["contrastive", "pooled"],
        ["kernel-transfer", "pooled"],
      ] as const
    ) {
      const name = loss.split(",")[0];
      const what = typeof reads === "string" ? reads : reads.source;
      await refused(
        taught(outputs, { losses: `[{ use: ${loss} }]` }),
        new RegExp(
          `^Cannot use the loss "${name}" with a teacher that is a file of outputs: it reads the teacher's (${what}), and ` +
            "the file has logits alone$",
        ),
      );
    }
    await refused(
      taught(outputs, { losses: "[{ use: minilm }]" }),
      /^Cannot use the loss "minilm" as the teacher gives no /,
    );
    await refused(
      taught(outputs, { losses: "[{ use: kd }, { use: tensor-alignment }]" }),
      /^Cannot align tensors: no weight of the student is over-parameterised$/,
    );
    const plain = "with a teacher that is a file of outputs:";
    await refused(
      taught(`${outputs}, keep: { topK: 1 }`),
      `Cannot use keep ${plain} its outputs are in a file already`,
    );
    await refused(taught(`${outputs}, cache: kept`), `Cannot use cache ${plain} its outputs are in a file already`);
    await refused(taught(`${outputs}, tokenizer: teacher/student`), `Cannot use tokenizer ${plain} it takes no inputs`);
    await refused(
      taught(`${outputs}, weights: teacher/student`),
      'Cannot use weights with "outputs", which is a file of outputs',
    );
    const second = `others: [{ use: bert, weights: teacher/student }]`;
    await refused(taught(`${outputs}, ${second}`), `Cannot use others ${plain} it teaches alone`);
    await refused(
      taught(`use: bert, weights: teacher/student, others: [{ ${outputs} }]`),
      "Cannot use a file of outputs as one of several teachers",
    );
    await refused(
      taught(outputs).replace("dropout: 0,", "dropout: 0, initialise: { from: teacher },"),
      /^Cannot start the student from the teacher's layers: both must be models of repeated layers$/,
    );
    await refused(
      taught("use: outputs, file: { test: test-logits.jsonl }, key: row, values: logits"),
      "Cannot learn from a file of outputs that has none of the training examples: name one for train",
    );
    const write = (name: string, records: readonly unknown[]) =>
      Deno.writeTextFile(join(folder, name), records.map((row) => JSON.stringify(row)).join("\n"));
    await write("short.jsonl", logits.slice(1).map((logits) => ({ logits })));
    await refused(
      taught("use: outputs, file: short.jsonl, key: row, values: logits"),
      'Cannot join the 95 outputs in "short.jsonl" to the 96 records of "train.jsonl" by their order: expected one for ' +
        "each, or key: id",
    );
    await refused(
      taught(outputs, { dataset: ", unlabelled: [test.jsonl]" }),
      'Cannot join the outputs in "train-logits.jsonl" by their order as the training examples come from several files: ' +
        "use key: id",
    );
    const byId = (name: string) => idsOf(taught(`use: outputs, file: ${name}, key: id, values: logits`, IDS));
    const moved = logits.map((logits, index) => ({ id: `k${index}`, logits }));
    await write("lacking.jsonl", moved.toSpliced(7, 1));
    await refused(
      byId("lacking.jsonl"),
      /^Cannot find the outputs of the example with the id "k7" \(record 8 of "train-ids.jsonl"\) in "lacking.jsonl"$/,
    );
    await write("double.jsonl", [...moved, moved[3]]);
    await refused(
      byId("double.jsonl"),
      'Cannot use "double.jsonl" as line 4 and line 97 have the same id "k3": expected one each',
    );
    await refused(
      taught("use: outputs, file: train-moved.jsonl, key: id, values: logits"),
      'Cannot join the outputs in "train-moved.jsonl" by id as not every one of the training examples has an id: name the ' +
        "data's column of ids with dataset.id, or use key: row",
    );
    await write("twice.jsonl", [0, 1, 2].map((index) => ({ text: "a", label: "neutral", key: index % 2 })));
    await refused(
      taught(outputs, IDS).replace("train.jsonl", "twice.jsonl"),
      'Cannot tell line 1 of "twice.jsonl" from line 3 of "twice.jsonl" as both have the id "0": expected one each',
    );
    // In which order the file has the classes, nobody says.
    await refused(
      taught(outputs).replace(`, ${CLASSES}`, ""),
      /^Cannot tell which class of the data set is which of the teacher's: the teacher has no names for them, the data set /,
    );
    await refused(
      taught(outputs).replace("test.jsonl", "test.jsonl, more: { x: test.jsonl }").replace(
        "count: 3",
        "count: 9, from: x, stratify: false",
      ).replace("epochs: 2", "epochs: 2, monitor: validation.agreement"),
      /^Cannot go by validation.agreement/,
    );
  }));

Deno.test("images are joined by their rows, and changed ones are not taught", () =>
  withTinyData(async (folder) => {
    // The class of each is i % 3; the file says so.
    const rows = Array.from({ length: 96 }, (_, row) =>
      JSON.stringify({ probabilities: [0, 1, 2].map((c) => c === row % 3 ? 1 : 0) }));
    await Deno.writeTextFile(join(folder, "t.jsonl"), rows.join("\n"));
    const text = tinyRecipe.replace("labels: train-labels", "labels: null").replace(
      "losses: [{ use: cross-entropy }]",
      "teacher: { use: outputs, file: t.jsonl, key: row, values: probabilities }\nlosses: [{ use: kd, temperature: 1 }]",
    );
    const { student, labelled } = await tinyRun(folder, { text, overrides: ["dataset.takeTrain=90"] });
    assert.deepEqual(labelled, { train: 0, validation: 0, test: 24 });
    assert.ok(student.accuracy! > 0.9, `${student.accuracy}`);
    await assert.rejects(() =>
      tinyRun(folder, { text, overrides: ["augment.flip=true"] }), {
      message:
        /Cannot use augment with a teacher that is a file of outputs: it says what the teacher gave for the images as /,
    });
    const more = text.replace("use: idx", "use: idx\n  unlabelled: [test-images]");
    await assert.rejects(() => tinyRun(folder, { text: more }), {
      message:
        /Cannot join the outputs in "t.jsonl" to the training examples as the data set does not say which record /,
    });
  }));
