import assert from "node:assert/strict";
import { join } from "node:path";
import { tinyRun } from "./tiny_run.ts";

const KINDS = [["contradiction", "alpha"], ["neutral", "beta"], ["entailment", "gamma"]] as const;

/** Texts in which a word says the class. */
const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const [label, word] = KINDS[index % 3];
    return JSON.stringify({ text: `${word} ${index % 2 ? "a" : "b"}`, label });
  }).join("\n");

/** A recipe for texts in which a word says the class. */
export const textRecipe = (dataset: string, rest = "", epochs = 30, warmup = epochs < 3 ? 1 : 10) => `
name: tiny
seed: 3
validation: null
dataset: { use: text-table, train: train.jsonl, test: test.jsonl, vocabularySize: 60, maxLength: 16${dataset} }
student: { use: bert, layers: 1, width: 32, heads: 2, ffn: 64, positions: 16, dropout: 0, attentionDropout: 0 }
${rest || "losses: [{ use: cross-entropy }]"}
train: { epochs: ${epochs}, batchSize: 16, optimiser: { use: adamw, learningRate: 0.004 }, schedule: { use: linear, warmupSteps: ${warmup} } }
`;

/** The same with a teacher that {@link withTextTeacher} made. */
export const taughtTexts = (dataset = "", teacher = "") =>
  textRecipe(dataset, `teacher: { use: bert, weights: teacher/student${teacher} }\nlosses: [{ use: kd }]`, 1);

/** Writes texts in which a word says the class. */
export async function writeTinyTexts(folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "train.jsonl"), rows(96));
  await Deno.writeTextFile(join(folder, "test.jsonl"), rows(30));
}

/** A teacher whose logits stand for neutral, entailment and contradiction. */
export async function withTextTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await writeTinyTexts(folder);
    const text = textRecipe(", classes: [neutral, entailment, contradiction]");
    const { student } = await tinyRun(folder, { text, output: "teacher" });
    assert.equal(student.accuracy, 1);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
