import { dirname, join } from "node:path";
import { UserError } from "../../../core/errors.ts";
import type { OpenSetup } from "../../../core/plugin/model.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { type Artifacts, firstLine, type ModelJson, type Tensorflow, type WeightsEntry } from "./library.ts";

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
  const shards = json.weightsManifest.flatMap(({ paths }) => paths);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const shard of shards) parts.push(await readFile(join(dirname(file), shard), "the teacher's weights"));
  const weights = json.weightsManifest.flatMap((group) => group.weights);
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  const expected = weights.reduce((sum, entry) => sum + bytesOf(entry), 0);
  // Of strings the length is not known.
  if (bytes !== expected && !Number.isNaN(expected)) {
    throw new UserError(
      `Cannot load "${file}" as its weights are ${bytes} bytes, expected ${expected} for the ${weights.length} tensors ` +
        `that it lists: a file of them may be damaged or of another model`,
    );
  }
  const data = await new Blob(parts).arrayBuffer();
  const artifacts = await io.getModelArtifactsForJSON(json, () => Promise.resolve([[...weights], data]));
  return { file, format: formatOf(json), artifacts, weights };
}

function parse(file: string, bytes: Uint8Array): ModelJson {
  let json: Partial<ModelJson> | null;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UserError(`Cannot read "${file}" as it is no JSON: ${firstLine(error)}`);
  }
  if (typeof json?.modelTopology === "object" && Array.isArray(json.weightsManifest)) return json as ModelJson;
  throw new UserError(
    `Cannot read "${file}" as a model of TensorFlow.js: expected the keys modelTopology and weightsManifest`,
  );
}

/** Files of early converters do not say it. */
function formatOf({ format, modelTopology }: ModelJson): Format {
  if (format === "graph-model" || format === "layers-model") return format;
  return "node" in modelTopology ? "graph-model" : "layers-model";
}

function bytesOf({ shape, dtype, quantization }: WeightsEntry): number {
  return sizeOf(shape) * (BYTES[quantization?.dtype ?? dtype] ?? NaN);
}
