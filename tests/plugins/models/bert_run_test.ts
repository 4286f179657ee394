import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../core/data/random.ts";
import { readDescribedModel } from "../../../core/distill/described_model.ts";
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
const training = "train: { epochs: 20, batchSize: 32, logEvery: 20, optimiser: { use: adamw, learningRate: 0.003 } }";

const teacherRecipe = `
name: teacher
validation: { count: 32 }
${dataset}
student: { use: bert, layers: 4, width: 32, heads: 4, ffn: 64, positions: 16, dropout: 0, attentionDropout: 0 }
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
  - { use: hidden-mse, weight: 0.01 }
${training.replace("epochs: 20", "epochs: 3")}
`;

Deno.test("a BERT is trained, and a smaller one distilled from its folder in chains, merged and saved", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.tsv"), opinions(352, 1));
    await Deno.writeTextFile(join(folder, "test.tsv"), opinions(100, 2));
    const teacher = await tinyRun(folder, { text: teacherRecipe, output: "teacher" });
    const accuracyOf = ({ test }: typeof teacher) => (test as unknown as { accuracy: number }).accuracy;
    assert.ok(accuracyOf(teacher) > 0.95, `the teacher is right in ${accuracyOf(teacher)}`);

    const lines: string[] = [];
    const student = await tinyRun(folder, {
      text: studentRecipe,
      output: "student",
      reporter: { line: (line: string) => void lines.push(line) } as never,
    });
    console.log(lines, JSON.stringify(student).slice(0, 1500), accuracyOf(student));
    const described = await readDescribedModel(join(folder, "student", "student"), builtins.model);
    assert.equal(described.model.layerPrefixes!.length, 2);
    for await (const { name } of Deno.readDir(join(folder, "student", "student"))) console.log(name);
    console.log(await Deno.readTextFile(join(folder, "student", "student", "config.json")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
