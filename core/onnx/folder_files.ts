import { lookAt, readUserFile } from "../files.ts";
import { UserError } from "../errors.ts";
import { isJsonObject, parseJson } from "../json.ts";
import { join } from "../paths.ts";
import { CONFIG_FILE, readConfigAlone } from "../model_folder/config_file.ts";
import { imageProcessorFiles, PROCESSOR_FILE } from "../model_folder/image_processor.ts";
import { EXPORTED_FROM } from "../model_folder/describing_folder.ts";
import { sentenceFiles } from "../model_folder/sentence_modules.ts";
import { hasTokenizer } from "../model_folder/tokenizer_files.ts";
import type { InputDescription } from "../plugin/dataset.ts";

/** The files of Hugging Face's tokenizers. */
const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.txt",
  "vocab.json",
  "merges.txt",
];

/** The classes of transformers.js by which models run that it does not know: it gives inputs, and takes logits. */
const ANY_IMAGE_MODEL = "resnet";
const ANY_TEXT_MODEL = "bert";

/**
 * The files beside an ONNX model by which transformers.js makes its inputs and reads its answers: config.json, and the
 * tokenizer's or the image processor's; and those that say how a model makes vectors of sentences.
 *
 * @param folder the model's
 * @param weights SHA-256 of its weights, which config.json says
 * @param saysNormalisation whether it is known how pixels are normalised, of which an image processor can be made
 * @throws UserError for a model of texts without a tokenizer, images that no image processor makes, and damaged files
 */
export async function companionFiles(
  folder: string,
  input: InputDescription,
  weights: string,
  saysNormalisation: boolean,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const take = async (name: string) => {
    const path = join(folder, name);
    if (await lookAt(path) === null) return;
    const bytes = await readUserFile(path, "a file of the model");
    // What is damaged here is damaged there, where nobody looks at it before it is wanted.
    if (name.endsWith(".json")) jsonIn(bytes, path);
    files.set(name, bytes);
  };
  if (input.text) {
    if (!await hasTokenizer(folder)) {
      throw new UserError(
        `Cannot export "${folder}" as there is no tokenizer in it, without which nobody can give the model texts: expected ` +
          "tokenizer.json, vocab.txt, or vocab.json and merges.txt",
      );
    }
    for (const name of [...TOKENIZER_FILES, ...await sentenceFiles(folder)]) await take(name);
  } else {
    await take(PROCESSOR_FILE);
    const made = files.has(PROCESSOR_FILE) || !saysNormalisation ? {} : imageProcessorFiles(input.image!);
    for (const [name, bytes] of Object.entries(made)) files.set(name, bytes);
    const bytes = files.get(PROCESSOR_FILE);
    const isGrey = input.image!.size[2] === 1;
    if (bytes && isGrey) files.set(PROCESSOR_FILE, keepingGrey(bytes, join(folder, PROCESSOR_FILE)));
  }
  const config = await readConfigAlone(join(folder, CONFIG_FILE));
  const words = { model_type: input.image ? ANY_IMAGE_MODEL : ANY_TEXT_MODEL, ...inTheirWords(input) };
  // A null says nothing, and must not hide what it leaves to be said: a sigmoid where there are several labels.
  const said = Object.entries(config).filter(([key, value]) => value !== null || !(key in words));
  const whole = { ...words, ...Object.fromEntries(said), [EXPORTED_FROM]: weights };
  files.set(CONFIG_FILE, new TextEncoder().encode(JSON.stringify(whole, null, 2) + "\n"));
  return files;
}

/** An image processor that leaves grey pictures grey: that of transformers.js gives them three channels otherwise. */
function keepingGrey(bytes: Uint8Array, path: string): Uint8Array {
  const processor = jsonIn(bytes, path);
  if (!isJsonObject(processor)) throw new UserError(`Cannot export "${path}": expected a JSON object`);
  return new TextEncoder().encode(JSON.stringify({ ...processor, do_convert_rgb: false }, null, 2) + "\n");
}

function jsonIn(bytes: Uint8Array, path: string): unknown {
  return parseJson(bytes, (reason) => new UserError(`Cannot export "${path}" as ${reason}`));
}

/** The names of the classes as Hugging Face's configs have them. */
function inTheirWords({ task, classes, image }: InputDescription): Record<string, unknown> {
  if (task === "embedding") return {};
  const names = task === "regression" ? ["LABEL_0"] : classes;
  return {
    id2label: Object.fromEntries(names.map((name, index) => [index, name])),
    label2id: Object.fromEntries(names.map((name, index) => [name, index])),
    ...(task === "multi-label" && { problem_type: "multi_label_classification" }),
    ...(image && { num_channels: image.size[2] }),
  };
}
