import scalarShader from "../../shaders/tile_scalar.wgsl" with { type: "text" };
import tileShader from "../../shaders/tile.wgsl" with { type: "text" };
import vectorShader from "../../shaders/tile_vector.wgsl" with { type: "text" };

/** Rows, and columns, of the part of a product that one thread of a matrix kernel computes. */
export const TILE = 8;

/**
 * A matrix kernel's shader with what it builds on. All of them name their right factor `b` and their result `c`, arrays
 * of `Element`.
 *
 * @param vectors whether the columns of `b` and `c` lie side by side and every row is whole vectors of four
 */
export function withTiles(shader: string, vectors: boolean): string {
  return [tileShader, vectors ? vectorShader : scalarShader, shader].join("\n");
}

/** Threads for a result of so many rows and columns. */
export function tileCount(rows: number, columns: number): number {
  return Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
}
