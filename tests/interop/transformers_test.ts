import assert from "node:assert/strict";
import { join } from "node:path";
import "../../core/deno/install.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../core/data/random.ts";
import { freeze } from "../../core/nn/frozen_weights.ts";
import { readModelFolder, type SavedModel } from "../../core/model_folder/read_folder.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import type { Task } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { builtins } from "../../plugins/builtins.ts";
import { batchOf, outputsOf, type Probe, readProbe, writeProbe } from "./probe.ts";
import { hasTransformers, runScript } from "./python.ts";
import { exportRandom, randomWeights } from "./random_models.ts";
import { type Sample, sampleImages, type SampleText, sampleTexts } from "./samples.ts";

/** Of float32 rounding: logits and hidden states are of about 1. */
const TOLERANCE = 2e-5;

const sizes = { layers: 2, width: 12, heads: 3, ffn: 20, positions: 41 };
const imageSizes = { layers: 2, width: 12, heads: 3, ffn: 20, patch: 3 };

/** Models that this program writes: the plug-in, its options, and what the model is run on. */
const OURS: Readonly<Record<string, readonly [string, Record<string, unknown>, () => Sample | Promise<Sample>]>> = {
  "bert for classes": ["bert", sizes, () => sampleTexts("classification")],
  "bert for a number, in one head and three segments": [
    "bert",
    { layers: 1, width: 7, heads: 1, ffn: 5, types: 3, activation: "relu", epsilon: 1e-5 },
    () => sampleTexts("regression"),
  ],
  "bert for tags": ["bert", { ...sizes, activation: "gelu_new" }, () => sampleTexts("tagging")],
  "bert with rows to spare": ["bert", { ...sizes, vocabulary: 101 }, () => sampleTexts("classification")],
  "bert without segments": ["bert", { ...sizes, types: 0 }, () => sampleTexts("classification")],
  "roberta without segments": ["bert", { ...sizes, variant: "roberta", types: 0 }, () => sampleTexts("tagging")],
  "distilbert for classes": ["bert", { ...sizes, variant: "distilbert" }, () => sampleTexts("classification")],
  "distilbert for tags": ["bert", { ...sizes, variant: "distilbert" }, () => sampleTexts("tagging")],
  "roberta for classes": ["bert", { ...sizes, variant: "roberta" }, () => sampleTexts("classification")],
  "roberta for a number": ["bert", { ...sizes, variant: "roberta", types: 2 }, () => sampleTexts("regression")],
  "roberta for tags": ["bert", { ...sizes, variant: "roberta" }, () => sampleTexts("tagging")],
  "electra for classes": [
    "bert",
    { ...sizes, variant: "electra", embeddingWidth: 8 },
    () => sampleTexts("classification"),
  ],
  "electra for tags": ["bert", { ...sizes, variant: "electra" }, () => sampleTexts("tagging")],
  "vit on oblong images": ["vit", imageSizes, () => sampleImages([6, 9, 2])],
  "vit on grey images": ["vit", { ...imageSizes, patch: 2, activation: "gelu_new" }, () => sampleImages([6, 4, 1])],
  "deit": ["vit", { ...imageSizes, variant: "deit" }, () => sampleImages([9, 9, 3])],
  "deit with one head": [
    "vit",
    { ...imageSizes, variant: "deit", distillationHead: false },
    () => sampleImages([6, 9, 3]),
  ],
};

/** Models that transformers_models.py saves: their tasks, or the sizes of their images. */
const THEIRS: Readonly<Record<string, Task | readonly [number, number, number]>> = {
  "bert": "classification",
  "bert-regression": "regression",
  "bert-tags": "tagging",
  "distilbert": "classification",
  "distilbert-tags": "tagging",
  "roberta": "classification",
  "roberta-tags": "tagging",
  "xlm-roberta": "classification",
  "camembert": "classification",
  "electra": "classification",
  "electra-tags": "tagging",
  "mpnet": "classification",
  "mpnet-tags": "tagging",
  "vit": [6, 9, 2],
  "deit": [9, 9, 3],
  "deit-one-head": [9, 9, 3],
};

