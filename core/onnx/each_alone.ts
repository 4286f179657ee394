import { tokensIn } from "../plugin/batch.ts";
import type { Batch, HostTensor } from "../plugin/dataset.ts";
import { sizeOf } from "../tensor.ts";
import type { OnnxModel } from "./run_model.ts";

/**
 * What a file gives for each example by itself, texts cut to their own tokens: for files that quantise by the range
 * over all that they get, so that an example's numbers would go with those beside it. Of tokens that are cut off the
 * logits are 0.
 */
export function eachAlone(onnx: OnnxModel, batch: Batch<HostTensor>): HostTensor {
  const [count, length] = batch[onnx.entries[0]].shape;
  // Who takes no mask was trained on whatever padding is.
  const masked = onnx.entries.includes("mask");
  const rows = Array.from({ length: count }, (_, row) => {
    const tokens = masked ? tokensIn(batch.mask, row) : null;
    const alone = onnx.entries.map((entry) => [entry, exampleOf(batch[entry], row, tokens)]);
    return onnx.run(Object.fromEntries(alone)).get(onnx.output)!;
  });
  const [, ...own] = rows[0].shape;
  const shape = own.length === 2 ? [length, own[1]] : own;
  const size = sizeOf(shape);
  const data = new Float32Array(count * size);
  rows.forEach((row, index) => data.set(row.data, index * size));
  return { data, shape: [count, ...shape] };
}

/** One row of a tensor, or the beginning of it. */
function exampleOf({ data, shape: [, ...own] }: HostTensor, row: number, tokens: number | null): HostTensor {
  const size = sizeOf(own);
  const shape = tokens === null ? own : [tokens];
  return { data: data.subarray(row * size, row * size + sizeOf(shape)), shape: [1, ...shape] };
}
