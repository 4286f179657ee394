import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { UserError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { type Attribute, type Graph, type Initialiser, type Port, TYPES } from "./graph.ts";
import {
  AttributeProto_AttributeType as Kind,
  type AttributeProtoSchema,
  ModelProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "./schema/onnx_pb.ts";

/** The set of operators: of May 2024, which onnxruntime knows from 1.18 on, and transformers.js from 3. */
export const OPSET = 21;

/** The version of the format that came with it. */
const IR_VERSION = 10n;

/** A message of a protocol buffer cannot be larger. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * A graph as an ONNX file.
 *
 * @param metadata texts about the model by their keys
 * @throws UserError if it would be larger than such a file can be
 */
export function encodeModel(graph: Graph, metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const bytes = graph.initialisers.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > MOST_BYTES) {
    throw new UserError(
      `Cannot write an ONNX file of ${
        (bytes / 2 ** 30).toFixed(1)
      } GiB: it can have 2 GiB, and weights in files beside it, ` +
        "which larger models have, are not written here: export with precision fp16 or int8, or a smaller student",
    );
  }
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "opdf",
    producerVersion: VERSION,
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: "opdf",
      input: graph.inputs.map(port),
      output: graph.outputs.map(port),
      initializer: graph.initialisers.map(tensor),
      node: graph.nodes.map((node) => ({
        name: node.outputs[0],
        opType: node.operator,
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
      })),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function port({ name, type, shape }: Port): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape?.map((extent) => ({
    value: typeof extent === "string"
      ? { case: "dimParam" as const, value: extent }
      : { case: "dimValue" as const, value: BigInt(extent) },
  }));
  return {
    name,
    type: { value: { case: "tensorType", value: { elemType: TYPES[type], ...(dim && { shape: { dim } }) } } },
  };
}

function tensor({ name, type, shape, data }: Initialiser): MessageInitShape<typeof TensorProtoSchema> {
  // The numbers of a file are little-endian, as they are on everything that runs this.
  const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return { name, dataType: TYPES[type], dims: shape.map(BigInt), rawData };
}

function attribute(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === "number") return { name, type: Kind.INT, i: BigInt(value) };
  if (typeof value === "string") return { name, type: Kind.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: Kind.FLOAT, f: value.float };
  if ("tensor" in value) return { name, type: Kind.TENSOR, t: tensor({ name: "", ...value.tensor }) };
  return { name, type: Kind.INTS, ints: value.map(BigInt) };
}
