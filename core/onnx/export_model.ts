import { UserError } from "../errors.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { EXPORTED_FROM, MODELS } from "../model_folder/describing_folder.ts";
import { readTemperature, TEMPERATURE } from "../model_folder/temperature.ts";
import { freeze, type FrozenWeights } from "../nn/frozen_weights.ts";
import { type Weights, weightsFrom } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch, Examples, HostTensor, InputDescription } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { OnnxPrecision } from "../recipe/recipe_type.ts";
import { sha256OfWeights } from "../sha256.ts";
import { asModel } from "./as_model.ts";
import { compareWithOnnx } from "./compare.ts";
import { encodeModel, OPSET } from "./encode.ts";
import { companionFiles } from "./folder_files.ts";
import { countOperators, type Graph } from "./graph.ts";
import { CRF_TRANSITIONS, LABELS } from "./metadata.ts";
import { PRECISIONS } from "./precisions.ts";
import { examplesIn, madeUp } from "./probe.ts";
import { activationsOf, quantise, type Ranges } from "./quantise.ts";
import { OnnxModel } from "./run_model.ts";
import { RuntimeRefusal } from "./runtime/session.ts";
import { writeExport } from "./write_export.ts";
import { graphWriter, type WrittenModel } from "./write_graph.ts";

/** A model to export. */
export interface ExportCall {
  readonly ops: Ops;
  readonly model: Model;
  /** By name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly input: InputDescription;
  /** Whether it is known how pixels are normalised: where nothing says it, no image processor is written. */
  readonly saysNormalisation: boolean;
  /** The model's folder, of which config.json and tokenizer or image processor are taken. */
  readonly source: string;
  /** Where the export is written. */
  readonly out: string;
  readonly precisions: readonly OnnxPrecision[];
  /** What the export is tried on, and convolutions are quantised by; `null`: made-up examples. */
  readonly data: { readonly train: Examples; readonly test: Examples } | null;
  /** How it is measured. */
  readonly evaluate: {
    readonly batchSize: number;
    readonly positiveClass: string | number | boolean | null;
    readonly threshold: number;
  };
  /** Of the model itself on the test examples, where somebody has measured it already. */
  readonly measured?: Readonly<Record<string, number>>;
}

/** A file that was exported. */
export interface OnnxFile {
  /** From the export's folder. */
  readonly file: string;
  /** What it computes with. */
  readonly precision: OnnxPrecision;
  /** The version of ONNX's operators. */
  readonly opset: number;
  /** Its size. */
  readonly bytes: number;
  /** How often each operator stands in it. */
  readonly operators: Readonly<Record<string, number>>;
  /** How many batch norms are in the layers before them: PyTorch's student has them apart. */
  readonly foldedBatchNorms: number;
  /** What its logits are to be divided by before the softmax, as its metadata say; 1: by nothing. */
  readonly temperature: number;
  /** The check: the file was run by onnxruntime. */
  readonly check: {
    /** Largest difference between its logits and the model's own. */
    readonly maxAbsLogitDifference: number;
    /** What was allowed, times the largest logit if that is above 1. */
    readonly tolerance: number;
    readonly largestLogit: number;
    readonly examples: number;
    /** Whether these are of the data set, or made up. */
    readonly of: "test" | "made up";
  };
  /** For an example: in onnxruntime's WebAssembly on one thread, and on this program's backend. */
  readonly milliseconds: { readonly onnx: number; readonly own: number };
  /** On the test examples, where there are some and it computes less precisely: the model's own, and the file's. */
  readonly metrics: {
    readonly own: Readonly<Record<string, number>>;
    readonly onnx: Readonly<Record<string, number>>;
  } | null;
}

/** Test examples that logits are compared on, and training examples by which activations are scaled. */
const [PROBE, CALIBRATION] = [256, 256];

/** Of what is made up where there is no data. */
const SEED = 0;

/**
 * Exports a model to ONNX: writes its graph, runs it in onnxruntime, compares the logits with the model's own, and only
 * then makes the folder, in the layout of transformers.js.
 *
 * @throws UserError for a model that cannot be exported, or whose export gives other logits; then nothing is written
 */
export async function exportModel(call: ExportCall): Promise<OnnxFile[]> {
  const { ops, model, weights, input, source, out, precisions, data, measured } = call;
  const hash = await sha256OfWeights(weights);
  const companions = await companionFiles(source, input, hash, call.saysNormalisation);
  const temperature = input.task === "classification" ? await readTemperature(source) : 1;
  const graphs = graphWriter(model, input, weights);
  const frozen = freeze(ops, model, weights);
  try {
    const batches = data ? await examplesIn(data.test, PROBE) : madeUp(input, SEED);
    const exported: OnnxFile[] = [];
    await writeExport(out, companions, async (write) => {
      let own = measured ?? null;
      for (const precision of precisions) {
        const { written, graph } = await graphOf(call, graphs, precision);
        const bytes = encodeModel(graph, metadataOf(call, written, hash, precision, temperature));
        const { onnxFile, onnx } = await tried(call, frozen, batches, precision, written, bytes);
        using _model = onnx;
        let metrics: OnnxFile["metrics"] = null;
        if (data && precision !== "fp32") {
          const measure = (model: Model, weights: Weights, who: string) =>
            evaluate(ops, { who, model, weights, examples: data.test, input, ...call.evaluate });
          own ??= (await measure(model, frozen, "the model")).metrics;
          const transitions = transitionsOf(call, written);
          const theirs = await measure(
            asModel(onnx, model, transitions, precision),
            weightsFrom(new Map()),
            "the export",
          );
          metrics = { own, onnx: theirs.metrics };
        }
        await write(PRECISIONS[precision].file, bytes);
        exported.push({ ...onnxFile, temperature, operators: countOperators(graph), metrics });
      }
    });
    return exported;
  } finally {
    frozen.dispose();
  }
}

