import scalarShader from "../../shaders/tile_scalar.wgsl" with { type: "text" };
import tileShader from "../../shaders/tile.wgsl" with { type: "text" };
import vectorShader from "../../shaders/tile_vector.wgsl" with { type: "text" };

/** Rows, and columns, of the part of a product that one thread of a matrix kernel computes. */
export const TILE = 8;

/** A matrix kernel's shader in two variants. */
export interface TileShader {
  /** For right factors and results whose columns lie side by side, with rows of whole vectors of four. */
  readonly vectors: string;
  /** For all. */
  readonly scalars: string;
}

/** A shader with what it builds on. It names its right factor `b` and its result `c`, arrays of `Element`. */
export function withTiles(...shaders: readonly string[]): TileShader {
  return {
    vectors: [tileShader, vectorShader, ...shaders].join("\n"),
    scalars: [tileShader, scalarShader, ...shaders].join("\n"),
  };
}

/** Threads for a result of so many rows and columns. */
export function tileCount(rows: number, columns: number): number {
  return Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
}
