import scalarShader from "../../shaders/tile_scalar.wgsl" with { type: "text" };
import tileShader from "../../shaders/tile.wgsl" with { type: "text" };
import vectorShader from "../../shaders/tile_vector.wgsl" with { type: "text" };
import { fillHoles, type Lanes } from "./header.ts";

/** Rows, and columns, of the part of a product that one thread of a matrix kernel computes. */
export const TILE = 8;

/** The tensors of a matrix kernel, arrays of `Element`, that tiles read and write. */
export interface TileTensors {
  /** The product's right factor. */
  readonly right: string;
  /** The product. */
  readonly result: string;
}

/**
 * A matrix kernel's shader with what it builds on, for single numbers, and for vectors: that is for right factors and
 * results whose columns lie side by side, with rows of whole vectors of four.
 */
export function withTiles({ right, result }: TileTensors, ...shaders: readonly string[]): Record<Lanes, string> {
  const variant = (quads: string) =>
    [tileShader, fillHoles(quads, { RIGHT: right, RESULT: result }), ...shaders].join("\n");
  return { 1: variant(scalarShader), 4: variant(vectorShader) };
}

/** Threads for a result of so many rows and columns. */
export function tileCount(rows: number, columns: number): number {
  return Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
}
