import { UserError } from "../../errors.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch, Examples, HostTensor } from "../../plugin/dataset.ts";
import type { Floats } from "../../backend/backend.ts";
import { showShape, sizeOf, type Tensor } from "../../tensor.ts";
import { type Block, copyCommon, type KeptNumbers } from "./blocks.ts";
import { upload } from "../../plugin/batch.ts";
import { firstIndices } from "../../data/loader.ts";
import { mapBatches } from "../map_examples.ts";
import { batchesOf } from "../../evaluate/batches.ts";
import { overBatches } from "../../evaluate/over_examples.ts";

/** An extent of an example's output: a number, or as many as the text has tokens. */
export type Extent = number | "tokens";

/** An output's form. */
export interface Layout {
  /** Of one example, without the batch. */
  readonly extents: readonly Extent[];
  /** True for what is the same for all examples, such as the transitions of a CRF. */
  readonly shared: boolean;
}

/** An output over all examples. */
export interface KeptOutput extends Layout {
  /** The examples' numbers one after another, each at its own length; of what is shared, these once. */
  readonly data: KeptNumbers;
}

/** Numbers of a batch. */
export interface BatchNumbers {
  readonly shape: readonly number[];
  readonly data: Floats | KeptNumbers;
}

/** What is kept of outputs, if not all of them. */
export interface Condensing {
  /** The form of what is kept, by that of the outputs. */
  layouts(outputs: ReadonlyMap<string, Layout>): ReadonlyMap<string, Layout & { readonly Numbers: NumbersKind }>;
  /** What is kept of a batch's outputs. */
  numbers(outputs: ReadonlyMap<string, BatchNumbers>): ReadonlyMap<string, BatchNumbers>;
}

/** The kind of array that holds an output. */
export type NumbersKind = typeof Float32Array | typeof Uint16Array | typeof Uint32Array;

const ALL: Condensing = {
  layouts: (outputs) => new Map([...outputs].map(([name, layout]) => [name, { ...layout, Numbers: Float32Array }])),
  numbers: (outputs) => outputs,
};

/** Gives a batch's outputs by name. */
export type ComputeOutputs = (batch: Batch<Tensor>) => ReadonlyMap<string, Tensor>;

/**
 * How many tokens each example has: the place of its mask's last 1, counted from 1.
 *
 * @returns `null` for examples without a mask, which are all of one shape
 */
export async function tokensOf(examples: Examples, batchSize: number): Promise<Uint32Array | null> {
  const counts = new Uint32Array(examples.length);
  for (const indices of batchesOf(firstIndices(examples.length), batchSize)) {
    await examples.fetch?.(indices);
    const { mask } = examples.batch(indices);
    if (!mask) return null;
    const [, length] = mask.shape;
    indices.forEach((example, row) => {
      counts[example] = mask.data.subarray(row * length, (row + 1) * length).lastIndexOf(1) + 1;
    });
  }
  return counts;
}

/** The shape of one example's output. */
export function shapeOf({ extents }: Layout, tokens: number): number[] {
  return extents.map((extent) => extent === "tokens" ? tokens : extent);
}

/** The offset of each example's numbers, and behind the last one their end. */
export function offsetsOf(layout: Layout, count: number, tokens: Uint32Array | null): Float64Array {
  const offsets = new Float64Array(count + 1);
  for (let example = 0; example < count; example++) {
    offsets[example + 1] = offsets[example] + sizeOf(shapeOf(layout, tokens?.[example] ?? 0));
  }
  return offsets;
}

