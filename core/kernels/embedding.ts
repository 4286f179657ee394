import gradientShader from "../../shaders/embedding_gradient.wgsl" with { type: "text" };
import occurrencesShader from "../../shaders/occurrences.wgsl" with { type: "text" };
import shader from "../../shaders/embedding.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/**
 * `output[i] = table[indices[i] - begin]`: rows of `columns` numbers. The table has `rows` of them, from `begin` on;
 * where an index is of another, the output stays as it is.
 */
export const embeddingKernel = defineKernel({
  name: "embedding",
  reads: { table: "f32", indices: "f32" },
  writes: { output: "f32" },
  parameters: { count: "u32", columns: "u32", begin: "u32", rows: "u32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.count * p.columns, adapter) }),
  cpu: ({ table, indices, output }, { count, columns, begin, rows }) => {
    for (let i = 0; i < count; i++) {
      const row = indices[i] - begin;
      if (row < 0 || row >= rows) continue;
      output.set(table.subarray(row * columns, (row + 1) * columns), i * columns);
    }
  },
});

/**
 * Links the places of equal numbers: `first` is 1 where one stands for the first time, `next` the place where it stands
 * again, or `count`.
 */
export const occurrencesKernel = defineKernel({
  name: "occurrences",
  reads: { indices: "f32" },
  writes: { first: "f32", next: "f32" },
  parameters: { count: "u32" },
  launch: (p, adapter) => ({ shader: occurrencesShader, workgroups: linear(p.count, adapter) }),
  operations: (p) => p.count ** 2,
  cpu: ({ indices, first, next }, { count }) => {
    const last = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const before = last.get(indices[i]);
      if (before !== undefined) next[before] = i;
      first[i] = before === undefined ? 1 : 0;
      next[i] = count;
      last.set(indices[i], i);
    }
  },
});

/**
 * Adds the rows of the gradient `[count, columns]` that belong to one row of the table, which has `rows` of them from
 * `begin` on, and holds zeros before.
 */
export const scatterKernel = defineKernel({
  name: "embedding gradient",
  reads: { indices: "f32", first: "f32", next: "f32", gradient: "f32" },
  writes: { table: "f32" },
  parameters: { count: "u32", columns: "u32", begin: "u32", rows: "u32" },
  launch: (p, adapter) => ({
    shader: gradientShader,
    workgroups: linear(p.count * p.columns, adapter),
  }),
  cpu: ({ indices, first, next, gradient, table }, { count, columns, begin, rows }) => {
    const sums = new Float64Array(columns);
    for (let i = 0; i < count; i++) {
      const row = indices[i] - begin;
      if (first[i] === 0 || row < 0 || row >= rows) continue;
      sums.fill(0);
      for (let at = i; at < count; at = next[at]) {
        for (let c = 0; c < columns; c++) sums[c] += gradient[at * columns + c];
      }
      table.set(sums, row * columns);
    }
  },
});
