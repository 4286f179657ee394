import type { Backend, Floats } from "../../../core/backend/backend.ts";
import type { AnyKernel } from "../../../core/backend/kernel.ts";
import { Device } from "../../../core/device.ts";
import { arrangeColumnsKernel, columnSignsKernel } from "../../../core/kernels/columns.ts";
import { householderPanelKernel, projectKernel, subtractCombinationKernel } from "../../../core/kernels/householder.ts";
import { jacobiRotateKernel, jacobiRotationsKernel } from "../../../core/kernels/jacobi.ts";
import { backends, float64 } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

/** A kernel with what to run it on: shapes of random inputs, or the numbers themselves. */
interface KernelCase {
  readonly kernel: AnyKernel;
  readonly tensors: Readonly<Record<string, readonly number[] | Float64Array>>;
  readonly parameters: Readonly<Record<string, number>>;
  readonly tolerance?: number;
}

/** Random columns that shrink, so that no two are alike and every rotation is well determined. */
function graded(rows: number, columns: number): Float64Array {
  return pseudoRandom(5, rows * columns).map((x, k) => x * (1 - 0.9 * (k % columns) / columns));
}

/** A panel with a zero column, and one that needs no reflection. */
function degenerate(rows: number, columns: number): Float64Array {
  return pseudoRandom(6, rows * columns).map((x, k) => {
    const [row, column] = [Math.floor(k / columns), k % columns];
    return column === 3 || (column === 0 && row > 0) ? 0 : x;
  });
}

const panels = (count: number, rows: number) => [count, rows, 16];
const product = { rows: 37, columns: 21, panel: 1, fromRow: 5, fromColumn: 3 };
const pairs = (rows: number, columns: number, slot: number) => ({ rows, columns, slot, tolerance: 1e-6 });

const cases: Readonly<Record<string, KernelCase>> = {
  "first panel": {
    kernel: householderPanelKernel,
    tensors: { matrix: [150, 32], vectors: panels(2, 150), products: panels(2, 150) },
    parameters: { rows: 150, columns: 32, panel: 0 },
  },
  "last panel, cut off by the last row": {
    kernel: householderPanelKernel,
    tensors: { matrix: [25, 32], vectors: panels(2, 25), products: panels(2, 25) },
    parameters: { rows: 25, columns: 32, panel: 1 },
  },
  "panel with a zero column and a finished one": {
    kernel: householderPanelKernel,
    tensors: { matrix: degenerate(40, 16), vectors: panels(1, 40), products: panels(1, 40) },
    parameters: { rows: 40, columns: 16, panel: 0 },
  },
  "projection on a panel": {
    kernel: projectKernel,
    tensors: { panels: panels(2, 37), input: [37, 21], weights: [16, 21] },
    parameters: product,
  },
  "combination of a panel": {
    kernel: subtractCombinationKernel,
    tensors: { panels: panels(2, 37), combination: [16, 21], output: [37, 21] },
    parameters: product,
  },
  "rotations": {
    kernel: jacobiRotationsKernel,
    tensors: { input: graded(50, 96), rotation: [3, 32, 32], cosines: [8] },
    parameters: pairs(50, 96, 4),
    tolerance: 1e-3,
  },
  "rotated columns move to the next round": {
    kernel: jacobiRotateKernel,
    tensors: { input: [45, 96], rotation: [3, 32, 32], cosines: Float64Array.of(9, 1, 0, 1), output: [45, 96] },
    parameters: pairs(45, 96, 1),
  },
  "two blocks stay": {
    kernel: jacobiRotateKernel,
    tensors: { input: [3, 32], rotation: [1, 32, 32], cosines: [1], output: [3, 32] },
    parameters: pairs(3, 32, 0),
  },
  "signs, the first of equals": {
    kernel: columnSignsKernel,
    tensors: { input: Float64Array.of(1, -1, 0, -3, 1, 1, 0, 2), values: [4] },
    parameters: { rows: 2, columns: 4, kept: 4 },
  },
  "chosen columns": {
    kernel: arrangeColumnsKernel,
    tensors: { input: [13, 9], order: Float64Array.of(8, 0, 3), factors: Float64Array.of(1, -2, 0), output: [13, 3] },
    parameters: { rows: 13, columns: 9, kept: 3 },
  },
};

async function run(backend: Backend, { kernel, tensors, parameters }: KernelCase): Promise<Record<string, Floats>> {
  const device = new Device(backend);
  const made = Object.entries(tensors).map(([name, content], index) => {
    if (content instanceof Float64Array) return [name, device.tensor(content)] as const;
    const size = content.reduce((product, extent) => product * extent, 1);
    return [name, device.tensor(pseudoRandom(7 + index, size), content)] as const;
  });
  device.run(kernel, Object.fromEntries(made), parameters);
  const written = made.filter(([name]) => name in kernel.writes);
  const read = await device.read(written.map(([, tensor]) => tensor));
  made.forEach(([, tensor]) => tensor.dispose());
  return Object.fromEntries(written.map(([name], index) => [name, read[index]]));
}

for (const [name, kernelCase] of Object.entries(cases)) {
  for (const { name: backendName, available, open } of backends) {
    Deno.test({
      name: `${kernelCase.kernel.name}, ${name}: as in float64 (${backendName})`,
      ignore: !available,
      fn: async () => {
        const [reference, backend] = [await float64.open(), await open()];
        try {
          const expected = await run(reference, kernelCase);
          const actual = await run(backend, kernelCase);
          for (const key in expected) assertClose(actual[key], expected[key], kernelCase.tolerance ?? 2e-5, key);
        } finally {
          await backend.close();
          await reference.close();
        }
      },
    });
  }
}
