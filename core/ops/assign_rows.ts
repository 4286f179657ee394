import type { Device } from "../device.ts";
import { occurrencesKernel, scatterKernel } from "../kernels/embedding.ts";
import { showShape, type Tensor } from "../tensor.ts";

/** Overwrites rows of `target [rows, width]`: row `indices[i]` by `values[i]`; other rows stay as they are. */
export function assignRows(device: Device, target: Tensor, indices: Tensor, values: Tensor): void {
  const [rows, columns] = target.shape;
  const count = indices.size;
  if (target.shape.length !== 2 || showShape(values.shape) !== showShape([count, columns])) {
    throw new RangeError(
      `Cannot assign ${showShape(values.shape)} to ${count} rows of a tensor of ${showShape(target.shape)}`,
    );
  }
  device.scope(() => {
    const [first, next] = [0, 1].map(() => device.empty([count]));
    device.run(occurrencesKernel, { indices, first, next }, { count });
    const parameters = { count, columns, begin: 0, rows };
    device.run(scatterKernel, { indices, first, next, gradient: values, table: target }, parameters);
  });
}
