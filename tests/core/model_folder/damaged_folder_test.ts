import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { readImageProcessor } from "../../../core/model_folder/image_processor.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import { encodeSafetensors } from "../../../core/safetensors.ts";
import { openFolderTokenizer } from "../../../plugins/datasets/text/folder_tokenizer.ts";
import { inNewFolder, modelFolders, writeFiles } from "../../faults/model_folders.ts";

/** Expects a sentence when one of a folder's JSON files is changed, or another text stands in its place. */
async function refusedWith(
  [name, file]: [folder: string, file: string],
  change: (json: Record<string, unknown>) => string | void,
  read: (folder: string, model: Awaited<ReturnType<typeof modelFolders>>[number]) => Promise<unknown>,
  message: RegExp,
): Promise<void> {
  const model = (await modelFolders()).find((own) => own.name === name)!;
  const json = JSON.parse(new TextDecoder().decode(model.files[file]));
  const changed = change(json) ?? JSON.stringify(json);
  await inNewFolder(async (folder) => {
    await writeFiles(folder, { ...model.files, [file]: new TextEncoder().encode(changed) });
    await assert.rejects(read(folder, model), { name: "UserError", message }, changed.slice(0, 200));
  });
}

const describe = (folder: string) => readDescribedModel(folder, builtins.model);

