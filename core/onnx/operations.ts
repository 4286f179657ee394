import type { Extent } from "./amounts.ts";
import { writeBatchNorm, writeBias, writeConvolution } from "./fold.ts";
import { type Argument, isValue, NotTraceable, type Step, type Value } from "./trace.ts";
import { type Layout, TO_FIRST, type Writer } from "./writer.ts";
import { transposed } from "./transposed.ts";

/** An operation on its way into a graph. */
export interface Call {
  readonly writer: Writer;
  readonly step: Step;
  /** What a step is given beside values; every number of it must be the same for all batches. */
  readonly options: Readonly<Record<string, Argument>>;
  /** How often the trace takes a value. */
  readonly uses: (value: Value) => number;
}

/** Puts an operation into the graph, and says how its result lies there. */
type Write = (call: Call) => readonly [name: string, layout: Layout];

/** Of some operation's argument. */
const value = ({ step }: Call, index: number): Value => {
  const argument = step.arguments[index];
  if (isValue(argument)) return argument;
  throw new NotTraceable(`${step.name} takes something that is no tensor as its argument ${index + 1}`);
};

/** A number that is the same for every batch. */
const fixed = ({ step }: Call, given: Argument, what: string, otherwise?: number): number => {
  const found = given === undefined ? otherwise : given;
  if (typeof found === "number") return found;
  throw new NotTraceable(`${step.name} has for ${what} what follows the size of the batch`);
};

const option = (call: Call, name: string, otherwise?: number) => fixed(call, call.options[name], name, otherwise);

/** Where a dimension is in a layout. */
const axisIn = (axis: number, layout: Layout) => layout === "channels first" ? TO_FIRST.indexOf(axis) : axis;

const isImage = (value: Value) => value.shape.length === 4;

/** A function of each number by itself, in whatever layout its argument has. */
function unary(write: (writer: Writer, x: string, c: number) => string): Write {
  return (call) => {
    const x = value(call, 0);
    const layout = call.writer.layoutOf(x);
    const c = call.step.arguments.length > 1 ? fixed(call, call.step.arguments[1], "its number") : 0;
    return [write(call.writer, call.writer.name(x, layout), c), layout];
  };
}

const plain = (operator: string, attributes = {}) => unary(({ graph }, x) => graph.node(operator, [x], attributes));

