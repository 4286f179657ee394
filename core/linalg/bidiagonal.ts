import { reflect } from "./householder.ts";
import { PANEL, type PanelReflections } from "./panel_reflections.ts";
import { type Block, partOf, type Workspace } from "./workspace.ts";

/** `A = Q B P^T` with B upper bidiagonal; P is not kept. */
export interface Bidiagonal {
  readonly diagonal: Float64Array;
  /** Above the diagonal. */
  readonly upper: Float64Array;
  /** Q. */
  readonly reflections: PanelReflections;
}

/**
 * Reduces a square matrix to bidiagonal form by reflections from both sides (Golub and Kahan 1965). Half of the work is
 * put off to the end of each panel, where it is one matrix product: until then the matrix is `A - X^T Y`, where the
 * rows of X are the v and x of each step in turn, and those of Y its y and u (Dongarra, Sorensen and Hammarling 1989,
 * "Block reduction of matrices to condensed forms").
 *
 * @param columns [size, size]: the columns of A, entries up to about 1; they become the vectors of Q
 */
export function bidiagonalise(workspace: Workspace, columns: Block, size: number): Bidiagonal {
  const x: Block = { start: workspace.take(2 * PANEL * size), stride: size };
  const y: Block = { start: workspace.take(2 * PANEL * size), stride: size };
  const weights = workspace.take(2 * PANEL);
  const { numbers } = workspace;
  const diagonal = new Float64Array(size), upper = new Float64Array(size - 1), tau = new Float64Array(size);

  /** Column `k` of a row-major matrix of `count` rows. */
  const gather = ({ start, stride }: Block, count: number, k: number, to: number) => {
    for (let i = 0; i < count; i++) numbers[to + i] = numbers[start + i * stride + k];
  };
  /**
   * Takes off `A^T v` or `A u` what is put off: `count` products of the vector with rows of one, times rows of the
   * other.
   */
  const takeOff = (count: number, by: Block, of: Block, vector: number, from: number, result: number, to: number) => {
    workspace.rowProducts(count, size - from, partOf(by, 0, from), vector, weights);
    workspace.addRows(count, size - to, -1, partOf(of, 0, to), weights, result);
  };
  const scale = (start: number, length: number, factor: number) => {
    for (let i = start; i < start + length; i++) numbers[i] *= factor;
  };

  for (let first = 0; first < size; first += PANEL) {
    const width = Math.min(PANEL, size - first);
    for (let step = 0; step < width; step++) {
      const k = first + step, rest = size - k - 1, before = 2 * step;
      const v = x.start + before * size + k, yRow = y.start + before * size + k + 1;
      // Column k, from the diagonal on, as it is by now.
      const column = columns.start + k * columns.stride + k;
      numbers.copyWithin(v, column, column + size - k);
      gather(y, before, k, weights);
      workspace.addRows(before, size - k, -1, partOf(x, 0, k), weights, v);
      tau[k] = reflect(numbers, v, size - k);
      diagonal[k] = numbers[v];
      numbers[v] = 1;
      if (rest === 0) break;

      workspace.rowProducts(rest, size - k, partOf(columns, k + 1, k), v, yRow);
      takeOff(before, x, y, v, k, yRow, k + 1);
      scale(yRow, rest, tau[k]);

      // Row k, right of the diagonal.
      const u = yRow + size, xRow = v + size + 1;
      gather(partOf(columns, k + 1, k), rest, 0, u);
      gather(x, before + 1, k, weights);
      workspace.addRows(before + 1, rest, -1, partOf(y, 0, k + 1), weights, u);
      const factor = reflect(numbers, u, rest);
      upper[k] = numbers[u];
      numbers[u] = 1;

      numbers.fill(0, xRow, xRow + rest);
      workspace.addRows(rest, rest, 1, partOf(columns, k + 1, k + 1), u, xRow);
      takeOff(before + 1, y, x, u, k + 1, xRow, k + 1);
      scale(xRow, rest, factor);
    }
    const end = first + width, rest = size - end;
    if (rest > 0) {
      const [left, right] = [partOf(y, 0, end), partOf(x, 0, end)];
      workspace.multiply([rest, rest, 2 * width], -1, left, right, partOf(columns, end, end), { transA: true });
    }
    for (let step = 0; step < width; step++) {
      const k = first + step, row = columns.start + k * columns.stride, v = x.start + 2 * step * size + k;
      numbers.fill(0, row, row + k);
      numbers.copyWithin(row + k, v, v + size - k);
    }
  }
  return { diagonal, upper, reflections: { vectors: columns, tau, length: size } };
}
