import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import { readClassNames } from "../../core/model_folder/class_names.ts";
import { readModelFolder } from "../../core/model_folder/read_folder.ts";
import { builtins } from "../../plugins/builtins.ts";
import { openModel } from "../../plugins/open_model.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { type Files, inNewFolder, type ModelFolder, modelFolders, oneBackend, writeFiles } from "./model_folders.ts";
import { changedBytes, changedJson, changedJsonText, changedText, oneOf } from "./mutations.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value) ?? "");

/** What stands in a model's files where it should not. */
const ODD = [
  ...[0, 1, 3, 7, 1000, 1001, 2 ** 16, 2 ** 24, 2 ** 24 + 1, 1e9, 2 ** 40, -7, 2.5, 0.999, 1.5],
  ...["8", "bert", "relu", "multi_label_classification", "regression", "BertForTokenClassification"],
  ...[{ 0: "pos", 2: "neg" }, { 1: "neg", 0: "pos" }, ["neg", "pos"], { a: "neg", b: "pos" }, { 0: null, 1: {} }],
  ...["../model.safetensors", "..", "/etc/passwd", "a/b", "C:\\x", "file:///x", "https://example.org/x", "", "."],
];

/** A file hurt as befits its kind. */
function hurtFile(name: string, bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (name.endsWith(".json")) return changedJsonText(JSON.parse(decode(bytes)), random, ODD);
  if (name.endsWith(".txt")) return changedText(decode(bytes), random);
  if (random.below(2) === 0) return changedBytes(bytes, random);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = encode(changedJson(JSON.parse(decode(bytes.subarray(8, 8 + length))), random, ODD));
  const whole = new Uint8Array(8 + header.length + bytes.length - 8 - length);
  new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
  whole.set(header, 8);
  whole.set(bytes.subarray(8 + length), 8 + header.length);
  return whole;
}

/** Opens a folder in all ways and runs its model: as many numbers as it has classes, for each example. */
async function read(folder: string, { data }: ModelFolder): Promise<void> {
  const backend = await oneBackend();
  {
    using model = await openModel(folder, { backend });
    const { task, image, classes } = model.input;
    if (task === "tagging") {
      const [{ labels }] = await model.tag({ words: [["the", "film"]] });
      assert.ok(labels.every((label) => label === null || classes.includes(label)), `${labels}`);
    } else {
      const count = task === "regression" ? 1 : classes.length;
      const inputs = image
        ? { images: new Uint8Array(2 * image.size[0] * image.size[1] * image.size[2]) }
        : { texts: ["a good film", "bad"] };
      const { logits } = await model.predict(inputs);
      assert.equal(logits.length, 2);
      for (const own of logits) assert.equal(own.length, count);
    }
  }
  const saved = await readModelFolder(folder, builtins.model, data);
  for (const { name, shape } of saved.model.parameters) {
    assert.equal(saved.weights.get(name)!.length, shape.reduce((product, extent) => product * extent, 1));
  }
  const names = await readClassNames(folder);
  if (names && names.length > 0) assert.equal(new Set(names).size, data.classes.length);
}

/** Model folders of this program and of Hugging Face, one file of each hurt. */
export const folderFuzz: Campaign = {
  name: "broken model folders",
  quick: 150,
  async trial(seed) {
    const random = new Random(seed).split("folder");
    const model = oneOf(random, await modelFolders());
    const hurt = oneOf(random, Object.keys(model.files));
    const files: Files = { ...model.files, [hurt]: hurtFile(hurt, model.files[hurt], random) };
    return await inNewFolder(async (folder) => {
      await writeFiles(folder, files);
      return await answered(folder, () => read(folder, model));
    });
  },
};
