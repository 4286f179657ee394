import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { readUserFile } from "../files.ts";
import { foreignKind } from "../foreign_bytes.ts";
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

/** Reads the shapes of the same tensors, and none of their numbers. @throws UserError as {@link readStoredTensors} */
export async function readStoredShapes(path: string): Promise<ReadonlyMap<string, readonly number[]>> {
  return (await readAll(path, readShapes)).found;
}

async function readAll<Found>(
  path: string,
  read: (file: string) => Promise<ReadonlyMap<string, Found>>,
): Promise<{ readonly file: string; readonly found: ReadonlyMap<string, Found> }> {
  const file = await weightsFile(path);
  if (!file.endsWith(".index.json")) return { file, found: await read(file) };
  const places = await readIndex(file);
  const found = new Map<string, Found>();
  for (const [shard, names] of Map.groupBy(places.keys(), (name) => places.get(name)!)) {
    const stored = await read(join(dirname(file), shard));
    for (const name of names) {
      const tensor = stored.get(name);
      if (!tensor) throw new UserError(`Cannot read "${file}" as "${shard}" lacks the tensor ${name} that it names`);
      found.set(name, tensor);
    }
  }
  return { file, found };
}

async function weightsFile(path: string): Promise<string> {
  const info = await Deno.stat(path).catch(() => null);
  if (!info?.isDirectory) return path;
  for (const name of [WEIGHTS_FILE, INDEX_FILE]) if (await exists(join(path, name))) return join(path, name);
  throw new UserError(`Cannot read the weights in "${path}" as ${await whyNoWeights(path)}`);
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** The file of each tensor, by its name. */
async function readIndex(file: string): Promise<Map<string, string>> {
  const refuse = (reason: string) => new UserError(`Cannot read the index "${file}" as ${reason}`);
  const bytes = await readUserFile(file, "the index of the weights");
  let index: { weight_map?: unknown };
  try {
    index = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse(foreignKind(bytes, file) ?? `it is no JSON: ${(error as Error).message}`);
  }
  const places = index?.weight_map;
  if (typeof places !== "object" || places === null) throw refuse("it has no weight_map");
  return new Map(
    Object.entries(places).map(([name, shard]) => {
      // A path could lead out of the folder.
      if (typeof shard === "string" && /^[^\\/]+$/.test(shard)) return [name, shard];
      throw refuse(`it places ${name} in ${JSON.stringify(shard)}: expected a file of its folder`);
    }),
  );
}
