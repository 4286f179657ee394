import { UserError } from "../../../core/errors.ts";
import { listedPath, lookAt } from "../../../core/files.ts";
import { foreignKind } from "../../../core/foreign_bytes.ts";
import { findOnnx, mainFile } from "../../../core/onnx/places.ts";
import { DamagedMessage } from "../../../core/onnx/protobuf.ts";
import { type OnnxFileGraph, readGraph } from "../../../core/onnx/read_graph.ts";
import { CONFIG_FILE, readConfigIfThere } from "../../../core/model_folder/config_file.ts";
import { describingFolder, EXPORTED_FROM } from "../../../core/model_folder/describing_folder.ts";
import { join } from "../../../core/paths.ts";
import type { OpenSetup } from "../../../core/plugin/model.ts";

/** A model's files. */
export interface ModelFiles {
  /** The path of the model. */
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The files of its larger tensors, by the names that it has for them. */
  readonly data: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly graph: OnnxFileGraph;
}

/** Of all files together: they stand in WebAssembly's 4 GiB twice while they are loaded. */
const MOST_BYTES = 1.5 * 2 ** 30;

/**
 * Reads a model and the files that it names.
 *
 * @param setup names the file, or a folder with a `model.onnx` in it, or one of its precisions in its folder `onnx`
 * @throws UserError if a file cannot be read, is damaged, or is outside of the model's folder, and for one among the
 * files of another model's export
 */
export async function readModel({ path, readFile }: Pick<OpenSetup, "path" | "readFile">): Promise<ModelFiles> {
  const file = (await lookAt(path))?.kind === "folder" ? await findOnnx(path) ?? mainFile(path) : path;
  let sum = 0;
  const read = async (part: string, what: string): Promise<Uint8Array<ArrayBuffer>> => {
    // Before anything is read: a file that no memory holds ends the program.
    sum += (await lookAt(part))?.size ?? 0;
    if (sum > MOST_BYTES) {
      throw new UserError(
        `Cannot load "${file}" as it has more than ${MOST_BYTES / 2 ** 30} GiB, which WebAssembly does not hold`,
      );
    }
    return await readFile(part, what);
  };
  const bytes = await read(file, "the teacher's model");
  const graph = parse(file, bytes);
  await expectItsOwn(file, graph);
  const data = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const location of graph.locations) {
    const part = await listedPath(file, location.replace(/^\.\//, ""));
    if (part === null) {
      throw new UserError(
        `Cannot load "${file}" as it takes tensors from ${JSON.stringify(location)}: expected a file of its folder`,
      );
    }
    data.set(location, await read(part, "the teacher's tensors"));
  }
  return { file, bytes, data, graph };
}

/** @throws UserError if the file is in the folder of an export that is not of its model */
async function expectItsOwn(file: string, { metadata }: OnnxFileGraph): Promise<void> {
  const config = join(await describingFolder(file), CONFIG_FILE);
  const { [EXPORTED_FROM]: exportedFrom } = await readConfigIfThere(config) ?? {};
  const own = metadata.get(EXPORTED_FROM);
  if (typeof exportedFrom !== "string" || own === exportedFrom) return;
  // Other tools leave out what a file says of itself.
  const why = own === undefined
    ? `"${config}" beside it is of an export that it does not say to be part of`
    : `"${config}", which says its classes and inputs, is of another model`;
  throw new UserError(
    `Cannot use "${file}" as ${why}: expected the file that was exported with it, or this one in a folder of its own`,
  );
}

function parse(file: string, bytes: Uint8Array<ArrayBuffer>): OnnxFileGraph {
  try {
    return readGraph(bytes);
  } catch (error) {
    if (!(error instanceof DamagedMessage)) throw error;
    const foreign = foreignKind(bytes, file);
    const other = foreign && !foreign.startsWith("it is an ONNX model") ? foreign : null;
    throw new UserError(
      `Cannot read "${file}" as ${other ?? `an ONNX model: ${error.message}, so it is of another kind or not whole`}`,
      { cause: error },
    );
  }
}
