import { tokensIn } from "../../../core/plugin/batch.ts";
import type { Batch, HostTensor } from "../../../core/plugin/dataset.ts";
import { sizeOf } from "../../../core/tensor.ts";
import type { WiredInput } from "./fit.ts";
import { asBytes } from "./whole_pixels.ts";
import type { Session } from "../../../core/onnx/runtime/session.ts";

/** Examples that are computed at once. */
interface Part {
  /** Their places in the batch; one that stands several times makes up the number that the model takes. */
  readonly rows: readonly number[];
  /** Tokens of each text. */
  readonly length: number;
}

/** A model, and how its inputs are made of a batch. */
export interface Computation {
  readonly session: Pick<Session, "run">;
  readonly inputs: readonly WiredInput[];
  /** The number of the padding token. */
  readonly padding: number;
}

/** A value that is wanted of a model. */
export interface Wanted {
  readonly name: string;
  /** Whether it has a row for each token, where it could be by its shape. */
  readonly byToken: boolean;
}

/**
 * Values of a model for a batch, `[batch, ...]` each, in the file's order of dimensions. What is by token is as long as
 * the batch's texts.
 */
export function compute(
  { session, inputs, padding }: Computation,
  batch: Batch<HostTensor>,
  wanted: readonly Wanted[],
): Map<string, HostTensor> {
  const first = batch[inputs[0].entry];
  const [size, length] = [first.shape[0], inputs[0].form === null ? first.shape[1] : 0];
  const whole = new Map<string, HostTensor>();
  for (const part of partsOf(inputs, batch, size, length)) {
    const feeds = new Map(inputs.map((input) => [input.name, feed(input, batch[input.entry], part, padding)]));
    const values = session.run(feeds, wanted.map(({ name }) => name));
    for (const { name, byToken } of wanted) {
      const { data, shape } = values.get(name)!;
      if (shape[0] !== part.rows.length) throw new RowMismatch(name, shape, part.rows.length);
      const isLong = byToken && shape.length === 3 && shape[1] === part.length;
      const own = isLong ? [shape[0], length, shape[2]] : shape;
      const row = sizeOf(own.slice(1));
      const target = whole.get(name) ?? { shape: [size, ...own.slice(1)], data: new Float32Array(size * row) };
      whole.set(name, target);
      if (target.shape.slice(1).join() !== own.slice(1).join()) throw new RowMismatch(name, shape, part.rows.length);
      for (let index = 0; index < part.rows.length; index++) {
        const read = sizeOf(shape.slice(1));
        const numbers = data.subarray(index * read, index * read + Math.min(read, row));
        target.data.set(numbers, part.rows[index] * row);
      }
    }
  }
  return whole;
}

/** An output that is not by example. */
export class RowMismatch extends Error {
  constructor(readonly output: string, readonly shape: readonly number[], readonly expected: number) {
    super(`The output ${output} is not of ${expected} examples`);
  }
}

/** As many examples at once as the model takes, and without a mask only texts that are as long. */
function partsOf(inputs: readonly WiredInput[], batch: Batch<HostTensor>, size: number, length: number): Part[] {
  const fixedLength = inputs.find((input) => input.length !== null)?.length ?? null;
  const atOnce = inputs.find((input) => input.batch !== null)?.batch ?? null;
  const masked = inputs.some(({ entry }) => entry === "mask");
  const groups = new Map<number, number[]>();
  for (let row = 0; row < size; row++) {
    // With a length that it always takes, a model without a mask was trained on padded texts.
    const own = fixedLength ?? (masked || length === 0 ? length : tokensIn(batch.mask, row));
    groups.set(own, [...groups.get(own) ?? [], row]);
  }
  return [...groups].flatMap(([length, rows]) => {
    const step = atOnce ?? rows.length;
    return Array.from({ length: Math.ceil(rows.length / step) }, (_, index): Part => {
      const own = rows.slice(index * step, (index + 1) * step);
      const more = Array.from({ length: step - own.length }, () => own[0]);
      return { rows: [...own, ...more], length };
    });
  });
}

function feed(input: WiredInput, { data, shape }: HostTensor, { rows, length }: Part, padding: number): HostTensor {
  if (input.form === null) return textFeed(input, data, shape[1], rows, length, padding);
  const [height, width, channels] = shape.slice(1);
  const size = height * width * channels;
  const numbers = new Float32Array(rows.length * size);
  rows.forEach((row, index) => {
    const pixels = data.subarray(row * size, (row + 1) * size);
    const image = input.undo ? asBytes(pixels, input.undo) : pixels;
    numbers.set(input.form === "nchw" ? channelsFirst(image, channels) : image, index * size);
  });
  return { data: numbers, shape: [rows.length, ...input.shape] };
}

function textFeed(
  { entry }: WiredInput,
  data: Float32Array,
  given: number,
  rows: readonly number[],
  length: number,
  padding: number,
): HostTensor {
  const numbers = new Float32Array(rows.length * length).fill(entry === "tokens" ? padding : 0);
  const common = Math.min(given, length);
  rows.forEach((row, index) => numbers.set(data.subarray(row * given, row * given + common), index * length));
  return { data: numbers, shape: [rows.length, length] };
}

function channelsFirst(image: Float32Array, channels: number): Float32Array {
  const pixels = image.length / channels;
  return image.map((_, place) => image[(place % pixels) * channels + Math.floor(place / pixels)]);
}

/** Feature maps `[batch, channels, height, width]` with the channels last. */
export function channelsLast({ data, shape }: HostTensor): HostTensor {
  const [batch, channels, height, width] = shape;
  const pixels = height * width;
  const moved = data.map((_, place) => {
    const [example, inside] = [Math.floor(place / (pixels * channels)), place % (pixels * channels)];
    return data[example * pixels * channels + (inside % channels) * pixels + Math.floor(inside / channels)];
  });
  return { data: moved, shape: [batch, height, width, channels] };
}