async function graphOf(
  { data }: ExportCall,
  graphs: ReturnType<typeof graphWriter>,
  precision: OnnxPrecision,
): Promise<{ written: WrittenModel; graph: Graph }> {
  const written = graphs(precision === "fp16" ? "float16" : "float32");
  if (precision !== "int8") return { written, graph: written.graph };
  const activations = activationsOf(written.graph);
  if (activations.length > 0 && !data) {
    throw new UserError(
      "Cannot export with precision int8 without data, as convolutions are scaled by what they get of training images: name " +
        "a recipe that has them with --recipe FILE",
    );
  }
  const ranges = data && activations.length > 0 ? await rangesOf(written, activations, data.train) : new Map();
  return { written, graph: quantise(written.graph, ranges) };
}

/** The least and the largest number of activations over training images. */
async function rangesOf(
  { graph, inputs, output }: WrittenModel,
  names: readonly string[],
  train: Examples,
): Promise<Ranges> {
  const made = names.filter((name) => !inputs.has(name));
  const outputs = [...graph.outputs, ...made.map((name) => ({ name, type: "float32" as const, shape: null }))];
  using onnx = await OnnxModel.open(encodeModel({ ...graph, outputs }, {}), { inputs, output });
  const ranges = new Map<string, [number, number]>();
  for (const batch of await examplesIn(train, CALIBRATION)) {
    const values = onnx.run(batch, [output, ...made]);
    for (const [name, entry] of inputs) values.set(name, batch[entry]);
    for (const name of names) {
      const range = ranges.get(name) ?? [0, 0];
      for (const value of values.get(name)!.data) {
        if (value < range[0]) range[0] = value;
        if (value > range[1]) range[1] = value;
      }
      ranges.set(name, range);
    }
  }
  return ranges;
}

/** Runs a file's content, and compares. */
async function tried(
  { ops, model, data, source }: ExportCall,
  weights: FrozenWeights,
  batches: readonly Batch<HostTensor>[],
  precision: OnnxPrecision,
  { inputs, output, folded }: WrittenModel,
  bytes: Uint8Array,
): Promise<{ onnxFile: Omit<OnnxFile, "operators" | "metrics" | "temperature">; onnx: OnnxModel }> {
  const { file, tolerance } = PRECISIONS[precision];
  const action = `Cannot export "${source}" with precision ${precision}`;
  const onnx = await inWords(action, () => OnnxModel.open(bytes, { inputs, output }));
  try {
    const compared = await inWords(action, () => compareWithOnnx(ops, model, weights, onnx, batches));
    const { difference, largest, examples, milliseconds } = compared;
    if (!(difference <= tolerance * Math.max(1, largest))) {
      const sentence =
        `${action} as onnxruntime's logits of up to ${largest.toPrecision(3)} differ from the model's own by ` +
        `up to ${difference.toPrecision(3)}, more than ${tolerance} of them`;
      throw precision === "fp32" ? new Error(sentence) : new UserError(`${sentence}; fp32 is exact`);
    }
    const of = data ? "test" as const : "made up" as const;
    return {
      onnx,
      onnxFile: {
        file: `${MODELS}/${file}`,
        precision,
        opset: OPSET,
        foldedBatchNorms: folded,
        bytes: bytes.length,
        check: { maxAbsLogitDifference: difference, tolerance, largestLogit: largest, examples, of },
        milliseconds,
      },
    };
  } catch (error) {
    onnx[Symbol.dispose]();
    throw error;
  }
}

async function inWords<Result>(action: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof RuntimeRefusal ? new UserError(`${action}: ${error.message}`, { cause: error }) : error;
  }
}

function transitionsOf({ model, weights }: ExportCall, { transitions }: WrittenModel) {
  if (transitions === null) return null;
  const { shape } = model.parameters.find(({ name }) => name === transitions)!;
  return { shape, data: weights.get(transitions)! };
}

/** What an ONNX file says of itself beside its graph. */
function metadataOf(
  call: ExportCall,
  written: WrittenModel,
  hash: string,
  precision: OnnxPrecision,
  temperature: number,
): Record<string, string> {
  const { input: { task, classes } } = call;
  const transitions = transitionsOf(call, written);
  return {
    task,
    [LABELS]: JSON.stringify(classes),
    precision,
    [EXPORTED_FROM]: hash,
    ...(temperature !== 1 && { [TEMPERATURE]: String(temperature) }),
    ...(transitions && {
      // The logits are a CRF's emissions: who wants its tags looks for the best path, as predict does.
      [CRF_TRANSITIONS]: JSON.stringify({ shape: transitions.shape, from_to: Array.from(transitions.data) }),
    }),
  };
}
