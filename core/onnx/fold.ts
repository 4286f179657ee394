import { type Argument, isValue, NotTraceable, type Step, type Value } from "./trace.ts";
import type { Call } from "./operations.ts";
import type { Known, Layout, Writer } from "./writer.ts";

const EPSILON = 1e-5;

/** A layer whose result a batch norm, or a bias, can be put into. */
interface Foldable {
  readonly step: Step;
  readonly weight: Known;
  readonly bias: Known | null;
}

/**
 * The layer that made a value, if its numbers are known and nobody else wants what it gives: then another layer can be
 * put in its place.
 */
function layerOf(value: Value, { writer, uses }: Pick<Call, "writer" | "uses">): Foldable | null {
  const { source } = value;
  if (source.kind !== "step" || uses(value) !== 1) return null;
  const { step } = source;
  if (step.name !== "conv2d" && step.name !== "linear") return null;
  const [x, weight, bias] = step.arguments;
  if (step.name === "linear" && isValue(x) && x.shape.length !== 2) return null;
  const known = isValue(weight) ? writer.known(weight) : null;
  if (!known) return null;
  if (step.name === "linear" && isValue(bias)) {
    const numbers = writer.known(bias);
    return numbers && { step, weight: known, bias: numbers };
  }
  return { step, weight: known, bias: null };
}

/** The form of weights that something was put into. */
const FOLDED = "folded";

/**
 * Puts a layer into the graph, maybe with other numbers than it had in the trace.
 *
 * @param form of its weights, as they may stand there in another one, too
 */
function writeLayer(writer: Writer, { step, weight, bias }: Foldable, form: string): readonly [string, Layout] {
  const [x] = step.arguments as readonly [Value];
  if (step.name === "linear") {
    const inputs = [writer.name(x), writer.floats(weight, form), ...(bias ? [writer.floats(bias, form)] : [])];
    return [writer.graph.node("Gemm", inputs, { transB: 1 }), "channels last"];
  }
  const options = (step.arguments[2] ?? {}) as Readonly<Record<string, Argument>>;
  const number = (name: string, otherwise: number): number => {
    const found = options[name] ?? otherwise;
    if (typeof found === "number") return found;
    throw new NotTraceable(`conv2d has for ${name} what follows the size of the batch`);
  };
  const [stride, padding, dilation] = [number("stride", 1), number("padding", 0), number("dilation", 1)];
  const inputs = [
    writer.name(x, "channels first"),
    writer.floats(weight, form),
    ...(bias ? [writer.floats(bias, form)] : []),
  ];
  const output = writer.graph.node("Conv", inputs, {
    kernel_shape: weight.shape.slice(2),
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    dilations: [dilation, dilation],
    group: number("groups", 1),
  });
  return [output, "channels first"];
}

/** The same numbers, row i of the first dimension times `factors[i]`. */
function scaledRows({ name, shape, data }: Known, factors: readonly number[]): Known {
  const row = data.length / factors.length;
  return { name, shape, data: Float32Array.from(data, (number, place) => number * factors[Math.floor(place / row)]) };
}

/** A convolution as it is. */
export function writeConvolution({ writer, step }: Call): readonly [string, Layout] {
  const [, filter] = step.arguments as readonly [Value, Value];
  const weight = writer.known(filter);
  if (!weight) throw new NotTraceable("conv2d has filters that are computed");
  return writeLayer(writer, { step, weight, bias: null }, "");
}

/** Batch norm: where it is behind a layer of known numbers, as other numbers of that layer. */
export function writeBatchNorm(call: Call): readonly [string, Layout] {
  const { writer, step } = call;
  const [x, , , options, residual] = step.arguments as readonly [
    Value,
    Value,
    Value,
    Readonly<Record<string, Argument>>,
    Value | undefined,
  ];
  const vectors = [step.arguments[1], step.arguments[2], options.runningMean, options.runningVariance];
  const known = vectors.map((vector) => isValue(vector) ? writer.known(vector) : null);
  if (options.training || known.some((numbers) => numbers === null)) {
    throw new NotTraceable("batchNorm has statistics that are computed");
  }
  const [weight, bias, mean, variance] = known as Known[];
  const epsilon = typeof options.epsilon === "number" ? options.epsilon : EPSILON;
  const factors = Array.from(weight.data, (factor, channel) => factor / Math.sqrt(variance.data[channel] + epsilon));
  const layer = layerOf(x, call);
  let [name, layout]: readonly [string, Layout] = ["", "channels last"];
  if (layer) {
    const before = layer.bias;
    const shift = Float32Array.from(
      bias.data,
      (number, channel) => number + ((before?.data[channel] ?? 0) - mean.data[channel]) * factors[channel],
    );
    [name, layout] = writeLayer(writer, {
      step: layer.step,
      weight: scaledRows(layer.weight, factors),
      bias: { ...bias, data: shift },
    }, FOLDED);
  } else {
    layout = x.shape.length === 4 ? "channels first" : "channels last";
    const inputs = [writer.name(x, layout), ...[weight, bias, mean, variance].map((vector) => writer.floats(vector))];
    name = writer.graph.node("BatchNormalization", inputs, { epsilon: { float: epsilon } });
  }
  if (isValue(residual)) name = writer.graph.node("Add", [name, writer.name(residual, layout)]);
  if (options.activation === "relu") name = writer.graph.node("Relu", [name]);
  if (options.activation === "relu6") name = writer.graph.node("Clip", [name, writer.constant(0), writer.constant(6)]);
  return [name, layout];
}

/** A number for each channel added to a convolution, as its bias; `null` for any other sum. */
export function writeBias(call: Call): readonly [string, Layout] | null {
  const { writer, step } = call;
  const [x, added] = step.arguments as readonly [Value, Value];
  const layer = layerOf(x, call);
  if (layer?.step.name !== "conv2d" || added.shape.length !== 1) return null;
  const bias = writer.known(added);
  return bias && bias.data.length === layer.weight.shape[0] ? writeLayer(writer, { ...layer, bias }, FOLDED) : null;
}
