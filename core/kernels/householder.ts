import panelShader from "../../shaders/householder_panel.wgsl" with { type: "text" };
import projectShader from "../../shaders/panel_project.wgsl" with { type: "text" };
import subtractShader from "../../shaders/panel_subtract.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";

/** Columns that one panel of a QR factorisation holds. */
export const PANEL = 16;

/** Squared length below which the rest of a column counts as zero, as in the shader. */
const TINY = 1e-30;

/**
 * Householder QR of columns `16 panel` to `16 panel + 15` of a row-major matrix with entries up to 1. Their part of R
 * stays in the matrix, zeros come below it, and the reflections `H_0 .. H_15 = I - V T V^T` go to the panel's place in
 * `vectors` (V) and `products` (V T), both `[panels, rows, 16]`. Rows above the panel's first are neither read nor
 * written.
 */
export const householderPanelKernel = defineKernel({
  name: "householder panel",
  reads: {},
  writes: { matrix: "vec4f", vectors: "vec4f", products: "vec4f" },
  parameters: { rows: "u32", columns: "u32", panel: "u32" },
  launch: () => ({ shader: panelShader, workgroups: [1, 1, 1] }),
  // Each column is reflected by those before it, and so are the columns of V T.
  operations: (p) => 4 * PANEL ** 2 * p.rows,
  cpu: ({ matrix, vectors, products }, { rows, columns, panel }) => {
    const top = panel * PANEL, height = rows - top;
    const at = (k: number) => (top + k) * columns + top;
    const reflections: { v: Float64Array; tau: number }[] = [];
    for (let c = 0; c < PANEL; c++) {
      const x = Float64Array.from({ length: height }, (_, k) => matrix[at(k) + c]);
      for (const { v, tau } of reflections) {
        const factor = tau * inner(v, x);
        v.forEach((value, k) => x[k] -= factor * value);
      }
      const { image, ...reflection } = reflectionOf(x, c);
      if (c < height) x.fill(0, c)[c] = image;
      x.forEach((value, k) => matrix[at(k) + c] = value);
      reflections.push(reflection);
    }
    // T's columns by their recurrence, T[i][c] = -tau_c sum_l T[i][l] (v_l . v_c), put straight into V T.
    const z: Float64Array[] = [];
    reflections.forEach(({ v, tau }, c) => {
      const sum = v.slice();
      for (let l = 0; l < c; l++) {
        const overlap = inner(reflections[l].v, v);
        z[l].forEach((value, k) => sum[k] -= overlap * value);
      }
      z.push(sum.map((value) => tau * value));
      for (let k = 0; k < height; k++) {
        const target = (panel * rows + top + k) * PANEL + c;
        vectors[target] = v[k];
        products[target] = z[c][k];
      }
    });
  },
});

/** The reflection that clears `x` below its entry `c`, and what it makes of that entry. */
function reflectionOf(x: Float64Array, c: number): { v: Float64Array; tau: number; image: number } {
  const v = new Float64Array(x.length);
  if (c >= x.length) return { v, tau: 0, image: 0 };
  v[c] = 1;
  const first = x[c], tail = x.subarray(c + 1);
  const square = inner(tail, tail);
  if (square <= TINY) return { v, tau: 0, image: first };
  const image = (first > 0 ? -1 : 1) * Math.sqrt(first * first + square);
  tail.forEach((value, k) => v[c + 1 + k] = value / (first - image));
  return { v, tau: (image - first) / image, image };
}

function inner(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}

/** Of a matrix A `[rows, columns]`: the panel, and the row and the column from which on it applies. */
const productParameters = { rows: "u32", columns: "u32", panel: "u32", fromRow: "u32", fromColumn: "u32" } as const;

/** `weights = P^T A`, `[16, columns]`, for one of the `panels` P `[panels, rows, 16]`. */
export const projectKernel = defineKernel({
  name: "project on a panel",
  reads: { panels: "vec4f", input: "f32" },
  writes: { weights: "f32" },
  parameters: productParameters,
  launch: (p) => ({
    shader: projectShader,
    workgroups: [Math.ceil((p.columns - p.fromColumn) / 64), PANEL / 8, 1],
  }),
  operations: (p) => 2 * PANEL * (p.rows - p.fromRow) * (p.columns - p.fromColumn),
  cpu: ({ panels, input, weights }, { rows, columns, panel, fromRow, fromColumn }) => {
    for (let i = 0; i < PANEL; i++) {
      for (let j = fromColumn; j < columns; j++) {
        let sum = 0;
        for (let k = fromRow; k < rows; k++) sum += panels[(panel * rows + k) * PANEL + i] * input[k * columns + j];
        weights[i * columns + j] = sum;
      }
    }
  },
});

/** `A -= P C` for one of the `panels` P `[panels, rows, 16]` and a combination C `[16, columns]`. */
export const subtractCombinationKernel = defineKernel({
  name: "subtract a combination of a panel",
  reads: { panels: "vec4f", combination: "f32" },
  writes: { output: "f32" },
  parameters: productParameters,
  launch: (p) => ({
    shader: subtractShader,
    workgroups: [Math.ceil((p.columns - p.fromColumn) / 64), Math.ceil((p.rows - p.fromRow) / 16), 1],
  }),
  operations: (p) => 2 * PANEL * (p.rows - p.fromRow) * (p.columns - p.fromColumn),
  cpu: ({ panels, combination, output }, { rows, columns, panel, fromRow, fromColumn }) => {
    for (let k = fromRow; k < rows; k++) {
      for (let j = fromColumn; j < columns; j++) {
        let sum = 0;
        for (let i = 0; i < PANEL; i++) sum += panels[(panel * rows + k) * PANEL + i] * combination[i * columns + j];
        output[k * columns + j] -= sum;
      }
    }
  },
});
