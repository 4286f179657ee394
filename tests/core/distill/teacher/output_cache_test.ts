import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../../core/data/random.ts";
import { backends, cpu } from "../../../support/backends.ts";
import { assertClose } from "../../../support/numbers.ts";
import { metricsLog, recorder, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const cached = (folder: string) =>
  `teacher: { use: resnet, depth: 8, width: 4, weights: one/student, cache: ${folder} }
losses: [{ use: kd }, { use: hidden-mse, pairs: [{ student: layer1, teacher: layer1 }] }, { use: patient, pairs: [{ student: pooled, teacher: pooled }] }]`;

async function withCache(body: (folder: string, text: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=9"] });
    await body(folder, tinyRecipe.replace("losses: [{ use: cross-entropy }]", cached("outputs")));
  });
}

/** Sentences of 1 to 15 words, whose batches are 8, 16 or 24 long; the vowels are marked. */
function sentences(count: number, seed: number): string {
  const random = new Random(seed);
  const word = () => {
    const letter = "abcdefgh"[random.below(8)];
    return `${letter} ${"aeo".includes(letter) ? "B-V" : "O"}`;
  };
  return Array.from({ length: count }, (_, index) => Array.from({ length: 1 + index % 15 }, word).join("\n"))
    .join("\n\n") + "\n";
}

/** As wide as most batches are long. */
const encoder = "use: bert, layers: 2, width: 8, heads: 2, positions: 24, types: 0, crf: true, dropout: 0";

const taggerRecipe = `
name: tiny
seed: 3
validation: { count: 12 }
dataset: { use: conll, train: train.conll, test: test.conll, vocabularySize: 60, maxLength: 24 }
student: { ${encoder} }
losses: [{ use: crf }]
train: { epochs: 2, batchSize: 8, logEvery: 1, optimiser: { use: adamw, learningRate: 0.01 } }
`;

/** Losses that read everything of a text's tokens that an encoder gives, and what is the same for all texts. */
const perToken = `losses:
  - { use: kd }
  - { use: hidden-mse, pairs: [{ student: -1, teacher: -1 }, { student: embeddings, teacher: embeddings }] }
  - { use: attention-mse }
  - { use: minilm }
  - { use: structure-marginals }`;