/** A folder for a test, and something to compute with. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const backend = await CpuBackend.create();
  stack.defer(() => backend.close());
  return { folder, ops: createOps(backend), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Exports a model as a run does, and writes beside the student what it computes. */
async function exportWithProbe(ops: Ops, folder: string, saved: SavedModel, sample: Sample): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await exportRandom(ops, folder, saved, sample);
  const weights = freeze(ops, saved.model, saved.weights);
  const outputs = await outputsOf(ops, saved.model, weights, sample.batch);
  weights.dispose();
  await writeProbe(join(folder, "probe.safetensors"), saved.model, sample.batch, outputs, sample);
}

/** Lets transformers load exported students, and asserts that it computes the same. */
async function assertLoadedEqual(folders: readonly string[]): Promise<void> {
  const args = folders.flatMap((folder) => [join(folder, "student"), join(folder, "probe.safetensors")]);
  const { success, lines, errors } = await runScript("transformers_student.py", args);
  assert.ok(success, [...lines, errors].join("\n"));
  assert.equal(lines.filter((line) => line.startsWith("equal: ")).length, folders.length, lines.join("\n"));
}

function assertNear(actual: Probe, expected: Probe): void {
  for (const [name, { data, shape }] of actual) {
    const other = expected.get(name)!;
    assert.deepEqual(shape, other.shape, name);
    const most = data.reduce((most, value, index) => Math.max(most, Math.abs(value - other.data[index])), 0);
    assert.ok(most < TOLERANCE, `${name} differs by ${most}`);
  }
}

/** The classes by the config.json of a folder. */
async function classesOf(folder: string): Promise<string[]> {
  return Object.values(JSON.parse(await Deno.readTextFile(join(folder, "config.json"))).id2label ?? {});
}

const needed = "needs python3 with torch, transformers and pillow";
const ignore = !await hasTransformers();

Deno.test({
  name: `transformers loads what a run exports, and gives the same logits (${needed})`,
  ignore,
  fn: async () => {
    await using setup = await setUp();
    const { ops } = setup;
    const folders: string[] = [];
    for (const [name, [architecture, options, sampled]] of Object.entries(OURS)) {
      const definition = builtins.model.find((model) => model.name === architecture)!;
      const sample = await sampled();
      const model = definition.build(definition.options(optionKit).parse(options), sample.input);
      const folder = join(setup.folder, name);
      folders.push(folder);
      const weights = randomWeights(model, new Random(7));
      await exportWithProbe(ops, folder, { architecture, model, weights }, sample);
    }
    await assertLoadedEqual(folders);
  },
});

Deno.test({
  name: `what transformers saves is read, gives the same logits, and is written for it again (${needed})`,
  ignore,
  fn: async (test) => {
    await using setup = await setUp();
    const { ops } = setup;
    const { success, errors } = await runScript("transformers_models.py", [setup.folder]);
    assert.ok(success, errors);
    const folders: string[] = [];
    for (const [name, kind] of Object.entries(THEIRS)) {
      await test.step(name, async () => {
        const folder = join(setup.folder, name);
        const { probe, texts } = await readProbe(join(folder, "probe.safetensors"));
        const sample = typeof kind === "string"
          ? await sampleTexts(kind, folder, await classesOf(folder), 60, texts as SampleText[])
          : sampleImages(kind);
        assert.deepEqual(sample.texts, texts, "other tokens");
        const saved = await readModelFolder(folder, builtins.model, sample.input);
        const weights = freeze(ops, saved.model, saved.weights);
        assertNear(await outputsOf(ops, saved.model, weights, batchOf(probe)), probe);
        weights.dispose();
        folders.push(join(setup.folder, "again", name));
        await exportWithProbe(ops, folders.at(-1)!, saved, sample);
      });
    }
    await assertLoadedEqual(folders);
  },
});