/** What outputs are collected of. */
export interface Collection {
  readonly examples: Examples;
  /** How many tokens each example has; `null` where there are no texts. */
  readonly tokens: Uint32Array | null;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** Those of the examples that are computed: all from `begin` to `end`. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Computes outputs over examples and keeps them without padding. Texts are taken by their length, so that batches have
 * little of it. The outputs' forms are those that they have of all examples, whichever of them are computed.
 *
 * @param prepare is run on each batch before it is uploaded
 * @param condensing what of the outputs is kept; left out, all
 * @throws UserError for an output with a dimension that is neither always the same nor the text's length
 */
export async function collectOutputs(
  ops: Ops,
  { examples, tokens, batchSize, begin, end }: Collection,
  compute: ComputeOutputs,
  prepare: (batch: Batch<HostTensor>) => Batch<HostTensor> = (batch) => batch,
  condensing: Condensing = ALL,
): Promise<Map<string, KeptOutput>> {
  const own = tokens && tokens.subarray(begin, end), count = end - begin;
  const order = Uint32Array.from({ length: count }, (_, at) => begin + at);
  if (tokens) order.sort((a, b) => tokens[a] - tokens[b]);
  const layouts = await layoutsOf(ops, examples, tokens, (batch) => compute(upload(ops, prepare(batch))));
  const kept = new Map(
    [...condensing.layouts(layouts)].map(([name, { Numbers, ...layout }]) => {
      const offsets = offsetsOf(layout, layout.shared ? 1 : count, own);
      return [name, { ...layout, offsets, data: new Numbers(offsets.at(-1)!) }];
    }),
  );
  const prepared = mapBatches(examples, prepare);
  for await (const { indices, numbers } of overBatches(ops, prepared, batchesOf(order, batchSize), compute)) {
    for (const [name, { shape, data }] of condensing.numbers(numbers)) {
      const { offsets, ...output } = kept.get(name)!;
      if (output.shared) output.data.set(data);
      else {
        indices.forEach((example, row) => {
          const padded = { data, offset: row * sizeOf(shape.slice(1)), shape: shape.slice(1) };
          copyCommon(padded, blockOf(output, offsets, example - begin, own));
        });
      }
    }
  }
  return new Map([...kept].map(([name, { offsets: _offsets, ...output }]) => [name, output]));
}

/** Gives an output of some of the examples again, padded with zeros to a length of so many tokens. */
export function padOutput(
  output: KeptOutput,
  offsets: Float64Array,
  indices: Uint32Array,
  tokens: Uint32Array | null,
  length: number,
): HostTensor {
  const shape = shapeOf(output, length);
  if (output.shared) return { data: floatsOf(output.data), shape };
  const size = sizeOf(shape);
  const data = new Float32Array(indices.length * size);
  indices.forEach((example, row) => {
    copyCommon(blockOf(output, offsets, example, tokens), { data, offset: row * size, shape });
  });
  return { data, shape: [indices.length, ...shape] };
}

/** The same numbers as a batch has them; nothing is copied of what is one already. */
function floatsOf(data: KeptNumbers): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

function blockOf(output: KeptOutput, offsets: Float64Array, example: number, tokens: Uint32Array | null): Block {
  return { data: output.data, offset: offsets[example], shape: shapeOf(output, tokens?.[example] ?? 0) };
}

/**
 * Which dimensions go by the text's length and which outputs by the example, seen by two batches: the shortest example
 * without its padding, and the longest one twice.
 */
async function layoutsOf(
  ops: Ops,
  examples: Examples,
  tokens: Uint32Array | null,
  compute: (batch: Batch<HostTensor>) => ReadonlyMap<string, Tensor>,
): Promise<Map<string, Layout>> {
  const byLength = firstIndices(examples.length).sort((a, b) => tokens ? tokens[a] - tokens[b] : a - b);
  const [shortest, longest] = [byLength[0], byLength.at(-1)!];
  await examples.fetch?.(Uint32Array.of(shortest, longest));
  const batches = [
    withoutPadding(examples.batch(Uint32Array.of(shortest)), tokens?.[shortest] ?? 0),
    examples.batch(Uint32Array.of(longest, longest)),
  ];
  const [few, most] = batches.map(({ mask }) => mask?.shape[1] ?? 0);
  const [one, two] = batches.map((batch) =>
    ops.scope(() => new Map([...compute(batch)].map(([name, { shape }]) => [name, shape])))
  );
  return new Map([...one].map(([name, shape]) => {
    const other = two.get(name)!;
    const shared = shape.join() === other.join();
    const refuse = () =>
      new UserError(
        `Cannot cache the teacher's ${name} as its shape follows neither from the number of examples nor from the ` +
          `tokens of the longest: ${showShape(shape)} of one with ${few} tokens, ${
            showShape(other)
          } of two with ${most}`,
      );
    if (!shared && (shape[0] !== 1 || other[0] !== 2 || shape.length !== other.length)) throw refuse();
    const extents = (shared ? shape : shape.slice(1)).map((extent, axis): Extent => {
      const longer = shared ? extent : other[axis + 1];
      if (extent === longer) return extent;
      if (extent === few && longer === most) return "tokens";
      throw refuse();
    });
    return [name, { extents, shared }];
  }));
}

/** The batch of one example cut to its tokens. */
function withoutPadding(batch: Batch<HostTensor>, tokens: number): Batch<HostTensor> {
  const padded = batch.mask?.shape[1];
  const cut = ({ data, shape }: HostTensor): HostTensor => {
    const [size, , ...rest] = shape;
    const own = [size, Math.max(tokens, 1), ...rest];
    const target = { data: new Float32Array(sizeOf(own)), offset: 0, shape: own };
    copyCommon({ data, offset: 0, shape }, target);
    return target;
  };
  return Object.fromEntries(
    Object.entries(batch).map(([name, tensor]) => [name, padded && tensor.shape[1] === padded ? cut(tensor) : tensor]),
  );
}
