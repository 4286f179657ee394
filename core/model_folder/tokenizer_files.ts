import { lookAt, readText } from "../files.ts";
import { join } from "../paths.ts";
import type { TextInput } from "../plugin/dataset.ts";
import { type Model, TEXT_INPUTS } from "../plugin/model.ts";

const CONFIG_FILE = "tokenizer_config.json";

const ALL = Object.keys(TEXT_INPUTS) as (keyof typeof TEXT_INPUTS)[];

/**
 * The tokenizer's files as they are saved beside a model: its config also says where Hugging Face's tokenizer cuts
 * texts, and which of its outputs the model takes. A model without segments would stumble over theirs, and one cuts
 * nothing that is not told how long a text may be.
 */
export function tokenizerFiles(
  { textInputs = ALL }: Pick<Model, "textInputs">,
  { files, maxLength }: TextInput,
): Readonly<Record<string, Uint8Array>> {
  const config = files[CONFIG_FILE];
  if (!config) return files;
  const whole = {
    ...JSON.parse(new TextDecoder().decode(config)),
    model_max_length: maxLength,
    model_input_names: textInputs.map((name) => TEXT_INPUTS[name]),
  };
  return { ...files, [CONFIG_FILE]: new TextEncoder().encode(JSON.stringify(whole, null, 1) + "\n") };
}

/** Files of which one set is enough for a tokenizer. */
const SETS = [["tokenizer.json"], ["vocab.txt"], ["vocab.json", "merges.txt"]];

/** Whether a tokenizer's files are in a folder. */
export async function hasTokenizer(folder: string): Promise<boolean> {
  for (const files of SETS) {
    const found = await Promise.all(files.map((file) => lookAt(join(folder, file))));
    if (found.every((info) => info !== null)) return true;
  }
  return false;
}

/** Whether the tokenizer that a data set saves numbers tokens as the one in a folder does. */
export async function isTokenizerOf(text: TextInput | null, folder: string): Promise<boolean> {
  const vocabularyIn = (json: string): string => {
    try {
      return JSON.stringify(JSON.parse(json).model.vocab);
    } catch {
      return "";
    }
  };
  const own = text?.files["tokenizer.json"];
  const theirs = await readText(join(folder, "tokenizer.json")).catch(() => "");
  const [a, b] = [own ? new TextDecoder().decode(own) : "", theirs].map(vocabularyIn);
  return a !== "" && a === b;
}
