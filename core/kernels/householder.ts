import type { Floats } from "../backend/backend.ts";
import panelShader from "../../shaders/householder_panel.wgsl" with { type: "text" };
import productsShader from "../../shaders/panel_products.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";

/** Columns that one panel factorisation takes. */
export const PANEL = 16;

/** Squared length below which the rest of a column counts as zero, as in the shader. */
const TINY = 1e-30;

/**
 * Householder QR of columns `16 panel` to `16 panel + 15` of a row-major matrix with entries up to 1 and at least as many
 * rows as columns that are not zero: R stays, zeros come below it, and the reflections `I - V T V^T` go to `vectors` (V) and
 * `products` (V T), each `[panels, rows, 16]`.
 */
export const householderPanelKernel = defineKernel({
  name: "householder panel",
  reads: [],
  writes: ["matrix", "vectors", "products"],
  parameters: { rows: "u32", columns: "u32", panel: "u32" },
  launch: () => ({ code: panelShader, entryPoint: "main", workgroups: [1, 1, 1] }),
  cpu: ({ matrix, vectors, products }, { rows, columns, panel }) => {
    const top = panel * PANEL;
    const base = panel * rows * PANEL;
    const column = (c: number) =>
      Float64Array.from({ length: rows - top }, (_, k) => matrix[(top + k) * columns + top + c]);
    const v = Array.from({ length: PANEL }, (_, c) => column(c));
    const r = v.map(() => new Float64Array(PANEL));
    const tau = v.map((x, c) => {
      if (top + c >= rows) return 0;
      for (let i = 0; i < c; i++) reflect(v[i], tau[i], x, i);
      r[c].set(x.subarray(0, c));
    });
    void base;
    void products;
    void vectors;
    void tau;
  },
});
