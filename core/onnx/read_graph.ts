import { joined } from "../joined.ts";
import { DamagedMessage, field, fieldsOf } from "./protobuf.ts";

/** What makes a value of a graph. */
export interface Maker {
  /** `Softmax`, `ZipMap`, ... */
  readonly operator: string;
  /** Names of the values that it takes. */
  readonly inputs: readonly string[];
}

/** What is read of an ONNX file before onnxruntime gets it. */
export interface OnnxFileGraph {
  /** Names of what the model gives by itself. */
  readonly outputs: readonly string[];
  /** By name, every value that is computed on the way. */
  readonly makers: ReadonlyMap<string, Maker>;
  /** The files that hold its larger tensors, as they are named there. */
  readonly locations: readonly string[];
  /** How many floating-point numbers it holds: tensors, and the trees and coefficients of scikit-learn's models. */
  readonly parameters: number;
  /** Texts about the model by their keys. */
  readonly metadata: ReadonlyMap<string, string>;
}

// Numbers of the fields in onnx.proto.
const MODEL = { graph: 7, opset: 8, metadata: 14, functions: 25 };
const GRAPH = { node: 1, initializer: 5, output: 12, sparse: 15 };
const NODE = { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { tensor: 5, graph: 6, floats: 7, tensors: 10, graphs: 11, sparse: 22, sparses: 23 };
const TENSOR = { dims: 1, type: 2, external: 13 };
const FUNCTION_NODE = 7;
const VALUE_NAME = 1;
const SPARSE_VALUES = 1;

/** float32, float16, float64 and bfloat16. */
const FLOATS = [1, 10, 11, 16];

/** Graphs within graphs, of branches and loops. */
const MOST_DEPTH = 16;

/** Reads a model's graph. @throws DamagedMessage for what is no ONNX file, or none that is whole */
export function readGraph(model: Uint8Array): OnnxFileGraph {
  const outputs: string[] = [];
  const makers = new Map<string, Maker>();
  const locations = new Set<string>();
  const metadata = new Map<string, string>();
  let [parameters, graphs, opsets] = [0, 0, 0];

  const tensor = (message: Uint8Array): void => {
    let [size, type] = [1, 0];
    for (const { number, value, bytes } of fieldsOf(message)) {
      if (number === TENSOR.dims) {
        for (const extent of bytes ? packed(bytes) : [value]) size *= extent;
      } else if (number === TENSOR.type) type = value;
      else if (number === TENSOR.external && bytes) {
        const [key, location] = pair(bytes);
        if (key === "location") locations.add(location);
      }
    }
    if (FLOATS.includes(type)) parameters += size;
  };
  const sparse = (message: Uint8Array): void => each(message, { [SPARSE_VALUES]: tensor });
  const attribute = (message: Uint8Array, depth: number): void =>
    each(message, {
      [ATTRIBUTE.tensor]: tensor,
      [ATTRIBUTE.tensors]: tensor,
      [ATTRIBUTE.sparse]: sparse,
      [ATTRIBUTE.sparses]: sparse,
      [ATTRIBUTE.graph]: (graph) => walk(graph, depth + 1),
      [ATTRIBUTE.graphs]: (graph) => walk(graph, depth + 1),
    });
  const node = (message: Uint8Array, depth: number): void => {
    const [inputs, made, attributes]: [string[], string[], Uint8Array[]] = [[], [], []];
    let [operator, domain] = ["", ""];
    each(message, {
      [NODE.input]: (bytes) => inputs.push(text(bytes)),
      [NODE.output]: (bytes) => made.push(text(bytes)),
      [NODE.operator]: (bytes) => operator = text(bytes),
      [NODE.domain]: (bytes) => domain = text(bytes),
      [NODE.attribute]: (bytes) => attributes.push(bytes),
    });
    for (const part of attributes) {
      attribute(part, depth);
      if (domain !== "ai.onnx.ml") continue;
      for (const { number, bytes } of fieldsOf(part)) {
        if (number === ATTRIBUTE.floats) parameters += bytes ? bytes.length / 4 : 1;
      }
    }
    if (depth === 0) { for (const name of made) makers.set(name, { operator, inputs }); }
  };
  const walk = (graph: Uint8Array, depth: number): void => {
    if (depth > MOST_DEPTH) throw new DamagedMessage(`it has graphs within graphs, more than ${MOST_DEPTH} deep`);
    each(graph, {
      [GRAPH.node]: (bytes) => node(bytes, depth),
      [GRAPH.initializer]: tensor,
      [GRAPH.sparse]: sparse,
      [GRAPH.output]: (bytes) => {
        if (depth === 0) each(bytes, { [VALUE_NAME]: (name) => outputs.push(text(name)) });
      },
    });
  };
  each(model, {
    [MODEL.graph]: (graph) => {
      graphs++;
      walk(graph, 0);
    },
    [MODEL.opset]: () => opsets++,
    [MODEL.metadata]: (bytes) => metadata.set(...pair(bytes)),
    [MODEL.functions]: (body) => each(body, { [FUNCTION_NODE]: (bytes) => node(bytes, 1) }),
  });
  if (graphs === 0 || opsets === 0) throw new DamagedMessage("it has no graph, or no set of operators");
  return { outputs, makers, locations: [...locations], parameters, metadata };
}

/**
 * The same model, which also gives some values that it computes on the way: parts of a message that stand twice are
 * joined, so that they are appended.
 */
export function withOutputs(model: Uint8Array<ArrayBuffer>, names: readonly string[]): Uint8Array<ArrayBuffer> {
  if (names.length === 0) return model;
  const parts = names.map((name) =>
    field(MODEL.graph, field(GRAPH.output, field(VALUE_NAME, new TextEncoder().encode(name))))
  );
  return joined([model, ...parts]);
}

/** Hands the parts of a message over, by the numbers of their fields. */
function each(message: Uint8Array, take: Readonly<Record<number, (bytes: Uint8Array) => unknown>>): void {
  for (const { number, bytes } of fieldsOf(message)) if (bytes) take[number]?.(bytes);
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A list of numbers in one field: they are read as the values of fields without a head. */
function packed(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let [value, factor] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 0x7f) * factor;
    factor *= 0x80;
    if (byte < 0x80) {
      numbers.push(value);
      [value, factor] = [0, 1];
    }
  }
  if (factor > 1) throw new DamagedMessage("it ends within a number");
  return numbers;
}

/** The two strings of an entry of a map. */
function pair(message: Uint8Array): [key: string, value: string] {
  const found: [string, string] = ["", ""];
  each(message, { 1: (bytes) => found[0] = text(bytes), 2: (bytes) => found[1] = text(bytes) });
  return found;
}
