import { reflect } from "./householder.ts";
import { PanelProducts } from "./panel_products.ts";
import { type Block, partOf, type Workspace } from "./workspace.ts";

/** Reflections that are applied together, as matrix products. */
export const PANEL = 32;

/**
 * Householder reflections `H_j = I - tau_j v_j v_j^T` in a workspace, for `Q = H_0 H_1 ..`. Row j of `vectors` is v_j
 * as a whole: zeros, a one at j, and the rest.
 */
export interface PanelReflections {
  /** [tau.length, length] */
  readonly vectors: Block;
  readonly tau: Float64Array;
  readonly length: number;
}

/** A square matrix as the places of its entries: (i, j) lies at `start + i rowStep + j columnStep`. */
export interface Entries {
  readonly start: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/**
 * Householder QR in place, in panels: `A = Q R`.
 *
 * @param columns [count, length]: the columns of A, entries up to about 1, `length >= count`; they become the vectors
 * @param triangle where R goes; nothing is written below its diagonal
 */
export function factorisePanels(
  workspace: Workspace,
  columns: Block,
  count: number,
  length: number,
  triangle: Entries,
): PanelReflections {
  const factors = workspace.take(PANEL);
  const products = new PanelProducts(workspace, PANEL, count);
  const { numbers } = workspace;
  const reflections = { vectors: columns, tau: new Float64Array(count), length };
  for (let first = 0; first < count; first += PANEL) {
    const end = Math.min(first + PANEL, count);
    for (let j = first; j < end; j++) {
      const row = partOf(columns, j, 0).start, diagonal = row + j;
      const tau = reflections.tau[j] = reflect(numbers, diagonal, length - j);
      for (let i = 0; i <= j; i++) {
        numbers[triangle.start + i * triangle.rowStep + j * triangle.columnStep] = numbers[row + i];
      }
      numbers.fill(0, row, diagonal);
      numbers[diagonal] = 1;
      // The other columns of the panel, one by one.
      const others = partOf(columns, j + 1, j);
      workspace.rowProducts(end - j - 1, length - j, others, diagonal, factors);
      for (let i = 0; i < end - j - 1; i++) {
        numbers[factors + i] *= tau;
        const to = others.start + i * others.stride;
        workspace.addRows(1, length - j, -1, { start: diagonal, stride: 0 }, factors + i, to);
      }
    }
    if (end < count) products.applyTranspose(panelOf(reflections, first), partOf(columns, end, first), count - end);
  }
  return reflections;
}

/** `X <- Q X` in place. @param x [width, length]: the columns of X */
export function applyReflections(workspace: Workspace, q: PanelReflections, x: Block, width: number): void {
  const products = new PanelProducts(workspace, PANEL, width);
  for (const first of panelsFromLast(q)) products.apply(panelOf(q, first), partOf(x, 0, first), width);
}

/** `X <- Q` for a square Q. @param x [length, length]: the columns of X, whatever they held */
export function formReflections(workspace: Workspace, q: PanelReflections, x: Block): void {
  const { length } = q;
  const products = new PanelProducts(workspace, PANEL, length);
  for (let i = 0; i < length; i++) {
    const row = partOf(x, i, 0).start;
    workspace.numbers.fill(0, row, row + length);
    workspace.numbers[row + i] = 1;
  }
  // The columns before a panel's first are still those of the identity, which it leaves as they are.
  for (const first of panelsFromLast(q)) {
    products.apply(panelOf(q, first), partOf(x, first, first), length - first);
  }
}

/** The panel that begins at reflection `first`, on the rows from there on. */
function panelOf({ vectors, tau, length }: PanelReflections, first: number): PanelReflections {
  return {
    vectors: partOf(vectors, first, first),
    tau: tau.subarray(first, first + PANEL),
    length: length - first,
  };
}

function* panelsFromLast({ tau }: PanelReflections): Generator<number> {
  for (let panel = Math.ceil(tau.length / PANEL) - 1; panel >= 0; panel--) yield panel * PANEL;
}
