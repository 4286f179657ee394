import { type Argument, isValue, NotTraceable, type Step, type Value } from "./trace.ts";
import type { Call } from "./operations.ts";
import { normFactors, tracedNorm } from "./traced_norm.ts";
import type { Known, Layout, Writer } from "./writer.ts";

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

/** Puts a layer into the graph, with other numbers than it had in the trace. */
function writeLayer(writer: Writer, { step, weight, bias }: Foldable): readonly [string, Layout] {
  const [x] = step.arguments as readonly [Value];
  const numbers = [weight, ...(bias ? [bias] : [])].map((known) => writer.floats(known, FOLDED));
  if (step.name === "conv2d") return convolution(writer, step, numbers);
  return [writer.graph.node("Gemm", [writer.name(x), ...numbers], { transB: 1 }), "channels last"];
}

/** @param numbers names of filters and bias */
function convolution(writer: Writer, step: Step, numbers: readonly string[]): readonly [string, Layout] {
  const [x, filter, given] = step.arguments as readonly [Value, Value, Readonly<Record<string, Argument>> | undefined];
  const number = (name: string, otherwise: number): number => {
    const found = given?.[name] ?? otherwise;
    if (typeof found === "number") return found;
    throw new NotTraceable(`conv2d has for ${name} what follows the size of the batch`);
  };
  const [stride, padding, dilation] = [number("stride", 1), number("padding", 0), number("dilation", 1)];
  const output = writer.graph.node("Conv", [writer.name(x, "channels first"), ...numbers], {
    kernel_shape: filter.shape.slice(2) as number[],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    dilations: [dilation, dilation],
    group: number("groups", 1),
  });
  return [output, "channels first"];
}

/** The same numbers, row i of the first dimension times `factors[i]`. */
function scaledRows({ name, shape, data }: Known, factors: Float64Array): Known {
  const row = data.length / factors.length;
  return { name, shape, data: Float32Array.from(data, (number, place) => number * factors[Math.floor(place / row)]) };
}

/** A convolution as it is. */
export function writeConvolution({ writer, step }: Call): readonly [string, Layout] {
  return convolution(writer, step, [writer.name(step.arguments[1] as Value)]);
}

/** Batch norm: where it is behind a layer of known numbers, as other numbers of that layer. */
export function writeBatchNorm(call: Call): readonly [string, Layout] {
  const { writer, step } = call;
  const { x, weight, bias, mean, variance, epsilon, training, residual, activation } = tracedNorm(step);
  if (training) throw new NotTraceable("batchNorm takes the statistics of the batch, as in training");
  const vectors = [weight, bias, mean, variance];
  const folded = foldedNorm(call, x, vectors, epsilon);
  let [name, layout] = folded ?? ["", x.shape.length === 4 ? "channels first" : "channels last"] as const;
  if (!folded) name = unfoldedNorm(writer, x, layout, vectors, epsilon);
  if (residual) name = writer.graph.node("Add", [name, writer.name(residual, layout)]);
  if (activation === "relu") name = writer.graph.node("Relu", [name]);
  if (activation === "relu6") name = writer.graph.node("Clip", [name, writer.constant(0), writer.constant(6)]);
  return [name, layout];
}

/** Batch norm as other numbers of the layer before it; `null` where it cannot be put into one. */
function foldedNorm(
  call: Call,
  x: Value,
  vectors: readonly Value[],
  epsilon: number,
): readonly [string, Layout] | null {
  const layer = layerOf(x, call);
  const known = vectors.map((vector) => call.writer.known(vector));
  if (!layer || known.some((numbers) => numbers === null)) return null;
  const [weight, bias, mean, variance] = known as Known[];
  const factors = normFactors(weight.data, variance.data, epsilon);
  const before = layer.bias?.data;
  const shift = Float32Array.from(
    bias.data,
    (number, channel) => number + ((before?.[channel] ?? 0) - mean.data[channel]) * factors[channel],
  );
  const { step } = layer;
  call.writer.folded++;
  return writeLayer(call.writer, { step, weight: scaledRows(layer.weight, factors), bias: { ...bias, data: shift } });
}

/** Batch norm by itself: over the second dimension, where ONNX has the channels. */
function unfoldedNorm(writer: Writer, x: Value, layout: Layout, vectors: readonly Value[], epsilon: number): string {
  const inputs = vectors.map((vector) => writer.name(vector));
  const attributes = { epsilon: { float: epsilon } };
  if (layout === "channels first" || x.shape.length === 2) {
    return writer.graph.node("BatchNormalization", [writer.name(x, layout), ...inputs], attributes);
  }
  const order = x.shape.map((_, axis) => axis);
  const last = order.pop()!;
  const first = [0, last, ...order.slice(1)];
  const turned = writer.graph.node("Transpose", [writer.name(x)], { perm: first });
  const normed = writer.graph.node("BatchNormalization", [turned, ...inputs], attributes);
  return writer.graph.node("Transpose", [normed], { perm: [...first.keys()].map((axis) => first.indexOf(axis)) });
}

/** A number for each channel added to a convolution, as its bias; `null` for any other sum. */
export function writeBias(call: Call): readonly [string, Layout] | null {
  const { writer, step } = call;
  const [x, added] = step.arguments as readonly [Value, Value];
  const layer = layerOf(x, call);
  if (layer?.step.name !== "conv2d" || added.shape.length !== 1) return null;
  const bias = writer.known(added);
  return bias && bias.data.length === layer.weight.shape[0] ? writeLayer(writer, { ...layer, bias }) : null;
}
