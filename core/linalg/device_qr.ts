import type { Device } from "../device.ts";
import { householderPanelKernel, PANEL, projectKernel, subtractCombinationKernel } from "../kernels/householder.ts";
import type { Tensor } from "../tensor.ts";

/** The reflections of a QR factorisation in panels of 16: `Q = (I - V_0 T_0 V_0^T) (I - V_1 T_1 V_1^T) ...` */
export interface PanelReflections {
  readonly panels: number;
  readonly rows: number;
  /** V: `[panels, rows, 16]`. */
  readonly vectors: Tensor;
  /** V T, likewise. */
  readonly products: Tensor;
}

/**
 * Householder QR on the device, in place: the matrix becomes R over zeros. Each panel is factorised by one workgroup,
 * and the columns to its right are updated by two products, which is where the work is.
 *
 * @param matrix `[rows, columns]`, entries up to about 1, `columns` a multiple of 16
 * @param count columns that may be other than zero; no more than there are rows
 */
export function factoriseOnDevice(device: Device, matrix: Tensor, count: number): PanelReflections {
  const [rows, columns] = matrix.shape;
  const panels = Math.ceil(count / PANEL);
  const vectors = device.empty([panels, rows, PANEL]), products = device.empty([panels, rows, PANEL]);
  for (let panel = 0; panel < panels; panel++) {
    device.run(householderPanelKernel, { matrix, vectors, products }, { rows, columns, panel });
    // Q^T A = A - V (V T)^T A
    reflect(device, panel, products, vectors, matrix, (panel + 1) * PANEL);
  }
  return { panels, rows, vectors, products };
}

/** `X <- Q X` in place, for a row-major X with as many rows as Q. */
export function applyQOnDevice(device: Device, { panels, vectors, products }: PanelReflections, x: Tensor): void {
  // Q A = A - (V T) V^T A
  for (let panel = panels - 1; panel >= 0; panel--) reflect(device, panel, vectors, products, x, 0);
}

/** `matrix -= added (projected^T matrix)` with one panel of each. */
function reflect(
  device: Device,
  panel: number,
  projected: Tensor,
  added: Tensor,
  matrix: Tensor,
  fromColumn: number,
): void {
  const [rows, columns] = matrix.shape;
  if (fromColumn >= columns) return;
  const size = { rows, columns, panel, fromRow: panel * PANEL, fromColumn };
  device.scope(() => {
    const weights = device.empty([PANEL, columns]);
    device.run(projectKernel, { panels: projected, input: matrix, weights }, size);
    device.run(subtractCombinationKernel, { panels: added, combination: weights, output: matrix }, size);
  });
}
