import type { PanelReflections } from "./panel_reflections.ts";
import type { Block, Workspace } from "./workspace.ts";

/**
 * Applies panels of reflections as matrix products: `H_0 H_1 .. = I - V^T T V` with the vectors as the rows of V and an
 * upper triangle T (Schreiber and Van Loan 1989, "A storage-efficient WY representation for products of Householder
 * transformations").
 */
export class PanelProducts {
  readonly #triangle: Block;
  readonly #weights: Block;
  readonly #combined: Block;

  /**
   * @param panel the most reflections of a panel
   * @param width the most columns that they are applied to
   */
  constructor(readonly workspace: Workspace, readonly panel: number, width: number) {
    const block = (rows: number) => ({ start: workspace.take(rows * panel), stride: panel });
    [this.#triangle, this.#weights, this.#combined] = [block(panel), block(width), block(width)];
  }

  /** `X -= V^T T V X`. @param x [width, length]: the columns of X */
  apply(panel: PanelReflections, x: Block, width: number): void {
    this.#apply(panel, x, width, true);
  }

  /** `X -= V^T T^T V X`, likewise. */
  applyTranspose(panel: PanelReflections, x: Block, width: number): void {
    this.#apply(panel, x, width, false);
  }

  /** The columns are rows here, and so the products are the other way round. */
  #apply(panel: PanelReflections, x: Block, width: number, transB: boolean): void {
    const { workspace } = this;
    const { vectors, tau, length } = panel;
    this.#formTriangle(panel);
    for (const { start, stride } of [this.#weights, this.#combined]) {
      workspace.numbers.fill(0, start, start + width * stride);
    }
    workspace.multiply([width, tau.length, length], 1, x, vectors, this.#weights, { transB: true });
    workspace.multiply([width, tau.length, tau.length], 1, this.#weights, this.#triangle, this.#combined, { transB });
    workspace.multiply([width, length, tau.length], -1, this.#combined, vectors, x);
  }

  #formTriangle({ vectors, tau, length }: PanelReflections): void {
    const { start, stride } = this.#triangle, { numbers } = this.workspace;
    const count = tau.length;
    numbers.fill(0, start, start + stride * stride);
    this.workspace.multiply([count, count, length], 1, vectors, vectors, this.#triangle, { transB: true });
    for (let j = 0; j < count; j++) {
      for (let i = 0; i < j; i++) {
        // Row i of T so far, times the products of v_j with the vectors before it, which column j still holds.
        let sum = 0;
        for (let k = i; k < j; k++) sum += numbers[start + i * stride + k] * numbers[start + k * stride + j];
        numbers[start + i * stride + j] = -tau[j] * sum;
        numbers[start + j * stride + i] = 0;
      }
      numbers[start + j * stride + j] = tau[j];
    }
  }
}