const UNARY: Readonly<Record<string, Write>> = {
  negate: plain("Neg"),
  complement: unary((writer, x) => writer.graph.node("Sub", [writer.constant(1), x])),
  exp: plain("Exp"),
  log: plain("Log"),
  sqrt: plain("Sqrt"),
  square: unary(({ graph }, x) => graph.node("Mul", [x, x])),
  abs: plain("Abs"),
  reciprocal: plain("Reciprocal"),
  relu: plain("Relu"),
  sigmoid: plain("Sigmoid"),
  tanh: plain("Tanh"),
  gelu: plain("Gelu"),
  geluTanh: plain("Gelu", { approximate: "tanh" }),
  relu6: unary((writer, x) => writer.graph.node("Clip", [x, writer.constant(0), writer.constant(6)])),
  silu: unary(({ graph }, x) => graph.node("Mul", [x, graph.node("Sigmoid", [x])])),
  hardSigmoid: plain("HardSigmoid", { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  hardSwish: plain("HardSwish"),
  scale: unary((writer, x, c) => writer.graph.node("Mul", [x, writer.constant(c)])),
  offset: unary((writer, x, c) => writer.graph.node("Add", [x, writer.constant(c)])),
  clampMinimum: unary((writer, x, c) => writer.graph.node("Max", [x, writer.constant(c)])),
};

/** A function of two operands, one of which may be repeated. */
function binary(operator: string): Write {
  return (call) => {
    const { writer } = call;
    const [a, b] = [value(call, 0), value(call, 1)];
    const layout = [a, b].some((operand) => isImage(operand) && writer.layoutOf(operand) === "channels first")
      ? "channels first"
      : "channels last";
    return [writer.graph.node(operator, [operand(writer, a, layout), operand(writer, b, layout)]), layout];
  };
}

/** An operand of images: one of fewer dimensions counts as of as many, with ones in front. */
function operand(writer: Writer, x: Value, layout: Layout): string {
  if (layout === "channels last" || x.shape.length === 0) return writer.name(x);
  if (isImage(x)) return imageFirst(writer, x);
  if (writer.known(x)) return writer.name(x, layout);
  const whole = writer.graph.node("Reshape", [
    writer.name(x),
    writer.extents([...Array<number>(4 - x.shape.length).fill(1), ...x.shape]),
  ]);
  return writer.graph.node("Transpose", [whole], { perm: TO_FIRST });
}

/** Images with channels first; of a number for each channel they are made without moving any. */
function imageFirst(writer: Writer, x: Value): string {
  const { source, shape } = x;
  if (writer.layoutOf(x) === "channels last" && source.kind === "step" && source.step.name === "reshape") {
    const [from] = source.step.arguments;
    if (isValue(from) && from.shape.length === 2 && shape[1] === 1 && shape[2] === 1 && shape[3] === from.shape[1]) {
      return writer.graph.node("Reshape", [writer.name(from), writer.list([0, shape[3] as number, 1, 1])]);
    }
  }
  return writer.name(x, "channels first");
}

const pool = (operator: string, attributes: Readonly<Record<string, number>> = {}): Write => (call) => {
  const { writer } = call;
  const size = option(call, "size");
  const stride = option(call, "stride", size);
  const padding = option(call, "padding", 0);
  const x = imageFirst(writer, value(call, 0));
  // Every second pixel is no pool of one, which some runtimes have no fast code for.
  if (size === 1 && padding === 0) {
    if (stride === 1) return [x, "channels first"];
    const [begins, ends, axes] = [[0, 0], [2 ** 31 - 1, 2 ** 31 - 1], [2, 3]].map((list) => writer.list(list));
    return [writer.graph.node("Slice", [x, begins, ends, axes, writer.list([stride, stride])]), "channels first"];
  }
  const window = { kernel_shape: [size, size], strides: [stride, stride], pads: Array<number>(4).fill(padding) };
  return [writer.graph.node(operator, [x], { ...window, ...attributes }), "channels first"];
};

const reduce = (operator: string): Write => (call) => {
  const { writer, options } = call;
  const x = value(call, 0);
  const { axes = x.shape.map((_, axis) => axis), keepDimensions = false } = options;
  const over = (axes as readonly Argument[]).map((axis) => {
    const index = fixed(call, axis, "axes");
    return index < 0 ? index + x.shape.length : index;
  });
  // Without rows and columns what is left of an image has one order.
  const [first, rows, columns, last] = [0, 1, 2, 3].map((axis) => over.includes(axis));
  const isFirst = isImage(x) && writer.layoutOf(x) === "channels first" &&
    (keepDimensions === true || (rows && columns) || (last && !rows && !columns && !first));
  const layout = isFirst ? "channels first" : "channels last";
  const inputs = [writer.name(x, layout), writer.list(over.map((axis) => axisIn(axis, layout)).sort((a, b) => a - b))];
  const result = writer.graph.node(operator, inputs, { keepdims: keepDimensions === true ? 1 : 0 });
  return [result, keepDimensions === true ? layout : "channels last"];
};

const OPERATIONS: Readonly<Record<string, Write>> = {
  ...UNARY,
  add: (call) => writeBias(call) ?? binary("Add")(call),
  subtract: binary("Sub"),
  multiply: binary("Mul"),
  divide: binary("Div"),
  maximum: binary("Max"),
  minimum: binary("Min"),
  conv2d: writeConvolution,
  batchNorm: writeBatchNorm,
  linear(call) {
    const { writer, step } = call;
    const [x, weight] = [value(call, 0), value(call, 1)];
    const bias = isValue(step.arguments[2]) ? step.arguments[2] : null;
    const known = writer.known(weight);
    if (x.shape.length === 2 && known) {
      const inputs = [writer.name(x), writer.name(weight), ...(bias ? [writer.name(bias)] : [])];
      return [writer.graph.node("Gemm", inputs, { transB: 1 }), "channels last"];
    }
    const matrix = known
      ? writer.floats(transposed(known), "transposed")
      : writer.graph.node("Transpose", [writer.name(weight)], { perm: [1, 0] });
    const product = writer.graph.node("MatMul", [writer.name(x), matrix]);
    return [bias ? writer.graph.node("Add", [product, writer.name(bias)]) : product, "channels last"];
  },
  matmul(call) {
    const { writer, options } = call;
    const factor = (index: number, turned: boolean) => {
      const x = value(call, index);
      return turned ? turnedMatrices(writer, x) : writer.name(x);
    };
    const factors = [factor(0, options.transposeA === true), factor(1, options.transposeB === true)];
    return [writer.graph.node("MatMul", factors), "channels last"];
  },
  layerNorm(call) {
    const { writer } = call;
    const inputs = [0, 1, 2].map((index) => writer.name(value(call, index)));
    const attributes = { axis: -1, epsilon: { float: option(call, "epsilon", 1e-5) } };
    return [writer.graph.node("LayerNormalization", inputs, attributes), "channels last"];
  },
  softmax: overColumns("Softmax"),
  logSoftmax: overColumns("LogSoftmax"),
  maskedSoftmax(call) {
    const { writer } = call;
    const [x, mask] = [value(call, 0), value(call, 1)];
    const between = x.shape.map((_, axis) => axis).slice(1, -1);
    const seen = between.length === 0
      ? writer.truth(mask)
      : writer.graph.node("Unsqueeze", [writer.truth(mask), writer.list(between)]);
    const lowest = writer.constant(writer.float === "float16" ? -65504 : -3.4028234663852886e38);
    const scores = writer.graph.node("Where", [seen, writer.name(x), lowest]);
    return [writer.graph.node("Softmax", [scores], { axis: -1 }), "channels last"];
  },
  maxPool2d: pool("MaxPool"),
  averagePool2d: pool("AveragePool", { count_include_pad: 1 }),
  sum: reduce("ReduceSum"),
  mean: reduce("ReduceMean"),
  reshape(call) {
    const { writer, step: { output } } = call;
    const x = value(call, 0);
    const known = writer.known(x);
    if (known && output.shape.every((extent) => typeof extent === "number")) {
      writer.setKnown(output, { ...known, shape: output.shape as number[] });
      return ["", "channels last"];
    }
    return [writer.graph.node("Reshape", [writer.name(x), extentsFor(writer, x.shape, output.shape)]), "channels last"];
  },
  permute(call) {
    const { writer } = call;
    const x = value(call, 0);
    const order = (call.step.arguments[1] as readonly Argument[]).map((axis) => fixed(call, axis, "its order"));
    // Images that lie so already.
    if (order.join() === TO_FIRST.join() && writer.layoutOf(x) === "channels first") {
      return [writer.name(x, "channels first"), "channels last"];
    }
    return [writer.graph.node("Transpose", [writer.name(x)], { perm: order }), "channels last"];
  },
  expand(call) {
    const { writer, step: { output } } = call;
    return [writer.graph.node("Expand", [writer.name(value(call, 0)), writer.extents(output.shape)]), "channels last"];
  },
  concat(call) {
    const { writer, step } = call;
    const parts = step.arguments[0] as readonly Value[];
    const layout = parts.some((part) => isImage(part) && writer.layoutOf(part) === "channels first")
      ? "channels first"
      : "channels last";
    const axis = axisIn(option(call, "axis"), layout);
    return [writer.graph.node("Concat", parts.map((part) => writer.name(part, layout)), { axis }), layout];
  },
  slice(call) {
    const { writer, options } = call;
    const x = value(call, 0);
    const layout = isImage(x) ? writer.layoutOf(x) : "channels last";
    const [begin, length] = [options.begin as Extent, options.length as Extent];
    const inputs = [
      writer.name(x, layout),
      writer.extents([begin]),
      writer.extents([plus(call, begin, length)]),
      writer.list([axisIn(option(call, "axis"), layout)]),
    ];
    return [writer.graph.node("Slice", inputs), layout];
  },
  embedding(call) {
    const { writer, step } = call;
    const tables = Array.isArray(step.arguments[0]) ? step.arguments[0] as readonly Value[] : [value(call, 0)];
    const table = tables.length === 1
      ? writer.name(tables[0])
      : writer.graph.node("Concat", tables.map((part) => writer.name(part)), { axis: 0 });
    return [writer.graph.node("Gather", [table, writer.whole(value(call, 1))], { axis: 0 }), "channels last"];
  },
};

function overColumns(operator: string): Write {
  return (
    call,
  ) => [call.writer.graph.node(operator, [call.writer.name(value(call, 0))], { axis: -1 }), "channels last"];
}

/** Matrices with rows and columns changed; where they were permuted just before, both at once. */
function turnedMatrices(writer: Writer, x: Value): string {
  const axes = x.shape.map((_, axis) => axis);
  const turn = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
  const { source } = x;
  if (source.kind === "step" && source.step.name === "permute") {
    const [from, order] = source.step.arguments as readonly [Value, readonly number[]];
    if (writer.layoutOf(from) === "channels last") {
      return writer.graph.node("Transpose", [writer.name(from)], { perm: turn.map((axis) => order[axis]) });
    }
  }
  return writer.graph.node("Transpose", [writer.name(x)], { perm: turn });
}

/** A shape for ONNX's Reshape: 0 stands for the dimension of the same place, -1 for what is left. */
function extentsFor(writer: Writer, from: readonly Extent[], to: readonly Extent[]): string {
  const told = to.map((extent, axis) => {
    if (typeof extent === "number") return extent;
    return JSON.stringify(extent) === JSON.stringify(from[axis]) ? 0 : null;
  });
  const open = told.filter((extent) => extent === null).length;
  if (open <= 1 && !told.some((extent, axis) => extent === 0 && to[axis] === 0)) {
    return writer.list(told.map((extent) => extent ?? -1));
  }
  return writer.extents(to);
}

function plus({ step }: Call, a: Extent, b: Extent): Extent {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const [amount, offset] = typeof a === "number" ? [b, a] : [a, b];
  if (typeof amount === "number" || typeof offset !== "number") {
    throw new NotTraceable(`${step.name} begins and ends where both follow the size of the batch`);
  }
  return { ...amount, offset: amount.offset + offset };
}

/** Names of the operations that can be exported. */
export const EXPORTED: readonly string[] = Object.keys(OPERATIONS);

/**
 * Puts an operation into the graph.
 *
 * @throws NotTraceable for one that no operator of ONNX computes
 */
export function writeOperation(call: Call): void {
  const { step, writer } = call;
  const write = Object.hasOwn(OPERATIONS, step.name) ? OPERATIONS[step.name] : null;
  if (!write) throw new NotTraceable(`it uses the operation ${step.name}, which no operator of ONNX is known for`);
  const [name, layout] = write(call);
  if (name !== "") writer.set(step.output, name, layout);
}
