import assert from "node:assert/strict";
import { join } from "node:path";
import { checkPlugin } from "../../core/plugin/check/check_plugin.ts";
import { allBuiltins, findPlugin } from "../../tasks/support/find_plugin.ts";
import { noisePng } from "../support/pictures.ts";
import { writeTinyData } from "../support/tiny_run.ts";

const layers = [{ student: "layer1", teacher: "layer1" }];
const tokens = [{ student: -1, teacher: -1 }];
const small = { vocabularySize: 60, maxLength: 12 };
const files = { train: "train.tsv", test: "test.tsv" };

/** Options of the built-in plug-ins that cannot do without, or whose defaults are large. */
const optionsOf: Readonly<Record<string, Record<string, unknown>>> = {
  "attention-transfer": { pairs: layers },
  "cosine-hidden": { pairs: tokens },
  "hidden-mse": { pairs: layers },
  lelp: { subclasses: 2 },
  patient: { pairs: tokens },
  "similarity-preserving": { pairs: layers },
  resnet: { depth: 8, width: 4 },
  mobilenet: { version: "v3-small", width: 0.1, stemStride: 1 },
  "efficientnet-lite0": { width: 0.01, stemStride: 1 },
  cnn: {
    layers: [
      { use: "conv", channels: 4, stride: 2 },
      { use: "conv", channels: 4, groups: 4, size: 5, norm: "none", activation: "silu" },
      { use: "max-pool", size: 3, stride: 2, padding: 1 },
      { use: "linear", width: 6, norm: "batch", activation: "hard-swish", dropout: 0.1 },
    ],
  },
  mlp: { widths: [6, 5], activation: "tanh" },
  bert: { layers: 2, width: 8, heads: 2 },
  vit: { layers: 2, width: 8, heads: 2, patch: 4 },
  outputs: { file: "outputs.jsonl", key: "row", values: "logits" },
  idx: {
    train: { images: "train-images", labels: "train-labels" },
    test: { images: "test-images", labels: "test-labels" },
  },
  cifar: { train: ["cifar.bin"], test: ["cifar.bin"] },
  "image-folder": { folder: "pictures", cache: false },
  "image-table": { folder: "pictures", train: "pictures.csv", testPart: 0.5, cache: false },
  "text-table": { ...files, ...small },
  glue: { task: "sst2", folder: "glue", ...small },
  conll: { train: "tags.txt", test: "other-tags.txt", ...small },
  mail: { folder: "mails", classes: { ham: ["ham"], spam: ["spam"] }, ...small },
};

/** Images of models for which those of 8x8, and then the twice as large ones, take long to tell a gradient by. */
const sizeOf: Readonly<Record<string, readonly [height: number, width: number]>> = { "efficientnet-lite0": [16, 16] };

/** Files of every data set, as small as they can be. */
async function writeData(folder: string): Promise<void> {
  const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
  await writeTinyData(folder, 12, 6);
  const records = Array.from({ length: 5 }, (_, record) => [record, ...Array(3072).fill(50 * record)]);
  await Deno.writeFile(join(folder, "cifar.bin"), Uint8Array.from(records.flat()));
  const rows = ["a good day\t1", "a bad day\t0", "it was good indeed\t1", "it was bad\t0", "good\t1"];
  for (const name of Object.values(files)) await write(name, `text\tlabel\n${rows.join("\n")}\n`);
  for (const name of ["glue", "mails", "mails/ham", "mails/spam"]) await Deno.mkdir(join(folder, name));
  for (const name of ["train.tsv", "dev.tsv"]) await write(`glue/${name}`, `sentence\tlabel\n${rows.join("\n")}\n`);
  const tags = "Anna B-PER\nSmith I-PER\nsleeps O\n\nIt O\nrains O\n\nBob B-PER\n";
  for (const name of ["tags.txt", "other-tags.txt"]) await write(name, tags);
  const named = ["train", "test"].flatMap((split) =>
    ["cat", "dog"].flatMap((kind) => Array.from({ length: 3 }, (_, i) => [split, kind, i] as const))
  );
  for (const [seed, [split, kind, i]] of named.entries()) {
    await Deno.mkdir(join(folder, "pictures", split, kind), { recursive: true });
    await Deno.writeFile(join(folder, "pictures", split, kind, `${i}.png`), noisePng(seed, 8));
  }
  const pictures = named.map(([split, kind, i]) => `${split}/${kind}/${i}.png,${kind}`);
  await write("pictures.csv", `path,label\n${pictures.join("\n")}\n`);
  for (const [kind, word] of [["ham", "lunch"], ["spam", "offer"]]) {
    for (let i = 0; i < 8; i++) {
      await write(`mails/${kind}/${i}`, `Subject: ${word} ${i}\r\n\r\nthe ${word} of day ${i}\r\n`);
    }
  }
}

Deno.test("built-in plug-ins have names of their own and say where they are from, losses also what they compute", () => {
  const names = allBuiltins().map(({ name }) => name);
  assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
  assert.deepEqual(Object.keys(optionsOf).filter((name) => !names.includes(name)), [], "options of nothing");
  for (const { kind, name, source, equation } of allBuiltins()) {
    assert.match(source ?? "", /^\S.*[^\s.]$/, `source of ${name}`);
    if (kind === "loss") assert.match(equation ?? "", /^\S.*[^\s.]$/, `equation of ${name}`);
  }
});

for (const { kind, name } of allBuiltins()) {
  Deno.test(`the ${kind} ${name} keeps the contract`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      if (kind === "dataset") await writeData(folder);
      const { definition, text } = await findPlugin(name);
      assert.ok(text, "its file is found");
      const requireWebgpu = Deno.env.get("CI") === "true";
      const failed: string[] = [];
      const how = { options: optionsOf[name], text, base: folder, requireWebgpu, imageSize: sizeOf[name] };
      for await (const result of checkPlugin(definition, how)) {
        if (result.outcome === "failed") failed.push(`${result.name}: ${result.detail}`);
      }
      assert.deepEqual(failed, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