Deno.test("a config.json of this program with a damaged entry is a sentence with its place, however it is read", async () => {
  const cases: [change: (config: Record<string, unknown>) => string | void, message: RegExp][] = [
    [
      (config) => void (config.depth = 2.5),
      /config\.json:\d+:\d+: Expected an integer >= 8 and <= 2000 or null for depth: got 2\.5/,
    ],
    [(config) => void (config.width = 1e9), /for width: got 1000000000/],
    [
      (config) => void (config.architecture = "gpt"),
      /Unknown model "gpt" for architecture: expected resnet, mobilenet, efficientnet-lite0, cnn, mlp, bert, vit, tfjs or onnx/,
    ],
    [(config) => void (config.labels = "abc"), /for labels: got "abc"/],
    [
      (config) => void (config.labels = []),
      /Cannot tell classes apart without names: expected those of the classification/,
    ],
    [(config) => void ((config.input as Record<string, unknown>).height = -8), /in input|for input/],
    [
      (config) => void ((config.input as { normalise: { mean: number[] } }).normalise.mean = [0, 0]),
      /Expected 1 numbers, one for each channel: got 2/,
    ],
    [(config) => void ((config.input as { normalise: { std: number[] } }).normalise.std = [0]), /in input|for input/],
    [() => "{", /^Cannot read ".*config\.json" as it is no JSON: it ends too early$/],
    [() => "[]", /^Cannot read ".*config\.json" as a model's description: expected a JSON object$/],
    [() => "[".repeat(300), /^Cannot read ".*config\.json" as it is nested more than 200 levels deep$/],
  ];
  for (const [change, message] of cases) {
    await refusedWith(["own resnet", "config.json"], change, describe, message);
    const load = (folder: string, { data }: { data: Parameters<typeof readModelFolder>[2] }) =>
      readModelFolder(folder, builtins.model, data);
    await refusedWith(["own resnet", "config.json"], change, load, message);
  }
});

Deno.test("sizes of another program's config.json are refused before anything is built of them", async () => {
  const cases: [config: Record<string, unknown>, message: RegExp][] = [
    [{ image_size: -8 }, /Cannot read image_size of the config: expected a whole number from 1 to 16384, got -8/],
    [{ image_size: [8, 8, 8] }, /expected one number or height and width, got \[8,8,8\]/],
    [{ image_size: "8" }, /Cannot read image_size of the config/],
    [{ num_channels: 1e9 }, /Cannot read num_channels of the config: expected a whole number from 1 to 1024, got/],
    [{ num_hidden_layers: 6e6 }, /Cannot read num_hidden_layers of the config: .* from 1 to 1000, got 6000000/],
    [{ model_type: "constructor" }, /Cannot build a model of type "constructor": expected one of/],
  ];
  for (const [change, message] of cases) {
    await refusedWith(["vit", "config.json"], (config) => void Object.assign(config, change), describe, message);
  }
});

Deno.test("an image processor that divides by nothing, or says no numbers, is a sentence", async () => {
  const cases: [config: Record<string, unknown>, message: RegExp][] = [
    [{ rescale_factor: 0 }, /expected a number above 0 for rescale_factor, got 0$/],
    [{ rescale_factor: "NaN" }, /expected a number above 0 for rescale_factor, got "NaN"$/],
    [{ do_rescale: "false" }, /expected true or false for do_rescale, got "false"$/],
    [{ image_std: [0.5, 0, 0.5] }, /expected 3 numbers above 0 for image_std, got \[0\.5,0,0\.5\]$/],
    [{ image_mean: [0.5, "1", 0] }, /expected 3 numbers for image_mean, got \[0\.5,"1",0\]$/],
  ];
  const read = async (folder: string) => (await readImageProcessor(folder))!.normalise(3);
  for (const [change, message] of cases) {
    await refusedWith(
      ["vit", "preprocessor_config.json"],
      (config) => void Object.assign(config, change),
      read,
      message,
    );
  }
});

Deno.test("a tokenizer in which a token has no number, or a part is missing, is a sentence that names it", async () => {
  type Json = { model: { vocab: Record<string, unknown> }; added_tokens: unknown; post_processor: unknown };
  const cases: [change: (json: Json) => string | void, message: RegExp][] = [
    [
      (json) => void (json.model.vocab.film = 2.5),
      /the number of its token "film" is 2\.5: expected one from 0 to 16777216$/,
    ],
    [(json) => void (json.model.vocab.film = -1), /the number of its token "film" is -1/],
    [(json) => void (json.model.vocab.film = 1e9), /the number of its token "film" is 1000000000/],
    [(json) => void (json.added_tokens = {}), /it is damaged: its added_tokens are no list of tokens$/],
    [
      (json) => void (json.post_processor = {}),
      /^Cannot use the tokenizer ".*": a part of it is missing or damaged, or of a kind/,
    ],
    [() => "[]", /tokenizer\.json" as it is \[\]: expected a JSON object$/],
    [() => "{", /tokenizer\.json" as it is no JSON: it ends too early$/],
  ];
  const read = (folder: string) => openFolderTokenizer(folder, 12);
  for (const [change, message] of cases) {
    await refusedWith(["bert", "tokenizer.json"], (json) => change(json as unknown as Json), read, message);
  }
  for (const length of ["many", 0, -1]) {
    const change = (config: Record<string, unknown>) => void (config.model_max_length = length);
    const says = /^Cannot read model_max_length in ".*": expected a whole number from 1, got/;
    await refusedWith(["bert", "tokenizer_config.json"], change, read, says);
  }
});

Deno.test("weights that stand twice under names that mean the same, or are not finite, are refused", async () => {
  const { files, data } = (await modelFolders()).find(({ name }) => name === "own resnet")!;
  const one = { shape: [3], data: Float32Array.of(1, 2, 3) };
  const refused = (weights: Uint8Array<ArrayBuffer>, message: RegExp) =>
    inNewFolder(async (folder) => {
      await writeFiles(folder, { ...files, "model.safetensors": weights });
      await assert.rejects(readModelFolder(folder, builtins.model, data), { name: "UserError", message });
    });
  const twice = new Map([["fc.bias", one], ["module.fc.bias", one]]);
  await refused(encodeSafetensors(twice), /as two of its tensors are fc\.bias: which is meant is not known$/);
  const whole = files["model.safetensors"].slice();
  new DataView(whole.buffer).setFloat32(whole.length - 4, NaN, true);
  await refused(whole, /^Cannot load the model from ".*" as number \d+ of \S+ is NaN: all weights must be finite$/);
});

Deno.test("a file whose name has a NUL character in it is a sentence", async () => {
  await assert.rejects(readDescribedModel(join("a\0b", "c"), builtins.model), {
    name: "UserError",
    message: /as no file's name has a NUL character in it$/,
  });
});
