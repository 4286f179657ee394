import { UserError } from "../../../core/errors.ts";
import { listedPath } from "../../../core/files.ts";
import { isJsonObject, parseJson, showJson } from "../../../core/json.ts";
import { join } from "../../../core/paths.ts";
import type { OpenSetup } from "../../../core/plugin/model.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { type Artifacts, type ModelJson, type Tensorflow, type WeightsEntry, whatItSays } from "./library.ts";

/** The two formats of a `model.json`. */
export type Format = "graph-model" | "layers-model";

/** A model's files, read and checked. */
export interface ModelFiles {
  /** The path of `model.json`, for messages. */
  readonly file: string;
  readonly format: Format;
  readonly artifacts: Artifacts;
  /** The tensors in the files. */
  readonly weights: readonly WeightsEntry[];
}

/** Bytes of a number in the files; a string has any number of them. */
const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  complex64: 8,
};

/**
 * Reads a model folder: `model.json` and the files of weights that it lists.
 *
 * @param setup names the folder or the `model.json`
 * @throws UserError if a file cannot be read, is of another kind, or is shorter or longer than it should be
 */
export async function readArtifacts(
  { io }: Tensorflow,
  { path, readFile }: Pick<OpenSetup, "path" | "readFile">,
): Promise<ModelFiles> {
  const file = path.endsWith(".json") ? path : join(path, "model.json");
  const json = parse(file, await readFile(file, "the teacher's model.json"));
  const weights = json.weightsManifest.flatMap((group) => group.weights);
  checkSizes(file, json, weights);
  const expected = weights.reduce((sum, entry) => sum + bytesOf(entry), 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (const shard of await shardsOf(file, json)) {
    const part = await readFile(shard, "the teacher's weights");
    bytes += part.length;
    parts.push(part);
    if (bytes > expected) break; // however many more there are
  }
  // Of strings the length is not known.
  if (bytes !== expected && !Number.isNaN(expected)) {
    throw new UserError(
      `Cannot load "${file}" as its weights are ${bytes > expected ? "at least " : ""}${bytes} bytes, expected ` +
        `${expected} for the ${weights.length} tensors that it lists: a file of them may be damaged or of another model`,
    );
  }
  const data = await new Blob(parts).arrayBuffer();
  try {
    const artifacts = await io.getModelArtifactsForJSON(json, () => Promise.resolve([[...weights], data]));
    return { file, format: formatOf(json), artifacts, weights };
  } catch (error) {
    throw new UserError(`Cannot load "${file}": ${whatItSays(error)}`, { cause: error });
  }
}

function parse(file: string, bytes: Uint8Array): ModelJson {
  const json = parseJson(bytes, (reason) => new UserError(`Cannot read "${file}" as ${reason}`));
  if (!isJsonObject(json) || !isJsonObject(json.modelTopology) || !Array.isArray(json.weightsManifest)) {
    throw new UserError(
      `Cannot read "${file}" as a model of TensorFlow.js: expected the keys modelTopology and weightsManifest`,
    );
  }
  for (const group of json.weightsManifest) {
    if (isJsonObject(group) && Array.isArray(group.paths) && Array.isArray(group.weights)) {
      const wrong = group.weights.findIndex((entry) => !isEntry(entry));
      if (wrong < 0) continue;
      throw new UserError(
        `Cannot read "${file}" as it lists the tensor ${
          showJson(group.weights[wrong])
        }: expected name, shape and dtype`,
      );
    }
    throw new UserError(`Cannot read "${file}" as its weightsManifest has no lists of paths and weights`);
  }
  return json as unknown as ModelJson;
}

function isEntry(entry: unknown): boolean {
  if (!isJsonObject(entry) || typeof entry.name !== "string" || !Array.isArray(entry.shape)) return false;
  const { dtype, shape, quantization } = entry;
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) return false;
  if (quantization !== undefined && !(isJsonObject(quantization) && isDtype(quantization.dtype))) return false;
  return isDtype(dtype) || dtype === "string";
}

const isDtype = (name: unknown) => typeof name === "string" && Object.hasOwn(BYTES, name);

/** The files of weights, which must lie beside the model, each once. */
async function shardsOf(file: string, { weightsManifest }: ModelJson): Promise<string[]> {
  const shards: string[] = [];
  for (const name of weightsManifest.flatMap(({ paths }) => paths)) {
    const path = await listedPath(file, name);
    if (path === null || shards.includes(path)) {
      throw new UserError(
        `Cannot read "${file}" as it lists the weights ${showJson(name)}: expected a file of its folder, named once`,
      );
    }
    shards.push(path);
  }
  return shards;
}

/** Keys of layers whose numbers are sides of their tensors. */
const SIDES = ["units", "filters", "input_dim", "output_dim"];
/** Keys of layers whose numbers are sizes of what goes through them. */
const SIZES = ["batch_input_shape", "target_shape", "kernel_size", "pool_size", "strides", "size", "padding", "n"];
/** The most for one of these, and for all sides of an input together. */
const MOST = 2 ** 16;
const MOST_NUMBERS = 2 ** 28;

/** TensorFlow.js makes a layer's tensors before it looks at the files: what these do not have must not be made. */
function checkSizes(file: string, { modelTopology }: ModelJson, weights: readonly WeightsEntry[]): void {
  const widest = Math.max(1, ...weights.flatMap(({ shape }) => shape));
  const check = (value: unknown, most: number, key: string): void => {
    if (Array.isArray(value)) return value.forEach((item) => check(item, most, key));
    if (typeof value !== "number" || Math.abs(value) <= most) return;
    throw new UserError(`Cannot load "${file}" as its ${key} is ${value}: expected at most ${most}`);
  };
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      if (SIDES.includes(key)) check(part, widest, key);
      else if (SIZES.includes(key)) check(part, MOST, key);
      if (key === "batch_input_shape" && Array.isArray(part)) {
        check(part.reduce((product, extent) => product * (Number(extent) || 1), 1), MOST_NUMBERS, "input's size");
      }
      walk(part);
    }
  };
  walk(modelTopology);
}

/** Files of early converters do not say it. */
function formatOf({ format, modelTopology }: ModelJson): Format {
  if (format === "graph-model" || format === "layers-model") return format;
  return "node" in modelTopology ? "graph-model" : "layers-model";
}

function bytesOf({ shape, dtype, quantization }: WeightsEntry): number {
  return sizeOf(shape) * (BYTES[quantization?.dtype ?? dtype] ?? NaN);
}
