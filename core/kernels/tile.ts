import scalarLoad from "../../shaders/load_scalar.wgsl" with { type: "text" };
import vectorLoad from "../../shaders/load_vector.wgsl" with { type: "text" };
import scalarStore from "../../shaders/store_scalar.wgsl" with { type: "text" };
import vectorStore from "../../shaders/store_vector.wgsl" with { type: "text" };
import tileShader from "../../shaders/tile.wgsl" with { type: "text" };
import { fillHoles, type Lanes } from "./header.ts";

/** Rows, and columns, of the part of a product that one thread of a matrix kernel computes. */
export const TILE = 8;

/** The tensors of a matrix kernel, arrays of `Element`, that tiles read and write. */
export interface TileTensors {
  /** The product's right factor. */
  readonly right: string;
  /** The product. */
  readonly result: string;
  /** How it is written; as it is by default. */
  readonly store?: Stores;
}

/** Shaders with `storeQuad`, which writes four columns to the array that RESULT stands for. */
export type Stores = Readonly<Record<Lanes, string>>;

const PLAIN: Stores = { 1: scalarStore, 4: vectorStore };

/**
 * A matrix kernel's shader with what it builds on, for single numbers, and for vectors: that is for right factors and
 * results whose columns lie side by side, with rows of whole vectors of four.
 */
export function withTiles(
  { right, result, store }: TileTensors,
  ...shaders: readonly string[]
): Record<Lanes, string> {
  const variant = (lanes: Lanes) =>
    [withTile(result, lanes, store), fillHoles(lanes === 4 ? vectorLoad : scalarLoad, { RIGHT: right }), ...shaders]
      .join(
        "\n",
      );
  return { 1: variant(1), 4: variant(4) };
}

/** A thread's tile and how it is written to a result of so many lanes. */
export function withTile(result: string, lanes: Lanes, store: Stores = PLAIN): string {
  return `${tileShader}\n${fillHoles(store[lanes], { RESULT: result })}`;
}

/** Threads for a result of so many rows and columns. */
export function tileCount(rows: number, columns: number): number {
  return Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
}
