import type { Device } from "../device.ts";
import { embeddingKernel, occurrencesKernel, scatterKernel } from "../kernels/embedding.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/**
 * Rows of a table by their numbers: `table [rows, width]` and `indices [...]`, whole numbers in [0, rows), give `[...,
 * width]`. The gradient of a row is the sum over the places where its number stands, always in the same order; the
 * indices have none.
 */
export const embedding: Op<[table: Tensor, indices: Tensor]> = defineOp({
  forward(device: Device, table: Tensor, indices: Tensor) {
    if (table.shape.length !== 2) {
      throw new RangeError(
        `Cannot look up rows in a tensor of shape ${showShape(table.shape)}: expected [rows, width]`,
      );
    }
    const columns = table.shape[1];
    const output = device.empty([...indices.shape, columns], device.activations);
    device.run(embeddingKernel, { table, indices, output }, { count: indices.size, columns });
    return { output, saved: null };
  },
  backward(device, { gradient }, table, indices) {
    const count = indices.size;
    const [first, next] = [0, 1].map(() => device.empty([count]));
    device.run(occurrencesKernel, { indices, first, next }, { count });
    const rows = device.full(table.shape, 0);
    const columns = table.shape[1];
    device.run(scatterKernel, { indices, first, next, gradient, table: rows }, { count, columns });
    return [rows, null];
  },
});
