import { type Graph, GraphBuilder, type Initialiser, type Node, TYPES } from "./graph.ts";
import { transposed } from "./transposed.ts";

/** The least and the largest number of an activation, by its name. */
export type Ranges = ReadonlyMap<string, readonly [least: number, most: number]>;

/** A table of fewer numbers is not worth the two more operators. */
const LEAST_TABLE = 4096;

/** Of eight bits, the largest whole number of weights, which have a sign; 0 is 0. */
const MOST_SIGNED = 127;
/** Of activations, which have none. */
const MOST_UNSIGNED = 255;
/** Of a convolution's bias, in 32 bits: as much again is left for the sum of products that it is added to. */
const MOST_BIAS = 2 ** 30;

/** An operator that is a convolution's activation, and can be put into it. */
const ACTIVATIONS = ["Relu", "Clip"];

/**
 * Names of the values whose ranges are to be known before convolutions can be quantised: what they take and give, and
 * what sums of that are. Where an activation follows, it is what that gives.
 */
export function activationsOf(graph: Graph): string[] {
  const consumers = consumersOf(graph);
  const found = new Set<string>();
  const last = (name: string): string => {
    const [next, ...others] = consumers.get(name) ?? [];
    return next && others.length === 0 && ACTIVATIONS.includes(next.operator) ? next.outputs[0] : name;
  };
  for (const { operator, inputs, outputs } of graph.nodes) {
    const isConvolution = operator === "Conv";
    const isSum = operator === "Add" && inputs.every((name) => found.has(name));
    const isPool = operator === "MaxPool" && found.has(inputs[0]);
    if (isConvolution) found.add(inputs[0]);
    if (isConvolution || isSum || isPool) found.add(last(outputs[0]));
  }
  const given = new Set(graph.outputs.map(({ name }) => name));
  return [...found].filter((name) => !given.has(name));
}

/**
 * The graph with weights of eight bits: linear layers quantise what they get when they run (dynamically), tables are
 * scaled row by row, and convolutions go by ranges that were measured (statically), written as pairs of QuantizeLinear
 * and DequantizeLinear, which runtimes put into one operator for whole numbers.
 *
 * @param ranges of {@link activationsOf}
 */
export function quantise(graph: Graph, ranges: Ranges): Graph {
  const builder = new GraphBuilder();
  for (const port of graph.inputs) builder.input(port);
  for (const { outputs } of graph.nodes) for (const name of outputs) builder.reserve(name);
  const weights = new Map(graph.initialisers.map((initialiser) => [initialiser.name, initialiser]));
  const quantiser = new Quantiser(builder, weights, ranges);
  for (const { name } of graph.inputs) quantiser.activation(name);
  for (const node of graph.nodes) {
    quantiser.node(node);
    for (const name of node.outputs) quantiser.activation(name);
  }
  for (const initialiser of graph.initialisers) builder.keep(initialiser);
  for (const port of graph.outputs) builder.output(port);
  return builder.finish();
}

class Quantiser {
  /** What is taken in the place of an activation. */
  readonly #replaced = new Map<string, string>();
  readonly #dynamic = new Map<string, readonly string[]>();
  readonly #scales = new Map<string, number>();

  constructor(
    readonly builder: GraphBuilder,
    readonly weights: ReadonlyMap<string, Initialiser>,
    readonly ranges: Ranges,
  ) {}

