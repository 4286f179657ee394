import { join } from "node:path";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../core/data/random.ts";
import { writeModelFolder } from "../../core/model_folder/write_folder.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { builtins } from "../../plugins/builtins.ts";
import { bertTokenizer } from "../../plugins/datasets/text/bert_tokenizer.ts";
import { encodeSafetensors, readSafetensors, toFloat32 } from "../../core/safetensors.ts";

/** Files by name. */
export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** A small model's folder, what it was made for, and whether it answers texts, images or words. */
export interface ModelFolder {
  readonly name: string;
  readonly files: Files;
  readonly data: InputDescription;
}

const PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "the", "##s", "!"];

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Runs `body` in a new folder. */
export async function inNewFolder<Result>(body: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await Deno.makeTempDir();
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes files into a folder. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) await Deno.writeFile(join(folder, name), bytes);
}

/** All files of a folder. */
export async function readFiles(folder: string): Promise<Files> {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for await (const { name } of Deno.readDir(folder)) files[name] = await Deno.readFile(join(folder, name));
  return files;
}

/** A folder as this program writes it. */
async function ownFolder(use: string, options: Record<string, unknown>, data: InputDescription): Promise<Files> {
  const definition = builtins.model.find(({ name }) => name === use)!;
  const model = definition.build(definition.options(optionKit).parse(options), data);
  const random = new Random(3);
  const weights = new Map(model.parameters.map(({ name, shape }) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    // Variances and scales must not be negative.
    return [name, Float32Array.from({ length: size }, () => 0.2 + 0.1 * random.uniform())];
  }));
  return await inNewFolder(async (folder) => {
    await writeModelFolder(folder, use, model, data, weights);
    return await readFiles(folder);
  });
}

/** The same as another program would leave it. */
function foreign(files: Files): Files {
  const { architecture: _own, task: _task, input: _input, labels: _labels, ...config } = JSON.parse(
    new TextDecoder().decode(files["config.json"]),
  );
  return { ...files, "config.json": json(config) };
}

/** The same with its weights in two files and their index. */
async function inShards({ "model.safetensors": weights, ...files }: Files): Promise<Files> {
  return await inNewFolder(async (folder) => {
    await writeFiles(folder, { weights });
    const { tensors } = await readSafetensors(join(folder, "weights"));
    const shards: Record<string, Uint8Array<ArrayBuffer>> = {};
    const places: Record<string, string> = {};
    for (const part of [0, 1]) {
      const shard = `model-0000${part + 1}-of-00002.safetensors`;
      const own = [...tensors].filter((_, index) => index % 2 === part);
      for (const [name] of own) places[name] = shard;
      const stored = own.map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }] as const);
      shards[shard] = encodeSafetensors(new Map(stored), { format: "pt" });
    }
    return { ...files, ...shards, "model.safetensors.index.json": json({ metadata: {}, weight_map: places }) };
  });
}

async function makeFolders(): Promise<readonly ModelFolder[]> {
  const { tokenizer, config } = bertTokenizer(PIECES, { lowercase: true });
  const text = {
    task: "classification",
    classes: ["neg", "pos"],
    image: null,
    text: {
      vocabulary: PIECES.length,
      maxLength: 12,
      padding: 0,
      files: { "tokenizer.json": json(tokenizer), "tokenizer_config.json": json(config) },
    },
  } as const;
  const image = (channels: number): InputDescription => ({
    task: "classification",
    classes: ["a", "b", "c"],
    image: { size: [8, 8, channels], normalise: { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.25) } },
    text: null,
  });
  const words = { ...text, task: "tagging", classes: ["O", "B-X", "I-X"] } as const;
  const small = { layers: 1, width: 8, heads: 2, ffn: 8 };
  const bert = await ownFolder("bert", { ...small, positions: 12 }, text);
  const tagger = await ownFolder("bert", { ...small, positions: 12, crf: true }, words);
  const distil = await ownFolder("bert", { ...small, positions: 12, variant: "distilbert" }, text);
  const roberta = await ownFolder("bert", { ...small, positions: 16, variant: "roberta" }, text);
  const vit = await ownFolder("vit", { ...small, patch: 4 }, image(3));
  const resnet = await ownFolder("resnet", { depth: 8, width: 2 }, image(1));
  const { "tokenizer.json": _tokenizer, ...bare } = foreign(bert);
  const vocabulary = new TextEncoder().encode(PIECES.join("\n") + "\n");
  return [
    { name: "own bert", files: bert, data: text },
    { name: "bert", files: foreign(bert), data: text },
    { name: "bert in shards", files: await inShards(foreign(bert)), data: text },
    { name: "bert with vocab.txt", files: { ...bare, "vocab.txt": vocabulary }, data: text },
    { name: "own tagger", files: tagger, data: words },
    { name: "distilbert", files: foreign(distil), data: text },
    { name: "roberta", files: foreign(roberta), data: text },
    { name: "own vit", files: vit, data: image(3) },
    { name: "vit", files: foreign(vit), data: image(3) },
    { name: "own resnet", files: resnet, data: image(1) },
  ];
}

let folders: Promise<readonly ModelFolder[]> | undefined;

/** The folders of small models of all families, this program's and others'. */
export function modelFolders(): Promise<readonly ModelFolder[]> {
  return folders ??= makeFolders();
}

let backend: Promise<CpuBackend> | undefined;

/** One backend without threads for all trials, which holds nothing that must be closed. */
export function oneBackend(): Promise<CpuBackend> {
  return backend ??= CpuBackend.create({ threads: 1 });
}
