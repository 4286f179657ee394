import { kindOfPath, readUserFile } from "../files.ts";
import { UserError } from "../errors.ts";
import { parseJson } from "../json.ts";
import { CONFIG_FILE, readForeignConfig } from "../model_folder/config_file.ts";
import { INDEX_FILE, WEIGHTS_FILE } from "../model_folder/missing_weights.ts";
import { EXPORTED_FROM } from "../model_folder/describing_folder.ts";
import { join } from "../paths.ts";
import type { Batch, HostTensor, InputDescription } from "../plugin/dataset.ts";
import { areSameClasses, orderOfClasses, showClasses } from "../plugin/class_names.ts";
import { type Model, TEXT_INPUTS } from "../plugin/model.ts";
import type { OnnxPrecision } from "../recipe/recipe_type.ts";
import { sizeOf } from "../tensor.ts";
import { asModel } from "./as_model.ts";
import { CRF_TRANSITIONS, LABELS } from "./metadata.ts";
import { findExport } from "./places.ts";
import { OnnxModel } from "./run_model.ts";
import { DamagedMessage } from "./protobuf.ts";
import { type OnnxFileGraph, readGraph } from "./read_graph.ts";
import { RuntimeRefusal, Session } from "./runtime/session.ts";
import { IMAGES } from "./write_graph.ts";

/** A file of this program's exports, until it is disposed of. */
export interface OpenedExport extends Disposable {
  /** It answers as the model that it was made of; a CRF's transitions are those that the file states. */
  readonly model: Model;
  /** The file. */
  readonly path: string;
}

/** What the config.json beside such a file describes. */
interface Described {
  readonly model: Pick<Model, "config">;
  readonly input: InputDescription;
}

/**
 * Opens what this program exported to ONNX: of several precisions the most exact. It computes in onnxruntime.
 *
 * @param folder with `config.json` and `onnx/`
 * @param described the model that its config.json describes
 * @returns `null` for a folder with weights of its own, or without such a file
 * @throws UserError for a file of another program, of another model than the config's, or one that cannot be read
 */
export async function openExport(folder: string, described: Described): Promise<OpenedExport | null> {
  for (const own of [WEIGHTS_FILE, INDEX_FILE]) if (await kindOfPath(join(folder, own)) === "file") return null;
  const path = await findExport(folder);
  return path === null ? null : await open(path, folder, described);
}

async function open(path: string, folder: string, { model, input }: Described): Promise<OpenedExport> {
  const refuse = (reason: string, cause?: unknown) => new UserError(`Cannot use "${path}" as ${reason}`, { cause });
  const bytes = await readUserFile(path, "the ONNX model");
  const { metadata } = graphIn(bytes, refuse);
  const { [EXPORTED_FROM]: exportedFrom } = await readForeignConfig(join(folder, CONFIG_FILE));
  const of = metadata.get(EXPORTED_FROM);
  if (of === undefined) {
    throw refuse("it was not exported by this program: evaluate and recipes read such models, by the plug-in onnx");
  }
  if (of !== exportedFrom) throw refuse(`${CONFIG_FILE} beside it is of another model`);
  const transitions = transitionsIn(metadata.get(CRF_TRANSITIONS), refuse);
  const labels = labelsIn(metadata.get(LABELS), refuse);
  const precision = metadata.get("precision") as OnnxPrecision;
  const session = await Session.open(bytes, new Map(), 1).catch((error) => {
    throw error instanceof RuntimeRefusal ? refuse(error.message, error) : error;
  });
  const inputs = new Map(session.inputs.map(({ name }) => [name, ENTRIES.get(name) ?? ""]));
  const wrong = [...inputs.values()].includes("")
    ? "its inputs are not those of an export"
    : mismatch(session, metadata.get("task"), labels, input);
  if (wrong !== null) {
    session.dispose();
    throw refuse(wrong);
  }
  const onnx = new OnnxModel(session, { inputs, output: session.outputs[0].name });
  return {
    model: inSentences(asModel(onnx, model, transitions, precision), path),
    path,
    [Symbol.dispose]: () => onnx[Symbol.dispose](),
  };
}