  /** Puts the pair of operators behind an activation whose range is known. */
  activation(name: string): void {
    const range = this.ranges.get(name);
    if (!range) return;
    const [least, most] = [Math.min(0, range[0]), Math.max(0, range[1])];
    const scale = Math.fround((most - least) / MOST_UNSIGNED) || 1;
    const zero = Math.min(MOST_UNSIGNED, Math.max(0, Math.round(-least / scale)));
    const parameters = [
      this.#put(`${name}_scale`, "float32", [], Float32Array.of(scale)),
      this.#put(`${name}_zero_point`, "uint8", [], Uint8Array.of(zero)),
    ];
    const whole = this.builder.node("QuantizeLinear", [name, ...parameters], {}, `${name}_quantized`);
    this.#replaced.set(
      name,
      this.builder.node("DequantizeLinear", [whole, ...parameters], {}, `${name}_dequantized`),
    );
    this.#scales.set(name, scale);
  }

  node(node: Node): void {
    const { operator, inputs } = node;
    const weight = this.weights.get(inputs[operator === "Gather" ? 0 : 1] ?? "");
    const isFloat = weight?.type === "float32";
    if (operator === "Conv" && isFloat && this.#scales.has(inputs[0])) return this.#convolution(node, weight);
    if (operator === "MatMul" && isFloat && weight.shape.length === 2) return this.#product(node, weight);
    if (operator === "Gemm" && isFloat && node.attributes.transB === 1) return this.#product(node, transposed(weight));
    if (operator === "Gather" && isFloat && weight.shape.length === 2 && weight.data.length >= LEAST_TABLE) {
      return this.#table(node, weight);
    }
    this.builder.add({ ...node, inputs: inputs.map((name) => this.#now(name)) });
  }

  #now(name: string): string {
    return this.#replaced.get(name) ?? name;
  }

  #convolution(node: Node, weight: Initialiser): void {
    const { inputs: [x, , bias], attributes, outputs } = node;
    const scale = this.#scales.get(x)!;
    const shifts = bias === undefined ? null : this.weights.get(bias)!;
    // The bias has the steps of the filter times those of the input: a filter of almost nothing would leave it none.
    const leasts = shifts && Array.from(shifts.data as Float32Array, (bias) => Math.abs(bias) / (scale * MOST_BIAS));
    const { scales, whole } = byRows(weight, leasts);
    const data = Int8Array.from(whole);
    const names = [
      this.#put(`${weight.name}_quantized`, "int8", weight.shape, data),
      this.#put(`${weight.name}_scale`, "float32", [scales.length], scales),
    ];
    const filter = this.builder.node("DequantizeLinear", names, { axis: 0 }, `${weight.name}_dequantized`);
    const shift = shifts ? [this.#bias(shifts, scale, scales)] : [];
    this.builder.add({ operator: "Conv", inputs: [this.#now(x), filter, ...shift], outputs, attributes });
  }

  #bias(bias: Initialiser, scale: number, scales: Float32Array): string {
    const steps = scales.map((own) => own * scale);
    const data = Int32Array.from(bias.data as Float32Array, (value, row) => Math.round(value / steps[row]));
    const names = [
      this.#put(`${bias.name}_quantized`, "int32", bias.shape, data),
      this.#put(`${bias.name}_scale`, "float32", bias.shape, steps),
    ];
    return this.builder.node("DequantizeLinear", names, { axis: 0 }, `${bias.name}_dequantized`);
  }

  /** A product with a matrix `[in, out]`, as whole numbers; a bias is added behind it. */
  #product({ inputs: [x, , bias], outputs: [output] }: Node, weight: Initialiser): void {
    const { builder } = this;
    const [rows, columns] = weight.shape;
    const { scales, whole } = byRows(transposed(weight));
    const data = Uint8Array.from({ length: rows * columns }, (_, place) => {
      const [row, column] = [Math.floor(place / columns), place % columns];
      return whole[column * rows + row] + 128;
    });
    const given = this.#now(x);
    const [quantised, scale, zero] = this.#dynamic.get(given) ??
      builder.nodes(
        "DynamicQuantizeLinear",
        [given],
        {},
        ["quantized", "scale", "zero_point"].map((part) => `${given}_${part}`),
      );
    this.#dynamic.set(given, [quantised, scale, zero]);
    const matrix = this.#put(`${weight.name}_quantized`, "uint8", weight.shape, data);
    const step = this.#put(`${weight.name}_scale`, "float32", [columns], scales);
    const middle = this.#put(`${weight.name}_zero_point`, "uint8", [], Uint8Array.of(128));
    const product = builder.node("MatMulInteger", [quantised, matrix, zero, middle], {}, `${output}_whole`);
    const floats = builder.node("Cast", [product], { to: TYPES.float32 }, `${output}_cast`);
    const both = builder.node("Mul", [scale, step], {}, `${output}_scale`);
    if (bias === undefined) {
      return builder.add({ operator: "Mul", inputs: [floats, both], outputs: [output], attributes: {} });
    }
    const scaled = builder.node("Mul", [floats, both], {}, `${output}_scaled`);
    builder.add({ operator: "Add", inputs: [scaled, bias], outputs: [output], attributes: {} });
  }

  /** Rows of a table, each with a scale of its own. */
  #table({ inputs: [, indices], outputs: [output] }: Node, weight: Initialiser): void {
    const { builder } = this;
    const { scales, whole } = byRows(weight);
    const table = this.#put(`${weight.name}_quantized`, "int8", weight.shape, Int8Array.from(whole));
    const steps = this.#put(`${weight.name}_scale`, "float32", [scales.length, 1], scales);
    const rows = builder.node("Gather", [table, indices], { axis: 0 }, `${output}_quantized`);
    const floats = builder.node("Cast", [rows], { to: TYPES.float32 }, `${output}_cast`);
    const scale = builder.node("Gather", [steps, indices], { axis: 0 }, `${output}_scale`);
    builder.add({ operator: "Mul", inputs: [floats, scale], outputs: [output], attributes: {} });
  }

  #put(name: string, type: Initialiser["type"], shape: readonly number[], data: Initialiser["data"]): string {
    return this.builder.initialiser({ name, type, shape, data });
  }
}

/**
 * A weight's numbers as whole ones from -127 to 127, each row of its first dimension with a scale of its own.
 *
 * @param leasts the least scale of each row
 */
function byRows(
  { shape: [rows], data }: Initialiser,
  leasts: readonly number[] | null = null,
): { scales: Float32Array<ArrayBuffer>; whole: Float32Array } {
  const row = data.length / rows;
  const scales = new Float32Array(rows);
  const whole = new Float32Array(data.length);
  for (let index = 0; index < rows; index++) {
    let most = 0;
    for (let place = index * row; place < (index + 1) * row; place++) {
      most = Math.max(most, Math.abs(Number(data[place])));
    }
    scales[index] = Math.max(most / MOST_SIGNED, leasts?.[index] ?? 0) || 1;
    for (let place = index * row; place < (index + 1) * row; place++) {
      whole[place] = Math.round(Number(data[place]) / scales[index]);
    }
  }
  return { scales, whole };
}

function consumersOf({ nodes }: Graph): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const name of node.inputs) consumers.set(name, [...consumers.get(name) ?? [], node]);
  }
  return consumers;
}
