import assert from "node:assert/strict";
import { join } from "node:path";
import { spearman } from "../../../core/evaluate/metrics/correlation.ts";
import { openModel } from "../../../plugins/open_model.ts";
import { cpu, testBackends } from "../../support/backends.ts";
import { CHECKOUT } from "../../support/task.ts";
import { tinyRun } from "../../support/tiny_run.ts";

const TEACHER = join(CHECKOUT, "tests/fixtures/sentences/mean");
const WORDS = ["a", "dog", "cat", "runs", "sleeps", "the", "cats", "."];

/** Some different texts of the fixture's words. */
const texts = (count: number, seed: number) =>
  Array.from({ length: count }, (_, index) => {
    const word = (place: number) => WORDS[(seed + index * (place + 3) + (index >> place)) % WORDS.length];
    return Array.from({ length: 3 + index % 5 }, (_, place) => word(place)).join(" ");
  });

async function withTexts(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
    await Deno.writeTextFile(join(folder, "texts.jsonl"), lines(texts(48, 1).map((text) => ({ text }))));
    const [first, second] = [texts(20, 2), texts(20, 5)];
    const shared = (a: string, b: string) => a.split(" ").filter((word) => b.includes(word)).length;
    const pairs = first.map((text, index) => ({ text, other: second[index], score: shared(text, second[index]) }));
    await Deno.writeTextFile(join(folder, "pairs.jsonl"), lines(pairs));
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A recipe; what of it differs from the usual. */
const recipe = ({ student = "", losses = "", validation = "{ count: 8 }", teacher = "", dataset = "" } = {}) => `
name: sentences
seed: 1
validation: ${validation}
dataset:
  use: text-table
  task: embedding
  train: texts.jsonl
  test: pairs.jsonl
  more: { dev: pairs.jsonl }
  pair: other
  label: score
  maxLength: 12
  ${dataset}
teacher: { use: bert, weights: ${JSON.stringify(TEACHER)}, onPoorTeacher: ignore${teacher} }
student:
${
  student || `  use: bert
  layers: 1
  width: 8
  heads: 2
  ffn: 12
  positions: 16
  dropout: 0
  attentionDropout: 0
  initialise: { from: teacher, layers: last }
  overParameterise: [{ layers: "bert.encoder.layer.*.weight", cores: 3 }]`
}
losses: ${losses || "[{ use: hidden-mse, pairs: [{ student: pooled, teacher: pooled }] }]"}
train: { epochs: 3, batchSize: 8, optimiser: { use: adamw, learningRate: 0.003 } }
`;

testBackends("vectors are distilled in chains, measured by pairs, and saved as they were", async (backend) => {
  await withTexts(async (folder) => {
    const { teacher, student, losses, merge } = await tinyRun(folder, {
      text: recipe({
        losses: `[{ use: hidden-mse, pairs: [{ student: pooled, teacher: pooled }] }, { use: minilm, weight: 0.01 }]`,
        teacher: ", cache: cache",
      }),
      backend,
    });
    assert.deepEqual([student.loss, student.accuracy, teacher!.loss], [null, null, null]);
    assert.deepEqual(Object.keys(student.metrics).sort(), ["agreement", "pearson", "spearman"]);
    assert.ok(student.metrics.agreement > 0.8, `agreement is ${student.metrics.agreement}`);
    assert.deepEqual(Object.keys(student.validationMetrics!), ["agreement"], "training texts have no scores");
    assert.ok(losses["hidden-mse"] < 0.1 && merge.maxAbsLogitDifference < 1e-5);
    const card = await Deno.readTextFile(join(folder, "run/student/README.md"));
    assert.match(card, /library_name: sentence-transformers\npipeline_tag: sentence-similarity\n/);
    assert.match(card, /vectors of texts/);
    assert.match(card, /SentenceTransformer\("\."\)/);
    assert.doesNotMatch(card, /logits/);
    using saved = await openModel(join(folder, "run/student"), { backend });
    assert.deepEqual([saved.input.task, saved.input.text!.maxLength], ["embedding", 12]);
    const [vector] = await saved.embed({ texts: ["the dog runs"] });
    assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5, "its length is 1, as the teacher's it starts from");
  });
}, [cpu]);