/**
 * How a file contradicts the config.json beside it, which says what its numbers mean and can be edited; `null` if it
 * does not.
 *
 * @param own the file's task
 * @param labels the names of its classes
 */
function mismatch(
  { inputs, outputs: [output] }: Session,
  own: string | undefined,
  labels: readonly string[],
  { task, classes, image }: InputDescription,
): string | null {
  const told = (config: string, file: string) => `${CONFIG_FILE} beside it says ${config}, and the file ${file}`;
  if (own !== task) return told(`the task ${task}`, `${own}`);
  const pixels = inputs.find(({ name }) => name === IMAGES);
  const [, channels, height, width] = pixels?.shape ?? [];
  const [said, taken] = [image?.size, pixels && [height, width, channels]].map((size) =>
    size ? `images of ${size.join(" x ")} (height, width, channels)` : "texts"
  );
  if (said !== taken) return told(said, `takes ${taken}`);
  const wanted = task === "regression" ? 1 : classes.length;
  const given = output?.shape.at(-1);
  if (task !== "embedding" && given !== wanted) return told(`${wanted} classes`, `gives ${given} numbers`);
  // Other names for the classes are the user's to give; the same ones in another order would swap the answers.
  if (orderOfClasses(labels, classes) === null || areSameClasses(labels, classes)) return null;
  return told(`the classes ${showClasses(classes)} in this order`, showClasses(labels));
}

/** The names of the classes as the file states them; none where it does not. */
function labelsIn(text: string | undefined, refuse: Refuse): string[] {
  if (text === undefined) return [];
  const stated = parseJson(text, (reason) => refuse(`its ${LABELS} are damaged: ${reason}`));
  if (Array.isArray(stated) && stated.every((name) => typeof name === "string")) return stated;
  throw refuse(`its ${LABELS} are damaged: expected a list of names`);
}

/** A model whose computing onnxruntime refuses in a sentence for the user, as where memory ends. */
function inSentences(model: Model, path: string): Model {
  const hostOutputs = (batch: Batch<HostTensor>) => {
    try {
      return model.hostOutputs!(batch);
    } catch (error) {
      throw error instanceof RuntimeRefusal
        ? new UserError(`Cannot run "${path}": ${error.message}`, { cause: error })
        : error;
    }
  };
  return { ...model, hostOutputs };
}

type Refuse = (reason: string, cause?: unknown) => UserError;

/** Entries of a batch by the names that exports have for them. */
const ENTRIES = new Map<string, string>([
  [IMAGES, "image"],
  ...Object.entries(TEXT_INPUTS).map(([entry, name]): [string, string] => [name, entry]),
]);

function graphIn(bytes: Uint8Array, refuse: Refuse): OnnxFileGraph {
  try {
    return readGraph(bytes);
  } catch (error) {
    throw error instanceof DamagedMessage ? refuse("it is no ONNX model, or is damaged", error) : error;
  }
}

/** A CRF's transitions as the file states them; `null` for a model without. */
function transitionsIn(text: string | undefined, refuse: Refuse) {
  if (text === undefined) return null;
  const stated = parseJson(text, (reason) => refuse(`its crf_transitions are damaged: ${reason}`));
  const { shape, from_to: numbers } = (stated ?? {}) as { readonly shape?: unknown; readonly from_to?: unknown };
  const areNumbers = (list: unknown): list is number[] => Array.isArray(list) && list.every(Number.isFinite);
  if (!areNumbers(shape) || !areNumbers(numbers) || sizeOf(shape) !== numbers.length) {
    throw refuse("its crf_transitions are damaged: expected a shape, and as many numbers");
  }
  return { shape, data: Float32Array.from(numbers) };
}
