import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { listedPath, readUserFile } from "../files.ts";
import { isJsonObject, parseJson, showJson } from "../json.ts";
import { readSafetensors, type StoredTensor } from "../safetensors.ts";

/** The weights of a model folder in Hugging Face's layout: one file, or an index of several. */
export const WEIGHTS_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

/** PyTorch's own form, which holds a program rather than data. */
const PICKLE_FILE = "pytorch_model.bin";

/** Tensors as they are stored. */
export interface StoredTensors {
  /** The file that was read, or the index of those that were. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads the tensors of a model folder, of a safetensors file, or of all files that an index (`*.index.json`) names.
 *
 * @throws UserError if there are none, or a file is missing, broken, or lacks a tensor that the index places there
 */
export async function readStoredTensors(path: string): Promise<StoredTensors> {
  const file = await weightsFile(path);
  if (!file.endsWith(".index.json")) return { file, tensors: (await readSafetensors(file)).tensors };
  const places = await readIndex(file);
  const tensors = new Map<string, StoredTensor>();
  for (const [shard, names] of Map.groupBy(places.keys(), (name) => places.get(name)!)) {
    const stored = await readSafetensors(shard);
    for (const name of names) {
      const tensor = stored.tensors.get(name);
      if (!tensor) {
        throw new UserError(
          `Cannot read "${file}" as "${basename(shard)}" lacks the tensor ${showName(name)} that it names`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  return { file, tensors };
}

async function weightsFile(path: string): Promise<string> {
  const info = await Deno.stat(path).catch(() => null);
  if (!info?.isDirectory) return path;
  for (const name of [WEIGHTS_FILE, INDEX_FILE]) if (await exists(join(path, name))) return join(path, name);
  if (await exists(join(path, PICKLE_FILE))) {
    throw new UserError(
      `Cannot read the weights in "${path}" as ${PICKLE_FILE} is a program, not data: save them as ${WEIGHTS_FILE}, as ` +
        "save_pretrained of Hugging Face's transformers does",
    );
  }
  return join(path, WEIGHTS_FILE);
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** The file of each tensor, by its name. */
async function readIndex(file: string): Promise<Map<string, string>> {
  const refuse = (reason: string) => new UserError(`Cannot read the index "${file}" as ${reason}`);
  const index = parseJson(await readUserFile(file, "the index of the weights"), refuse, { distinctKeys: true });
  const places = isJsonObject(index) ? index.weight_map : undefined;
  if (!isJsonObject(places)) throw refuse("it has no weight_map");
  const paths = new Map<unknown, string>();
  for (const [name, shard] of Object.entries(places)) {
    const path = paths.get(shard) ?? await listedPath(file, shard);
    if (path === null) {
      throw refuse(`it places ${showName(name)} in ${showJson(shard)}: expected a file of its folder`);
    }
    paths.set(shard, path);
  }
  return new Map(Object.entries(places).map(([name, shard]) => [name, paths.get(shard)!]));
}

/** A tensor's name in a sentence. */
const showName = (name: string) => name.length <= 120 ? name : `${name.slice(0, 117)}...`;
