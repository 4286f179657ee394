import type { InputDescription } from "../plugin/dataset.ts";
import { type Model, TEXT_INPUTS } from "../plugin/model.ts";
import { inWords } from "./check_exportable.ts";
import type { Extent } from "./amounts.ts";
import { type Graph, TYPES } from "./graph.ts";
import { writeOperation } from "./operations.ts";
import { type Argument, isValue, NotTraceable, type Trace, traceModel, type Value, valuesIn } from "./trace.ts";
import { type FloatType, Writer } from "./writer.ts";

/** Names of dimensions that are of any size, as Optimum has them. */
const [BATCH, LENGTH] = ["batch_size", "sequence_length"];

/** The name of the images in a graph, and of what a model says. */
export const IMAGES = "pixel_values";

/** The name of what a model gives: logits, or vectors of texts as exports of sentence-transformers have them. */
const outputName = ({ task }: InputDescription) => task === "embedding" ? "sentence_embedding" : "logits";

/** A model as a graph of ONNX. */
export interface WrittenModel {
  readonly graph: Graph;
  /** The name of the output. */
  readonly output: string;
  /** The name of the weight that has a CRF's transitions; `null` for a model without. */
  readonly transitions: string | null;
  /** How many batch norms went into the layers before them. */
  readonly folded: number;
  /** Entries of a batch by the names of the inputs. */
  readonly inputs: ReadonlyMap<string, string>;
}

/**
 * A model's graph: from `pixel_values [batch_size, channels, height, width]`, or `input_ids`, `attention_mask` and
 * `token_type_ids` `[batch_size, sequence_length]`, as far as it takes them, to `logits`, or
 * `sentence_embedding`. Batch norm goes into the layer before it.
 *
 * @param weights by name
 * @param float what is computed with; inputs and logits are float32 in any case
 * @throws UserError for a model that uses what no operator of ONNX computes
 */
export function writeGraph(
  model: Model,
  input: InputDescription,
  weights: ReadonlyMap<string, Float32Array>,
  float: FloatType = "float32",
): WrittenModel {
  return graphWriter(model, input, weights)(float);
}

/**
 * Traces a model, and gives what {@link writeGraph} gives for each kind of floats, written when it is first wanted.
 *
 * @throws UserError for a model that uses what no operator of ONNX computes
 */
export function graphWriter(
  model: Model,
  input: InputDescription,
  weights: ReadonlyMap<string, Float32Array>,
): (float: FloatType) => WrittenModel {
  const trace = refusing(() => traceModel(model, input));
  const written = new Map<FloatType, WrittenModel>();
  return (float) => {
    const known = written.get(float) ?? refusing(() => write(model, input, trace, weights, float));
    written.set(float, known);
    return known;
  };
}

function refusing<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw error instanceof NotTraceable ? inWords(error) : error;
  }
}

function write(
  { parameters }: Model,
  input: InputDescription,
  { steps, logits, inputs, transitions }: Trace,
  weights: ReadonlyMap<string, Float32Array>,
  float: FloatType,
): WrittenModel {
  const { image } = input;
  const own = new Map(parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  const writer = new Writer(own, float);
  const { graph } = writer;
  const counts = new Map<Value, number>();
  const count = (value: Value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const { arguments: given } of steps) given.flatMap(valuesIn).forEach(count);
  count(logits);
  const entries = new Map<string, string>();
  const begin = (value: Value) => {
    if (value.source.kind !== "input" || entries.has(value.source.entry)) return;
    const { entry } = value.source;
    if (image) {
      const [height, width, channels] = image.size;
      const name = graph.input({ name: IMAGES, type: "float32", shape: [BATCH, channels, height, width] });
      writer.firstInput = name;
      writer.set(value, float === "float32" ? name : writer.cast(name, float), "channels first");
      return entries.set(entry, name);
    }
    const name = TEXT_INPUTS[entry as keyof typeof TEXT_INPUTS];
    entries.set(entry, graph.input({ name, type: "int64", shape: [BATCH, LENGTH] }));
    writer.firstInput ||= name;
    writer.setWhole(value, name);
  };
  // In the order that tokenizers give them, whichever is looked at first.
  const all = [...counts.keys()];
  for (const entry of inputs.toSorted((a, b) => orderOf(a) - orderOf(b))) {
    all.filter(({ source }) => source.kind === "input" && source.entry === entry).forEach(begin);
  }
  if (entries.size === 0) throw new NotTraceable("its logits do not depend on what it is given");
  const uses = (value: Value) => counts.get(value) ?? 0;
  for (const step of steps) {
    const options = step.arguments.find((argument): argument is Record<string, Argument> =>
      typeof argument === "object" && argument !== null && !Array.isArray(argument) && !isValue(argument)
    ) ?? {};
    writeOperation({ writer, step, options, uses });
  }
  const last = writer.name(logits);
  const output = outputName(input);
  graph.output({
    name: float === "float32" ? graph.renamed(last, output) : graph.node("Cast", [last], { to: TYPES.float32 }, output),
    type: "float32",
    shape: logits.shape.map(dimension),
  });
  const { folded } = writer;
  return {
    graph: graph.finish(),
    output,
    transitions,
    folded,
    inputs: new Map([...entries].map(([entry, name]) => [name, entry])),
  };
}

const orderOf = (entry: string) => ["tokens", "mask", "types"].indexOf(entry);

function dimension(extent: Extent): number | string {
  if (typeof extent === "number") return extent;
  const { factor, batch, length, offset } = extent;
  if (factor === 1 && offset === 0 && batch + length === 1) return batch ? BATCH : LENGTH;
  throw new NotTraceable("its logits have a dimension that is neither that of the examples nor that of the tokens");
}
