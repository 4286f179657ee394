import { groupBy } from "../group_by.ts";
import { UserError } from "../errors.ts";
import { listedPath, lookAt, readUserFile } from "../files.ts";
import { foreignKind } from "../foreign_bytes.ts";
import { isJsonObject, parseJson, showJson } from "../json.ts";
import { basename, join } from "../paths.ts";
import { joinShapes } from "../plugin/factors.ts";
import { readSafetensors, readShapes, type StoredTensor } from "../safetensors.ts";
import { INDEX_FILE, WEIGHTS_FILE, whyNoWeights } from "./missing_weights.ts";

export { WEIGHTS_FILE } from "./missing_weights.ts";

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
  const { file, found } = await readAll(path, async (shard) => (await readSafetensors(shard)).tensors);
  return { file, tensors: found };
}

/**
 * Reads the shapes of the same tensors, factors as the weight that they are of, and no numbers.
 *
 * @throws UserError as {@link readStoredTensors}
 */
export async function readStoredShapes(path: string): Promise<ReadonlyMap<string, readonly number[]>> {
  return joinShapes((await readAll(path, readShapes)).found);
}

async function readAll<Found>(
  path: string,
  read: (file: string) => Promise<ReadonlyMap<string, Found>>,
): Promise<{ readonly file: string; readonly found: ReadonlyMap<string, Found> }> {
  const file = await weightsFile(path);
  if (!file.endsWith(".index.json")) return { file, found: await read(file) };
  const places = await readIndex(file);
  const found = new Map<string, Found>();
  for (const [shard, names] of groupBy(places.keys(), (name) => places.get(name)!)) {
    const stored = await read(shard);
    for (const name of names) {
      const tensor = stored.get(name);
      if (!tensor) {
        throw new UserError(
          `Cannot read "${file}" as "${basename(shard)}" lacks the tensor ${showName(name)} that it names`,
        );
      }
      found.set(name, tensor);
    }
  }
  return { file, found };
}

async function weightsFile(path: string): Promise<string> {
  if ((await lookAt(path))?.kind !== "folder") return path;
  for (const name of [WEIGHTS_FILE, INDEX_FILE]) if (await lookAt(join(path, name)) !== null) return join(path, name);
  throw new UserError(`Cannot read the weights in "${path}" as ${await whyNoWeights(path)}`);
}

/** The file of each tensor, by its name. */
async function readIndex(file: string): Promise<Map<string, string>> {
  const bytes = await readUserFile(file, "the index of the weights");
  const refuse = (reason: string) => new UserError(`Cannot read the index "${file}" as ${reason}`);
  const index = parseJson(bytes, (reason) => refuse(foreignKind(bytes, file) ?? reason), { distinctKeys: true });
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
