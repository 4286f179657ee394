import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../core/data/random.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { silent } from "../../../core/distill/progress.ts";
import { readSafetensors } from "../../../core/safetensors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { tinyRun } from "../../support/tiny_run.ts";

const PRAISE = ["good", "fine", "lovely"], BLAME = ["bad", "dull", "poor"], OTHER = ["film", "plot", "cast", "very"];

/** Opinions of which "not" turns the meaning, so that single words do not decide the class. */
function opinions(count: number, seed: number): string {
  const random = new Random(seed);
  const one = (words: readonly string[]) => words[random.below(words.length)];
  const lines = Array.from({ length: count }, () => {
    const [praise, turned] = [random.below(2) === 1, random.below(2) === 1];
    const opinion = `${turned ? "not " : ""}${one(praise ? PRAISE : BLAME)}`;
    return `${one(OTHER)} ${one(OTHER)} ${opinion} ${one(OTHER)}\t${praise === turned ? "no" : "yes"}`;
  });
  return ["text\tlabel", ...lines].join("\n") + "\n";
}

const dataset = "dataset: { use: text-table, train: train.tsv, test: test.tsv, vocabularySize: 60, maxLength: 12 }";
const training =
  "train: { epochs: 10, batchSize: 32, logEvery: 5, optimiser: { use: adamw, learningRate: 0.004 }, schedule: { use: linear, warmupSteps: 10 } }";

const teacherRecipe = `
name: teacher
validation: { count: 32 }
${dataset}
student: { use: bert, layers: 4, width: 24, heads: 2, ffn: 48, positions: 16, dropout: 0, attentionDropout: 0 }
losses: [{ use: cross-entropy }]
${training}
`;

const studentRecipe = `
name: student
validation: { count: 32 }
${dataset}
teacher: { use: bert, weights: teacher/student }
student:
  use: bert
  config: teacher/student
  layers: 2
  initialise: { from: teacher, layers: mapped }
  overParameterise: [{ layers: "bert.encoder.*", cores: 3 }]
losses:
  - { use: kd, temperature: 2 }
  - { use: tensor-alignment, weight: 0.1 }
  - { use: minilm, student: 1, teacher: 3 }
  - { use: attention-mse, weight: 0.1 }
${training.replace("epochs: 10", "epochs: 1")}
`;

Deno.test("a BERT is trained, and a smaller one distilled from its folder in chains, merged and saved", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.tsv"), opinions(352, 1));
    await Deno.writeTextFile(join(folder, "test.tsv"), opinions(100, 2));
    const teacher = await tinyRun(folder, { text: teacherRecipe, output: "teacher" });
    assert.ok(teacher.student.accuracy! > 0.95, `the teacher is right in ${teacher.student.accuracy}`);

    const lines: string[] = [];
    const reporter = { ...silent, line: (line: string) => void lines.push(line) };
    const run = await tinyRun(folder, { text: studentRecipe, output: "student", reporter });
    assert.ok(lines.includes("the student's layers start as the teacher's 1, 3"), lines.join("\n"));
    assert.ok(lines.some((line) => line.endsWith("the loss begins at 0")));
    assert.equal(run.teacher!.accuracy, teacher.student.accuracy);
    assert.ok(run.student.accuracy! > 0.9, `the student is right in ${run.student.accuracy}`);
    assert.equal(Object.keys(run.norms).length, 12, "all matrices of both layers were chains");
    assert.ok(run.student.parameterIncreaseRate > 1.3);

    const saved = join(folder, "student", "student");
    const { model } = await readDescribedModel(saved, builtins.model);
    assert.deepEqual(model.layerPrefixes, ["bert.encoder.layer.0.", "bert.encoder.layer.1."]);
    assert.deepEqual(model.config.id2label, { 0: "no", 1: "yes" });
    const { tensors } = await readSafetensors(join(saved, "model.safetensors"));
    assert.deepEqual([...tensors.keys()].sort(), model.parameters.map(({ name }) => name).sort());
    assert.ok((await Deno.stat(join(saved, "tokenizer.json"))).isFile, "the tokenizer is saved with it");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
