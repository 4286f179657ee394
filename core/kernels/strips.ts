import stripShader from "../../shaders/strip.wgsl" with { type: "text" };
import treeShader from "../../shaders/tree.wgsl" with { type: "text" };
import type { AdapterTraits, Launch } from "../backend/kernel.ts";
import { fillHoles } from "./header.ts";
import { inGroups, LINEAR_WORKGROUP } from "./launch.ts";

/**
 * Numbers along one dimension that are summed up, or otherwise reduced: `length` of them for each of `outer * inner`
 * results, in memory `[outer, length, inner]`.
 */
export interface Reduction {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** How many threads there are along a strip and across it, and in a workgroup; shaders/strip.wgsl says more. */
interface Strip {
  readonly threads: number;
  readonly along: number;
  readonly width: number;
}

/** Neighbours that a strip takes: 128 bytes of float32, what a GPU reads at once. */
const MOST_ACROSS = 32;
/** Numbers that a thread takes, roughly: with fewer, the tree over the threads costs more than their own sums. */
const FEWEST_NUMBERS = 4;
/** From so many numbers on a strip has a workgroup of its own of {@link MOST_THREADS}. */
const LONG_STRIP = 1024;
/** WebGPU's default limit. */
const MOST_THREADS = 256;

/**
 * The threads for a reduction. On a software adapter there is one to a result: barriers are slow there, and that
 * neighbours read neighbours gains nothing.
 */
function stripOf({ length, inner }: Reduction, adapter: AdapterTraits): Strip {
  if (adapter.software) return { threads: LINEAR_WORKGROUP, along: 1, width: 1 };
  const width = Math.min(powerOfTwo(inner), MOST_ACROSS);
  const most = length * width > LONG_STRIP ? mostThreads(adapter) : LINEAR_WORKGROUP;
  const along = Math.min(powerOfTwo(length / FEWEST_NUMBERS), most / width);
  return { threads: Math.max(LINEAR_WORKGROUP, along * width), along, width };
}

function mostThreads({ maxWorkgroupInvocations }: AdapterTraits): number {
  return maxWorkgroupInvocations < MOST_THREADS ? LINEAR_WORKGROUP : MOST_THREADS;
}

/** The smallest power of two that is not below `count`. */
function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
}

/** A shader over strips, and the trees that it calls: by name, the type of their numbers and what x and y make. */
export function withTrees(
  shader: string,
  trees: Readonly<Record<string, readonly [numbers: string, combined: string]>>,
): string {
  const filled = Object.entries(trees).map(([name, [numbers, combined]]) =>
    fillHoles(treeShader, { TREE: name, HELD: `${name}Held`, NUMBERS: numbers, COMBINED: combined })
  );
  return [stripShader, ...filled, shader].join("\n");
}

/** The tree `sumOf` of numbers or vectors of this type. */
export const sumTree = (numbers: "f32" | "vec2f") => ({ sumOf: [numbers, "x + y"] }) as const;

/** A launch of a shader over strips. */
export function overStrips(reduction: Reduction, adapter: AdapterTraits): Pick<Launch, "constants" | "workgroups"> {
  const strip = stripOf(reduction, adapter);
  const { threads, along, width } = strip;
  const strips = reduction.outer * Math.ceil(reduction.inner / width);
  return {
    constants: { THREADS: threads, ALONG: along, WIDTH: width },
    workgroups: inGroups(Math.ceil(strips / (threads / (along * width))), adapter),
  };
}

/** A launch over the rows of `[rows, columns]`. */
export function overRows(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  adapter: AdapterTraits,
) {
  return overStrips({ outer: rows, length: columns, inner: 1 }, adapter);
}

/** Numbers, or vectors, that a workgroup sums where there are enough of them for many workgroups: 16 to a thread. */
const CHUNK_NUMBERS = 4096;
/** Up to here a workgroup takes all: another dispatch would cost more than 32 numbers to a thread. */
const ONE_CHUNK_NUMBERS = 8192;
/** Workgroups of 256 threads that fill the largest of today's GPUs: 132 multiprocessors of 2048 threads. */
const ENOUGH_WORKGROUPS = 1024;

/**
 * How many numbers of a hardware adapter's reduction one strip takes, so that there are workgroups enough and what is
 * left is one strip for the next dispatch.
 */
export function chunkOf({ outer, length, inner }: Reduction): number {
  const width = Math.min(powerOfTwo(inner), MOST_ACROSS);
  if (length * width <= ONE_CHUNK_NUMBERS) return length;
  const strips = outer * Math.ceil(inner / width);
  const chunks = Math.min(
    Math.ceil(length * width / CHUNK_NUMBERS),
    Math.ceil(ENOUGH_WORKGROUPS / strips),
    ONE_CHUNK_NUMBERS / width,
  );
  return Math.ceil(length / chunks);
}