testBackends("a student of another width goes by relations, and by scores of validation pairs", async (backend) => {
  await withTexts(async (folder) => {
    const text = recipe({
      student: "  { use: bert, layers: 1, width: 12, heads: 2, ffn: 8, positions: 12, pooling: cls }",
      losses: `
  - { use: relational }
  - { use: contrastive, negatives: 16 }
  - { use: similarity-preserving, pairs: [{ student: pooled, teacher: pooled }] }
  - { use: cosine-hidden, pairs: [{ student: pooled, teacher: pooled }] }`,
      validation: "{ from: dev, count: 6 }",
      dataset: "vocabularySize: 40",
    });
    const overrides = [`train.diagnostics={ layers: ["*.query.weight"] }`];
    const { student, teacher, labelled, examples } = await tinyRun(folder, { text, backend, overrides });
    const log = (await Deno.readTextFile(join(folder, "run/metrics.jsonl"))).trim().split("\n");
    const last = log.map((line) => JSON.parse(line)).findLast(({ diagnostics }) => diagnostics);
    assert.equal(last.diagnostics.agreement, student.validationMetrics!.agreement);
    assert.deepEqual([examples.validation, labelled.validation, labelled.train], [12, 12, 0]);
    assert.deepEqual(Object.keys(student.validationMetrics!), ["spearman", "pearson", "agreement"]);
    assert.ok(Number.isFinite(student.metrics.agreement));
    // As sentence-transformers' vectors of the same pairs have it, whatever tokens the student takes.
    const pairs = (await Deno.readTextFile(join(folder, "pairs.jsonl"))).split("\n").map((line) => JSON.parse(line));
    using model = await openModel(TEACHER, { backend });
    const [a, b] = [
      await model.embed({ texts: pairs.map(({ text }) => text) }),
      await model.embed({ texts: pairs.map(({ other }) => other) }),
    ];
    const cosines = a.map((vector, index) => vector.reduce((sum, x, place) => sum + x * b[index][place], 0));
    const expected = spearman(cosines, pairs.map(({ score }) => score));
    assert.ok(Math.abs(teacher!.metrics.spearman - expected) < 1e-6, `${teacher!.metrics.spearman}, ${expected}`);
  });
}, [cpu]);

testBackends("what does not go with vectors of sentences is refused with its line", async (backend) => {
  const pair = "pairs: [{ student: pooled, teacher: pooled }]";
  const refused: [Parameters<typeof recipe>[0], RegExp][] = [
    [{ losses: "[{ use: kd }]" }, /"kd" for vectors of sentences: it reads logits, and there are none; use losses on/],
    [{ losses: "[{ use: cross-entropy }]" }, /"cross-entropy" for vectors of sentences: it reads (labels|logits)/],
    [{ losses: "[{ use: dist }]" }, /"dist" for vectors of sentences: it reads logits/],
    [{ losses: "[{ use: mse }]" }, /"mse" for embedding/],
    [{ student: "  { use: cnn, layers: [{ use: linear, width: 4 }] }" }, /the data set has text/],
    [{ student: "  { use: bert, layers: 1, width: 8, subclasses: 2 }" }, /Cannot divide the classes of embedding/],
    [
      { validation: "{ from: dev, count: 21 }" },
      /Cannot take 21 validation pairs from the 20 pairs with a score of "dev"/,
    ],
    [{ teacher: ", others: [{ use: bert, weights: x }]" }, /several teachers together for vectors/],
  ];
  await withTexts(async (folder) => {
    for (const [index, [changes, message]] of refused.entries()) {
      const text = recipe({ losses: `[{ use: hidden-mse, ${pair} }]`, ...changes });
      await assert.rejects(tinyRun(folder, { text, backend, output: `run ${index}` }), { message });
    }
    const watched = { text: recipe(), backend, output: "watched", overrides: ["train.monitor=validation.spearman"] };
    await assert.rejects(tinyRun(folder, watched), {
      message: /as the 8 validation texts are no pairs with a score: it has validation\.agreement/,
    });
  });
}, [cpu]);