async function withTagger(body: (folder: string, text: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.conll"), sentences(60, 1));
    await Deno.writeTextFile(join(folder, "test.conll"), sentences(15, 2));
    await tinyRun(folder, { text: taggerRecipe, output: "one", overrides: ["train.maxSteps=9"] });
    const teacher = `teacher: { ${encoder}, weights: one/student, cache: outputs }\n${perToken}`;
    await body(folder, taggerRecipe.replace("losses: [{ use: crf }]", teacher));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const filesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("cached outputs train the same student as those of every step, and are written once", async () => {
  await withCache(async (folder, text) => {
    const run = async (output: string, more: Parameters<typeof tinyRun>[1] = {}) => {
      const { lines, reporter } = recorder();
      const summary = await tinyRun(folder, { text, reporter, output, ...more });
      return { summary, said: lines.filter((line) => line.startsWith("teacher: outputs")).join() };
    };
    const without = await run("without", { overrides: ["teacher.cache=null"] });
    const first = await run("first");
    assert.match(first.said, /^teacher: outputs of 72 examples written to ".*outputs.*\.safetensors", [\d.]+ kB$/);
    const [file] = await filesIn(join(folder, "outputs"));
    const second = await run("second");
    assert.equal(second.said, `teacher: outputs read from "${join(folder, "outputs", file)}"`);
    assert.equal(without.said, "");
    const bytes = await Promise.all(["without", "first", "second"].map((run) => studentBytes(folder, run)));
    assert.deepEqual(bytes[1], bytes[2]);
    // The teacher saw other batches, so that its sums may round otherwise.
    assert.ok(Math.abs(without.summary.losses.kd - first.summary.losses.kd) < 1e-4);
    assert.deepEqual(without.summary.student.accuracy, first.summary.student.accuracy);
  });
});

for (const backend of backends) {
  Deno.test({
    name: `cached outputs for each token of texts give the losses of every step (${backend.name})`,
    ignore: !backend.available,
    fn: () =>
      withTagger(async (folder, text) => {
        const run = async (output: string, overrides: string[] = []) => {
          const opened = await backend.open();
          await tinyRun(folder, { text, output, overrides, backend: opened }).finally(() => opened.close());
          const log = await metricsLog(folder, output);
          return log.flatMap(({ losses }) => losses ? [losses] : []);
        };
        const without = await run("without", ["teacher.cache=null"]);
        const first = await run("first");
        assert.deepEqual(await run("second"), first);
        const bytes = await Promise.all(["first", "second"].map((run) => studentBytes(folder, run)));
        assert.deepEqual(bytes[0], bytes[1]);
        assert.equal(without.length, first.length);
        assert.ok(without.length > 8);
        for (const [step, losses] of without.entries()) {
          for (const [name, value] of Object.entries<number>(losses)) {
            assert.ok(value > 1e-5, `${name} at step ${step} is something: ${value}`);
            // On the cpu a text's numbers do not depend on the others of its batch.
            const tolerance = backend === cpu ? 0 : step === 0 ? 1e-5 : 1e-3;
            assert.ok(Math.abs(first[step][name] / value - 1) <= tolerance, `${name} at step ${step}`);
          }
        }
      }),
  });
}

Deno.test("of the largest logits for each token, where one more is left, nothing is lost", async () => {
  await withTagger(async (folder, text) => {
    const run = async (output: string, keep: string) => {
      const overrides = [
        "losses=[{ use: kd }, { use: hard-distillation }]",
        `teacher.keep=${keep}`,
        "train.maxSteps=4",
      ];
      const { lines, reporter } = recorder();
      await tinyRun(folder, { text, output, overrides, reporter });
      const said = lines.filter((line) => line.startsWith("teacher: kept"));
      return { said, losses: (await metricsLog(folder, output)).flatMap(({ losses }) => losses ? [losses] : []) };
    };
    const [all, kept] = [await run("all", "null"), await run("kept", "{ topK: 1 }")];
    assert.deepEqual(kept.said, ["teacher: kept are the 1 largest of 2 logits, 10 bytes of 8"]);
    assert.deepEqual(all.losses.map(({ kd }) => kd > 1e-5), [true, true, true, true]);
    for (const name of ["kd", "hard-distillation"]) {
      assertClose(kept.losses.map((losses) => losses[name]), all.losses.map((losses) => losses[name]), 1e-4, name);
    }
  });
});

Deno.test("outputs of other weights, data, options, splits or losses are not used", async () => {
  await withCache(async (folder, text) => {
    const count = async () => (await filesIn(join(folder, "outputs"))).length;
    const overrides = ["train.maxSteps=1"];
    const run = (text: string, more: string[] = []) => tinyRun(folder, { text, overrides: [...overrides, ...more] });
    await run(text);
    assert.equal(await count(), 1);
    await run(text, ["train.batchSize=8", "losses[0].temperature=2", "name=other"]);
    assert.equal(await count(), 1, "what has no influence changes nothing");
    await run(text, ["seed=4"]);
    await run(text, ["validation.count=23"]);
    await run(text, ["dataset.mean=[0.4]"]);
    await run(text, ["teacher.dropout=0.1"]);
    await run(text, ["losses=[{ use: kd }]"]);
    assert.equal(await count(), 6);
    await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=8"] });
    await run(text);
    assert.equal(await count(), 7, "other weights");
  });
});

Deno.test("outputs for tokens of other texts, lengths or weights are not used", async () => {
  await withTagger(async (folder, text) => {
    const count = async () => (await filesIn(join(folder, "outputs"))).length;
    const run = (...more: string[]) => tinyRun(folder, { text, overrides: ["train.maxSteps=1", ...more] });
    await run();
    await run("train.batchSize=4", "losses[0].temperature=2");
    assert.equal(await count(), 1, "what has no influence changes nothing");
    await run("dataset.maxLength=10");
    assert.equal(await count(), 2, "texts cut shorter");
    await run("losses=[{ use: kd }]");
    assert.equal(await count(), 3, "other losses");
    await Deno.writeTextFile(join(folder, "train.conll"), sentences(60, 3));
    await run();
    assert.equal(await count(), 4, "other texts");
    await tinyRun(folder, { text: taggerRecipe, output: "one", overrides: ["train.maxSteps=8"] });
    await run();
    assert.equal(await count(), 5, "other weights");
  });
});

for (const [what, setUp] of [["images", withCache], ["texts", withTagger]] as const) {
  Deno.test(`a damaged cache of ${what} is not used but written again`, async () => {
    await setUp(async (folder, text) => {
      const { lines, reporter } = recorder();
      const whole = await tinyRun(folder, { text });
      const [name] = await filesIn(join(folder, "outputs"));
      const file = join(folder, "outputs", name);
      const bytes = await Deno.readFile(file);
      const changes: [string, Uint8Array][] = [
        ["a changed number", bytes.with(bytes.length - 2, bytes[bytes.length - 2] ^ 1)],
        ["a shorter file", bytes.slice(0, -8)],
        ["another file", new TextEncoder().encode("not safetensors at all")],
      ];
      for (const [what, damaged] of changes) {
        await Deno.writeFile(file, damaged);
        lines.length = 0;
        const again = await tinyRun(folder, { text, reporter });
        assert.ok(
          lines.includes(`teacher: "${file}" is damaged and not used: its outputs are computed again`),
          `${what}: ${lines.join("\n")}`,
        );
        assert.equal(again.studentSha256, whole.studentSha256, what);
        assert.deepEqual(await Deno.readFile(file), bytes, what);
      }
    });
  });
}

Deno.test("augmentation and a cache exclude each other", async () => {
  await withCache(async (folder, text) => {
    for (const augment of ["{ flip: true }", "{ shift: 1 }"]) {
      await assert.rejects(tinyRun(folder, { text, overrides: [`augment=${augment}`] }), {
        name: "UserError",
        message:
          /tiny\.yaml:\d+:\d+: Cannot cache the teacher's outputs as augmentation \(.*\) changes the images in every epoch/,
      });
    }
    await assert.rejects(Deno.stat(join(folder, "outputs")), Deno.errors.NotFound);
  });
});
