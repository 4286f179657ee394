import { bidiagonalise } from "./bidiagonal.ts";
import { diagonalise } from "./bidiagonal_qr.ts";
import { transpose } from "./matrix.ts";
import { applyReflections, factorisePanels, formReflections, type PanelReflections } from "./panel_reflections.ts";
import { exponentOf, multiplyByPowerOfTwo } from "./scaling.ts";
import type { LeftSvd } from "./svd.ts";
import { scale } from "./vector.ts";
import { type Block, openWorkspace, type Room, type Workspace } from "./workspace.ts";

/** Columns of a panel whose rows are rotated, and how many rotations are collected before they are. */
const PANEL_COLUMNS = 8, ROTATIONS = 2 ** 15;

/** The matrix in a workspace, and room for what it becomes; r is the smaller of m and n. */
interface Problem {
  readonly workspace: Workspace;
  readonly m: number;
  readonly n: number;
  readonly r: number;
  /** [m, n], or its transpose. */
  readonly matrix: number;
  /** [r, m]: the columns of U, in the end. */
  readonly vectors: Block;
  /** [r, r], then the same as panels of eight columns, then the remainder [r, n]. */
  readonly square: number;
}

/**
 * The decomposition of `leftSvd` for large matrices, nearly all of it in SIMD kernels and most in matrix products:
 * Householder QR, from which a square matrix remains; its reduction to a bidiagonal one; the implicit QR iteration,
 * whose rotations are applied to the vectors in long runs. The methods are LAPACK's (`geqrf`, `gebrd`, `bdsqr`), but no
 * right vectors are computed.
 *
 * It is backward stable: U is orthonormal to machine precision whatever the rank, and singular values are exact to the
 * rounding of the largest one.
 *
 * @param a row-major `[m, n]`; left as it is
 * @param room where it is computed: see `openWorkspace`
 * @throws RangeError if a number is not finite
 */
export function blockedSvd(a: Float64Array, m: number, n: number, room?: Room | null): LeftSvd {
  const exponent = exponentOf("decompose", a, n);
  using workspace = openWorkspace(room);
  const r = Math.min(m, n);
  const matrix = workspace.take(m * n), vectors = { start: workspace.take(r * m), stride: m };
  const square = workspace.take(r * Math.max(n, Math.ceil(r / PANEL_COLUMNS) * PANEL_COLUMNS));
  const problem: Problem = { workspace, m, n, r, matrix, vectors, square };

  const outer = reduceToSquare(problem, a, exponent);
  const core: Block = { start: square, stride: r };
  const { diagonal, upper, reflections } = bidiagonalise(workspace, core, r);
  workspace.numbers.fill(0, vectors.start, vectors.start + r * m); // also what Q leaves out, below R
  formReflections(workspace, reflections, vectors);
  rotate(problem, diagonal, upper);
  if (outer) applyReflections(workspace, outer, vectors, r);

  const numbers = workspace.numbers;
  numbers.set(a, matrix);
  multiplyByPowerOfTwo(numbers.subarray(matrix, matrix + m * n), -exponent);
  numbers.fill(0, square, square + r * n);
  const remainder: Block = { start: square, stride: n };
  workspace.multiply([r, n, m], 1, vectors, { start: matrix, stride: n }, remainder);
  return inOrder(problem, diagonal, exponent);
}

/**
 * Leaves the columns of a square matrix in `square` whose left singular vectors are those of A, up to a multiplication
 * by Q if reflections are returned: R of `A = Q R`, or of a wide matrix `A^T = Q R` the transpose of R.
 */
function reduceToSquare(problem: Problem, a: Float64Array, exponent: number): PanelReflections | null {
  const { workspace, m, n, r, matrix, square } = problem;
  const { numbers } = workspace;
  const place = m === n ? square : matrix, columns = numbers.subarray(place, place + m * n);
  if (m < n) columns.set(a);
  else transpose(a, m, n, columns);
  multiplyByPowerOfTwo(columns, -exponent);
  if (m === n) return null;
  numbers.fill(0, square, square + r * r);
  const [rowStep, columnStep] = m < n ? [r, 1] : [1, r];
  const length = Math.max(m, n);
  const reflections = factorisePanels(workspace, { start: matrix, stride: length }, r, length, {
    start: square,
    rowStep,
    columnStep,
  });
  return m < n ? null : reflections;
}

/** Brings the bidiagonal matrix to diagonal form, and the vectors along. */
function rotate({ workspace, r, vectors, square }: Problem, diagonal: Float64Array, upper: Float64Array): void {
  const panels = Math.ceil(r / PANEL_COLUMNS);
  const runs = workspace.take(2 * ROTATIONS);
  const { numbers } = workspace;
  const eachRow = (visit: (inPanel: number, inVectors: number, width: number) => void) => {
    for (let panel = 0; panel < panels; panel++) {
      const first = panel * PANEL_COLUMNS, width = Math.min(PANEL_COLUMNS, r - first);
      for (let i = 0; i < r; i++) {
        visit(square + (panel * r + i) * PANEL_COLUMNS, vectors.start + i * vectors.stride + first, width);
      }
    }
  };
  numbers.fill(0, square, square + panels * PANEL_COLUMNS * r);
  eachRow((to, from, width) => {
    for (let j = 0; j < width; j++) numbers[to + j] = numbers[from + j];
  });
  diagonalise(diagonal, upper, {
    buffer: numbers.subarray(runs, runs + 2 * ROTATIONS),
    flush: (count) => workspace.rotatePanels(r, panels, square, count, runs),
  });
  eachRow((from, to, width) => {
    for (let j = 0; j < width; j++) numbers[to + j] = numbers[from + j];
  });
}

/** Copies the results out: sorted, with the signs that are agreed, and at the size of A. */
function inOrder({ workspace, m, n, r, vectors, square }: Problem, diagonal: Float64Array, exponent: number): LeftSvd {
  const { numbers } = workspace;
  const sizes = diagonal.map(Math.abs);
  const order = Array.from(sizes.keys()).sort((i, j) => sizes[j] - sizes[i]);
  const columns = new Float64Array(r * m), remainder = new Float64Array(r * n);
  order.forEach((from, to) => {
    const vector = numbers.subarray(vectors.start + from * m, vectors.start + (from + 1) * m);
    let largest = 0;
    for (let i = 0; i < m; i++) if (Math.abs(vector[i]) > Math.abs(largest)) largest = vector[i];
    const row = numbers.subarray(square + from * n, square + (from + 1) * n);
    columns.set(vector, to * m);
    remainder.set(row, to * n);
    if (largest >= 0) return;
    scale(columns, to * m, m, -1);
    scale(remainder, to * n, n, -1);
  });
  const singularValues = Float64Array.from(order, (i) => sizes[i]);
  multiplyByPowerOfTwo(singularValues, exponent);
  multiplyByPowerOfTwo(remainder, exponent);
  return { u: transpose(columns, r, m), singularValues, remainder };
}
