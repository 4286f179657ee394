import { fileError } from "../files.ts";
import { currentFiles } from "../files/current.ts";
import { PYTORCH, pytorchRemedy } from "../foreign_bytes.ts";
import { join } from "../paths.ts";
import { someOf } from "../recipe/words.ts";

/** The weights of a model folder in Hugging Face's layout: one file, or an index of several. */
export const WEIGHTS_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** Files of other forms that people have in place of these, by how their names end. */
const PICKLE = /\.(?:bin|pth|pt|ckpt)$/i;
const OTHER_WEIGHTS = /\.(?:h5|msgpack|onnx|gguf|ot|tflite|npz)$/i;
const NOT_WEIGHTS = /^(?:training_args|optimizer|scheduler|rng_state|random_states)/;

/** What a folder holds in place of weights that can be read, and what is to be done. */
export async function whyNoWeights(folder: string): Promise<string> {
  const names: string[] = [];
  try {
    for (const { name, kind } of await currentFiles().list(folder)) if (kind !== "folder") names.push(name);
  } catch (error) {
    throw fileError(error, "look into", folder);
  }
  const own = names.sort().filter((name) => !NOT_WEIGHTS.test(name));
  const there = own.filter((name) => name.endsWith(".safetensors"));
  if (there.length > 0) {
    const advice = there.length === 1
      ? "name that file"
      : `name the file that is meant, or write an index of them, ${INDEX_FILE}`;
    return `it has no ${WEIGHTS_FILE}, but ${someOf(there)}: ${advice}`;
  }
  const pickles = own.filter((name) => PICKLE.test(name));
  if (pickles.length > 1) {
    return `${someOf(pickles)} are files of PyTorch, which hold programs: save the model as ${WEIGHTS_FILE}, by ` +
      `save_pretrained of Hugging Face's transformers`;
  }
  if (pickles.length === 1) return `${pickles[0]} is ${PYTORCH}: ${pytorchRemedy(join(folder, pickles[0]))}`;
  const others = own.filter((name) => OTHER_WEIGHTS.test(name));
  const instead = others.length > 0 ? `, but ${someOf(others)}, which cannot be read` : "";
  return `it has no ${WEIGHTS_FILE}${instead}: expected the model's weights as safetensors`;
}
