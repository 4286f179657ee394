import type { Device } from "../device.ts";
import { embeddingKernel, occurrencesKernel, scatterKernel } from "../kernels/embedding.ts";
import { showShape, Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** A part of a table, and the number of its first row. */
interface Part {
  readonly table: Tensor;
  readonly begin: number;
}

/** A table's parts, from its first rows to its last. @throws RangeError if they are not rows of one table */
function partsOf(tables: Tensor | readonly Tensor[]): { readonly parts: readonly Part[]; readonly columns: number } {
  const all = tables instanceof Tensor ? [tables] : tables;
  const columns = all[0]?.shape[1];
  const strange = all.find(({ shape }) => shape.length !== 2 || shape[1] !== columns);
  if (strange || all.length === 0) {
    const found = strange ? `a tensor of shape ${showShape(strange.shape)}` : "no tensor";
    throw new RangeError(`Cannot look up rows in ${found}: expected [rows, ${all.length > 1 ? columns : "width"}]`);
  }
  let begin = 0;
  const parts = all.map((table) => {
    const part = { table, begin };
    begin += table.shape[0];
    return part;
  });
  return { parts, columns };
}

/**
 * Rows of a table by their numbers: `table [rows, width]` and `indices [...]`, whole numbers in [0, rows), give `[...,
 * width]`. A table that is too large to be one tensor is given as several, which have its rows one after another (see
 * `Weights.rows`). The gradient of a row is the sum over the places where its number stands, always in the same order;
 * the indices have none.
 */
export const embedding: Op<[table: Tensor | readonly Tensor[], indices: Tensor]> = defineOp({
  forward(device: Device, tables: Tensor | readonly Tensor[], indices: Tensor) {
    const { parts, columns } = partsOf(tables);
    const count = indices.size;
    const output = device.empty([...indices.shape, columns], device.activations);
    for (const { table, begin } of parts) {
      device.run(embeddingKernel, { table, indices, output }, { count, columns, begin, rows: table.shape[0] });
    }
    return { output, saved: null };
  },
  backward(device, { gradient, needs }, tables, indices) {
    const { parts, columns } = partsOf(tables);
    const count = indices.size;
    const [first, next] = [0, 1].map(() => device.empty([count]));
    device.run(occurrencesKernel, { indices, first, next }, { count });
    const gradients = parts.map(({ table: { shape }, begin }, index) => {
      if (!needs[index]) return null;
      const table = device.full(shape, 0);
      const parameters = { count, columns, begin, rows: shape[0] };
      device.run(scatterKernel, { indices, first, next, gradient, table }, parameters);
      return table;
    });
    return [...gradients, null];
  },
});
