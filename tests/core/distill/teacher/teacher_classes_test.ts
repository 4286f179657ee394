import assert from "node:assert/strict";
import { join } from "node:path";
import { silent } from "../../../../core/distill/progress.ts";
import { tinyRun } from "../../../support/tiny_run.ts";
import { taughtTexts as distilled, withTextTeacher as withTeacher } from "../../../support/tiny_texts.ts";

/** Writes the teacher's config.json as Hugging Face would. */
async function rename(folder: string, names: readonly string[] | null, change: Record<string, unknown> = {}) {
  const file = join(folder, "teacher", "student", "config.json");
  const { architecture: _, labels: __, input: ___, task: ____, id2label: _____, ...config } = JSON.parse(
    await Deno.readTextFile(file),
  );
  const id2label = names && Object.fromEntries(names.map((name, index) => [index, name]));
  await Deno.writeTextFile(file, JSON.stringify({ ...config, ...(id2label && { id2label }), ...change }));
}

async function run(folder: string, text: string) {
  const lines: string[] = [];
  const reporter = { ...silent, line: (line: string) => void lines.push(line) };
  const { teacher } = await tinyRun(folder, { text, output: "run", reporter });
  const { labels } = JSON.parse(await Deno.readTextFile(join(folder, "run", "student", "config.json")));
  return { accuracy: teacher!.accuracy, lines, labels };
}

Deno.test("a teacher's classes are found by their names, in whatever order and case both have them", () =>
  withTeacher(async (folder) => {
    const order = ["neutral", "entailment", "contradiction"];
    const line = "the classes are in the teacher's order: neutral, entailment and contradiction";
    for (const names of [order, order.map((name) => name.toUpperCase())]) {
      await rename(folder, names);
      const { accuracy, lines, labels } = await run(folder, distilled());
      assert.deepEqual([accuracy, labels], [1, order]);
      assert.ok(lines.includes(line), lines.join("\n"));
    }
    await assert.rejects(() => run(folder, distilled(", classes: [contradiction, neutral, entailment]")), {
      name: "UserError",
      message: /^.*tiny.yaml:7:32: Cannot run a teacher whose classes are NEUTRAL, .* expected the teacher's order in /,
    });
    assert.equal((await run(folder, distilled(`, classes: [${order}]`))).accuracy, 1);
  }));

Deno.test("names that say nothing are asked for, and taken from dataset.classes or teacher.classes", () =>
  withTeacher(async (folder) => {
    for (const names of [["LABEL_0", "LABEL_1", "LABEL_2"], ["a", "b", "c"], null]) {
      await rename(folder, names);
      await assert.rejects(() => run(folder, distilled()), {
        name: "UserError",
        message: /Cannot tell which class .* with dataset.classes, or .* with teacher.classes$/,
      });
      const listed = await run(folder, distilled(", classes: [neutral, entailment, contradiction]"));
      const named = await run(folder, distilled("", ", classes: [neutral, entailment, contradiction]"));
      assert.deepEqual([listed.accuracy, named.accuracy], [1, 1]);
    }
    await assert.rejects(() => run(folder, distilled("", ", classes: [x, y, z]")), {
      message: /tiny.yaml:7:58: .* the teacher has x, y and z, .*; expected the data set's names in teacher.classes$/,
    });
  }));

Deno.test("teacher.classes holds against names of a config.json that are wrong", () =>
  withTeacher(async (folder) => {
    await rename(folder, ["entailment", "neutral", "contradiction"]);
    assert.ok((await run(folder, distilled())).accuracy! < 0.5);
    assert.equal((await run(folder, distilled("", ", classes: [neutral, entailment, contradiction]"))).accuracy, 1);
  }));

Deno.test("a teacher of several classes at once is refused, and so are teachers of different orders", () =>
  withTeacher(async (folder) => {
    const others = ", others: [{ use: bert, weights: teacher/student, classes: [contradiction, neutral, entailment] }]";
    await assert.rejects(() => run(folder, distilled("", others)), {
      message: /Cannot run a teacher whose classes are contradiction, .*: expected all teachers to have one order$/,
    });
    await rename(folder, ["neutral", "entailment", "contradiction"], { problem_type: "multi_label_classification" });
    await assert.rejects(() => run(folder, distilled()), {
      message: /tiny.yaml:7:32: Cannot take the model in ".*" for one class an example: its problem_type is /,
    });
  }));
