import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunRecord } from "../../../core/distill/record/record.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { silent } from "../../../core/distill/progress.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { openJson } from "../../../core/sealed_json.ts";
import { openModel } from "../../../plugins/open_model.ts";
import { tinyRun } from "../../support/tiny_run.ts";

const KINDS = [["alpha", ["rain"]], ["beta", ["sport", "money"]], ["gamma", []]] as const;

/** Texts in which a word says of which classes they are. */
const rows = (count: number, named: Readonly<Record<string, string>> = {}) =>
  Array.from({ length: count }, (_, index) => {
    const [word, classes] = KINDS[index % 3];
    const label = classes.map((name) => named[name] ?? name);
    return JSON.stringify({ text: `${word} ${index % 2 ? "a" : "b"}`, label });
  }).join("\n");

const recipe = (losses: string, more = "", options = "", epochs = 30) => `
name: tiny
seed: 3
validation: null
dataset: { use: text-table, train: train.jsonl, test: test.jsonl, task: multi-label, vocabularySize: 60, maxLength: 16${options} }
student: { use: bert, layers: 1, width: 32, heads: 2, ffn: 64, positions: 16, dropout: 0, attentionDropout: 0 }
losses: [${losses}]
train: { epochs: ${epochs}, batchSize: 16, optimiser: { use: adamw, learningRate: 0.004 }, schedule: { use: linear, warmupSteps: 10 } }
${more}
`;
const TEACHER = "teacher: { use: bert, weights: teacher/student";
const BOTH = "{ use: kd, weight: 0.9 }, { use: binary-cross-entropy, weight: 0.1 }";

async function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.jsonl"), rows(96));
    await Deno.writeTextFile(join(folder, "test.jsonl"), rows(30));
    const { student } = await tinyRun(folder, { text: recipe("{ use: binary-cross-entropy }"), output: "teacher" });
    assert.deepEqual([student.metrics.mAP, student.accuracy], [1, 1]);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Changes the teacher's config.json; `null` takes a key away. */
async function changeConfig(folder: string, change: Record<string, unknown>) {
  const file = join(folder, "teacher", "student", "config.json");
  const config = { ...JSON.parse(await Deno.readTextFile(file)), ...change };
  await Deno.writeTextFile(file, JSON.stringify(config, (_, value) => value ?? undefined));
}

/** As Hugging Face writes it. */
const FOREIGN = { architecture: null, labels: null, input: null, task: null };

Deno.test("a record of several labels has the counts of the evaluation, and its mistakes add up to them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.jsonl"), rows(96));
    await Deno.writeTextFile(join(folder, "test.jsonl"), rows(30));
    const text = recipe("{ use: binary-cross-entropy }", "evaluate: { threshold: 0.35 }", "", 1);
    const { student } = await tinyRun(folder, { text, record: true });
    const { value } = await openJson(JSON.parse(await Deno.readTextFile(join(folder, "run", "record.json"))));
    const { labels, mistakes } = value as RunRecord;
    const counts = student.classes!.map(({ examples, predicted, correct }) => ({ examples, predicted, correct }));
    assert.deepEqual(labels, counts);
    const made = (is: (mistake: RunRecord["mistakes"][number]) => boolean) =>
      mistakes.filter(is).reduce((sum, { count }) => sum + count, 0);
    counts.forEach(({ examples, predicted, correct }, own) => {
      assert.equal(made(({ truth, decided }) => truth === null && decided === own), predicted - correct);
      assert.equal(made(({ truth, decided }) => truth === own && decided === null), examples - correct);
    });
    assert.ok(made(() => true) > 0, "nothing would be compared");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("several labels are learned and distilled, and a folder says so as Hugging Face does", () =>
  withTeacher(async (folder) => {
    const config = JSON.parse(await Deno.readTextFile(join(folder, "teacher", "student", "config.json")));
    assert.deepEqual(
      [config.problem_type, config.task, config.labels],
      ["multi_label_classification", "multi-label", ["money", "rain", "sport"]],
    );
    const { student, teacher } = await tinyRun(folder, {
      text: recipe(BOTH, `${TEACHER} }`),
      output: "run",
    });
    assert.deepEqual([teacher!.metrics.mAP, teacher!.accuracy, student.metrics.mAP], [1, 1, 1]);
    const backend = await CpuBackend.create();
    for (const change of [{}, FOREIGN]) {
      await changeConfig(folder, change);
      using model = await openModel(join(folder, "teacher", "student"), { ops: createOps(backend) });
      assert.equal(model.input.task, "multi-label");
      const texts = ["beta a", "gamma b"];
      const { labelSets, labels, classes } = await model.predict({ texts });
      assert.deepEqual([labelSets, labels, classes], [[["money", "sport"], []], [], []]);
      const { labelSets: all } = await model.predict({ texts }, { threshold: 1e-6 });
      assert.deepEqual(all, [["money", "rain", "sport"], ["money", "rain", "sport"]]);
      await assert.rejects(() => model.predict({ texts }, { threshold: 1 }), {
        message: "Cannot decide at a threshold of 1: expected a probability between 0 and 1",
      });
    }
    await backend.close();
  }));

Deno.test("columns of several labels follow the teacher's order of classes", () =>
  withTeacher(async (folder) => {
    await changeConfig(folder, FOREIGN);
    const lines: string[] = [];
    const text = recipe(BOTH, `${TEACHER} }`, "", 1);
    const reporter = { ...silent, line: (line: string) => void lines.push(line) };
    // The teacher's logits stay in their order, so this is what was trained under other names.
    await changeConfig(folder, { id2label: { 0: "sport", 1: "money", 2: "rain" } });
    const { teacher } = await tinyRun(folder, { text, output: "run", reporter });
    assert.ok(lines.includes("the classes are in the teacher's order: sport, money and rain"), lines.join("\n"));
    const swapped = rows(30, { money: "sport", rain: "money", sport: "rain" });
    assert.ok(teacher!.accuracy! < 0.5);
    await Deno.writeTextFile(join(folder, "test.jsonl"), swapped);
    assert.equal((await tinyRun(folder, { text, output: "run" })).teacher!.accuracy, 1);
  }));

Deno.test("teachers of one class an example, and losses of probabilities that sum to 1, are refused", () =>
  withTeacher(async (folder) => {
    const refused = (text: string, message: RegExp) =>
      assert.rejects(() => tinyRun(folder, { text, output: "run" }), { name: "UserError", message });
    await refused(
      recipe("{ use: dkd }", `${TEACHER} }`),
      /Cannot use the loss "dkd" for multi-label: its probabilities/,
    );
    const single = { problem_type: "single_label_classification" };
    const expected =
      /for several classes an example: its problem_type is single_label_classification, expected multi_label_class/;
    await changeConfig(folder, { ...single, task: "classification" });
    await refused(recipe(BOTH, `${TEACHER} }`), expected);
    await changeConfig(folder, { ...FOREIGN, ...single });
    await refused(recipe(BOTH, `${TEACHER} }`), expected);
    await changeConfig(folder, { problem_type: null, architecture: "bert", task: "classification" });
    await refused(recipe(BOTH, `${TEACHER} }`), /its task is classification, expected multi-label$/);
  }));
