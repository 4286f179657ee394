import matrixShader from "../../shaders/block_matrix.wgsl" with { type: "text" };
import blockShader from "../../shaders/block.wgsl" with { type: "text" };
import scalarFour from "../../shaders/four_scalar.wgsl" with { type: "text" };
import vectorFour from "../../shaders/four_vector.wgsl" with { type: "text" };
import type { AdapterTraits } from "../backend/kernel.ts";
import { fillHoles, type Lanes } from "./header.ts";
import { type Stores, TILE, tileCount, withTile } from "./tile.ts";

/** Rows and columns of the part of a product that a workgroup computes in its own memory. */
export interface Block {
  readonly rows: number;
  readonly columns: number;
}

/** Numbers of k that a workgroup has in its memory at a time; parts of a sum are whole multiples of it. */
export const BLOCK_DEPTH = 16;

/** Large products, all others, and those of few columns or rows. */
const BLOCKS: readonly Block[] = [
  { rows: 128, columns: 128 },
  { rows: 64, columns: 64 },
  { rows: 128, columns: 32 },
  { rows: 32, columns: 128 },
];

/** Multiply-adds that a GPU does in the time in which it reads a number from its last cache: 20 to 40. */
const PRODUCTS_PER_LOAD = 16;

const threadsOf = ({ rows, columns }: Block) => rows * columns / TILE ** 2;

/** Workgroups of large blocks come to so many times the threads that are enough: few of them do not divide evenly. */
const LARGE_ROUNDS = 2;

/** Bytes of workgroup memory: both factors', and so many more for each row. */
const bytesOf = ({ rows, columns }: Block, bytesPerRow: number) =>
  (rows + columns) * BLOCK_DEPTH * 4 + rows * bytesPerRow;

/**
 * The block for `slices` results of so many rows and columns each: the one with the least work, which is its products,
 * those beyond the edge too, and the numbers that it reads. A large one is only taken if it leaves enough threads.
 *
 * @param bytesPerRow of workgroup memory that the kernel needs besides
 */
export function blockFor(
  rows: number,
  columns: number,
  slices: number,
  adapter: AdapterTraits,
  bytesPerRow = 0,
): Block {
  const groups = (block: Block) => blockCount(block, rows, columns) * slices;
  const work = (block: Block) =>
    groups(block) * (block.rows * block.columns + PRODUCTS_PER_LOAD * (block.rows + block.columns));
  // WebGPU's default limits, which every adapter has, allow for all but the large one with more bytes.
  const fitting = BLOCKS.filter((block) =>
    bytesOf(block, bytesPerRow) <= adapter.maxWorkgroupStorageBytes &&
    threadsOf(block) <= adapter.maxWorkgroupInvocations &&
    (threadsOf(block) <= 64 || groups(block) * threadsOf(block) >= LARGE_ROUNDS * adapter.enoughThreads)
  );
  return fitting.reduce((best, block) => work(block) < work(best) ? block : best);
}

/** How many blocks a result is made of. */
export function blockCount(block: Block, rows: number, columns: number): number {
  return Math.ceil(rows / block.rows) * Math.ceil(columns / block.columns);
}

/** Threads for `slices` results: those of blocks, or a software adapter's, one for each tile. */
export function productThreads(rows: number, columns: number, slices: number, adapter: AdapterTraits): number {
  if (adapter.software) return slices * tileCount(rows, columns);
  const block = blockFor(rows, columns, slices, adapter);
  return slices * blockCount(block, rows, columns) * threadsOf(block);
}

/** How a thread finds four neighbours of a factor, under the name `four`. */
export function fourOf(factor: string, four: string, lanes: Lanes): string {
  return fillHoles(lanes === 4 ? vectorFour : scalarFour, { FACTOR: factor, FOUR: four });
}

/** The function `${factor}Patch` for a factor that lies in memory as a matrix. */
export function matrixPatch(factor: string, lanes: Lanes): string {
  const four = `${factor}Four`;
  const holes = { PATCH: `${factor}Patch`, FOUR: four, FACTOR: factor };
  return `${fourOf(factor, four, lanes)}\n${fillHoles(matrixShader, holes)}`;
}

/** What a workgroup's block is written to, and how. */
export interface BlockResult {
  readonly name: string;
  readonly lanes: Lanes;
  /** As it is by default. */
  readonly store?: Stores;
}

/** A kernel's shader for a block and its result, with what it builds on. */
export function withBlock(block: Block, { name, lanes, store }: BlockResult, ...shaders: readonly string[]): string {
  const sizes = { ROWS: block.rows, COLUMNS: block.columns, THREADS: threadsOf(block) };
  const constants = Object.entries(sizes).map(([name, size]) => `const ${name} = ${size}u;`);
  return [...constants, withTile(name, lanes, store), blockShader, ...shaders].join("\n");
}

/** Keeps the shaders that it has put together, by what they were put together for. */
export function keepShaders<Lane extends string>(
  assemble: (block: Block, lanes: Readonly<Record<Lane, Lanes>>) => string,
): (block: Block, lanes: Readonly<Record<Lane, Lanes>>) => string {
  const kept = new Map<string, string>();
  return (block, lanes) => {
    const key = [block.rows, block.columns, ...Object.values(lanes)].join();
    let shader = kept.get(key);
    if (shader === undefined) kept.set(key, shader = assemble(block, lanes));
    return shader;
  };
}
