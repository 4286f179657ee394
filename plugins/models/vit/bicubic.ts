/** Rows and columns of a grid. */
export type Grid = readonly [rows: number, columns: number];

/** Keys' parameter of the cubic (Keys 1981), as PyTorch has it. */
const A = -0.75;

/** The four points of a line that one new point is made of, and their shares, which sum to 1. */
interface Sources {
  readonly places: readonly number[];
  readonly shares: readonly number[];
}

/** Each of `to` points, spread over the same line as `from` points. Beyond the ends the last point repeats. */
function lineSources(from: number, to: number): Sources[] {
  return Array.from({ length: to }, (_, point) => {
    // Points are middles of equal parts of the line (`align_corners=False`).
    const place = (point + 0.5) * from / to - 0.5;
    const below = Math.floor(place);
    const t = place - below;
    const near = (x: number) => ((A + 2) * x - (A + 3)) * x * x + 1;
    const far = (x: number) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
    return {
      places: [-1, 0, 1, 2].map((offset) => Math.min(from - 1, Math.max(0, below + offset))),
      shares: [far(t + 1), near(t), near(1 - t), far(2 - t)],
    };
  });
}

/**
 * Bicubic interpolation of a grid of vectors, as `torch.nn.functional.interpolate(mode="bicubic", align_corners=False)`
 * does it, without antialiasing.
 *
 * @param values row-major `[rows, columns, width]` of the grid `from`
 * @returns row-major `[rows, columns, width]` of the grid `to`
 */
export function bicubic(values: Float32Array, from: Grid, to: Grid, width: number): Float32Array {
  const result = new Float32Array(to[0] * to[1] * width);
  const [rows, columns] = [0, 1].map((axis) => lineSources(from[axis], to[axis]));
  const sum = new Float64Array(width);
  rows.forEach((row, y) =>
    columns.forEach((column, x) => {
      sum.fill(0);
      row.places.forEach((sourceY, i) =>
        column.places.forEach((sourceX, j) => {
          const share = row.shares[i] * column.shares[j];
          const begin = (sourceY * from[1] + sourceX) * width;
          for (let k = 0; k < width; k++) sum[k] += share * values[begin + k];
        })
      );
      result.set(sum, (y * to[1] + x) * width);
    })
  );
  return result;
}
