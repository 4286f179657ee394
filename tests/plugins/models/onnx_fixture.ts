import { join } from "node:path";
import "../../../core/deno/install.ts";
import { readUserFile } from "../../../core/files.ts";
import type { Batch, HostTensor, InputDescription } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { onnx } from "../../../plugins/models/onnx/onnx.ts";
import { field } from "../../../core/onnx/protobuf.ts";
import { openTeacher } from "../../../plugins/models/onnx/teacher.ts";

/** The folder of the models that other libraries exported. */
export const FIXTURES = new URL("../../fixtures/onnx", import.meta.url).pathname;

/** Inputs, and what onnxruntime makes of them in Python. */
export const expected: Record<string, Record<"inputs" | "outputs", Record<string, HostTensor>>> = JSON.parse(
  await Deno.readTextFile(join(FIXTURES, "expected.json")),
  (key, value) => key === "data" ? Float32Array.from(value) : value,
);

/** 5x4 images of two channels in three classes. */
export const images = imagesOf(5, 4, 2);

/** Images of a size, in three classes. */
export function imagesOf(...size: [height: number, width: number, channels: number]): InputDescription {
  const [, , channels] = size;
  const normalise = { mean: Array(channels).fill(0), std: Array(channels).fill(1) };
  return { task: "classification", classes: ["a", "b", "c"], image: { size, normalise }, text: null };
}

/** Texts of up to eight of thirty tokens. */
export const texts: InputDescription = {
  task: "classification",
  classes: ["a", "b", "c"],
  image: null,
  text: { vocabulary: 30, maxLength: 8, padding: 0, files: {} },
};

/** A model that is open. */
export interface OpenFixture extends Disposable {
  readonly model: Model;
  /** What it gives, by the last word of its name. */
  run(batch: Batch<HostTensor>, wanted?: ReadonlySet<string>): Record<string, HostTensor>;
}

/** Opens a model as a teacher. */
export async function openFile(
  path: string,
  options: object = {},
  data: InputDescription = images,
  report: (line: string) => void = () => {},
): Promise<OpenFixture> {
  const checked = onnx.options(optionKit).parse(options);
  const { model, dispose } = await openTeacher(checked, data, { path, readFile: readUserFile, report });
  return {
    model,
    run: (batch, wanted) =>
      Object.fromEntries(
        Object.entries(model.hostOutputs!(batch, wanted)).map(([name, value]) => [name.split(" ").at(-1)!, value]),
      ),
    [Symbol.dispose]: dispose,
  };
}

/** Runs `body` in a temporary folder. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Images with their channels last. */
export function channelsLast({ data, shape: [count, channels, height, width] }: HostTensor): HostTensor {
  const moved = data.map((_, place) => {
    const [channel, pixel] = [place % channels, Math.floor(place / channels)];
    const [example, inside] = [Math.floor(pixel / (height * width)), pixel % (height * width)];
    return data[(example * channels + channel) * height * width + inside];
  });
  return { data: moved, shape: [count, height, width, channels] };
}

/** Some rows of a tensor. */
export function rows({ data, shape: [, ...rest] }: HostTensor, begin: number, end: number): HostTensor {
  const size = rest.reduce((product, extent) => product * extent, 1);
  return { data: data.slice(begin * size, end * size), shape: [end - begin, ...rest] };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const number = (place: number, value: number) => Uint8Array.of(place * 8, ...varint(value));
const varint = (value: number): number[] =>
  value < 128 ? [value] : [128 + value % 128, ...varint(Math.floor(value / 128))];

const FLOAT = 1;

/** An input or output, of dimensions with a number or a name. */
export interface Value {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  /** By its number in onnx.proto: float32 by default. */
  readonly type?: number;
}

/** A constant of float32, or of int64 where it is whole numbers for shapes; or in a file. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values?: readonly number[];
  readonly type?: number;
  readonly location?: string;
}

/** A model to be written, whose nodes have no attributes. */
export interface WrittenModel {
  readonly nodes: readonly (readonly [operator: string, inputs: readonly string[], output: string, domain?: string])[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly constants?: readonly Constant[];
  readonly opset?: number;
}

/** The content of an ONNX file. */
export function onnxBytes({ nodes, inputs, outputs, constants = [], opset = 17 }: WrittenModel): Uint8Array {
  const value = ({ name, shape, type = FLOAT }: Value) => {
    const dimensions = shape.map((extent) =>
      field(1, typeof extent === "number" ? number(1, extent) : field(2, bytes(extent)))
    );
    const tensor = joined([number(1, type), field(2, joined(dimensions))]);
    return joined([field(1, bytes(name)), field(2, field(1, tensor))]);
  };
  const constant = ({ name, shape, values = [], type = FLOAT, location }: Constant) => {
    const raw = type === FLOAT ? Float32Array.from(values) : BigInt64Array.from(values, BigInt);
    const content = location === undefined
      ? [field(9, new Uint8Array(raw.buffer))]
      : [field(13, joined([field(1, bytes("location")), field(2, bytes(location))])), number(14, 1)];
    return joined([...shape.map((extent) => number(1, extent)), number(2, type), field(8, bytes(name)), ...content]);
  };
  const graph = joined([
    ...nodes.map(([operator, from, to, domain = ""]) =>
      field(
        1,
        joined([
          ...from.map((name) => field(1, bytes(name))),
          field(2, bytes(to)),
          field(4, bytes(operator)),
          field(7, bytes(domain)),
        ]),
      )
    ),
    field(2, bytes("graph")),
    ...constants.map((part) => field(5, constant(part))),
    ...inputs.map((part) => field(11, value(part))),
    ...outputs.map((part) => field(12, value(part))),
  ]);
  return joined([number(1, 9), field(7, graph), field(8, number(2, opset))]);
}

/** A linear layer on 5x4 images of two channels that come first, with changes. */
export function linear(change: Partial<WrittenModel> = {}, classes = 3): Uint8Array {
  return onnxBytes({
    nodes: [["Flatten", ["x"], "flat"], ["MatMul", ["flat", "matrix"], "logits"]],
    inputs: [{ name: "x", shape: ["n", 2, 5, 4] }],
    outputs: [{ name: "logits", shape: ["n", classes] }],
    constants: [matrix(40, classes)],
    ...change,
  });
}

/** Numbers between -1 and 1 that are not all the same. */
export function matrix(height: number, width: number): Constant {
  const values = Array.from({ length: height * width }, (_, place) => Math.sin(place));
  return { name: "matrix", shape: [height, width], values };
}
