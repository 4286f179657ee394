import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch, Examples, HostTensor } from "./dataset.ts";

/** Numbers of a batch onto the device. */
export function upload(ops: Ops, batch: Batch<HostTensor>): Batch<Tensor> {
  return Object.fromEntries(Object.entries(batch).map(([name, { data, shape }]) => [name, ops.tensor(data, shape)]));
}

/** Uploads a batch of a data set. */
export function uploadBatch(ops: Ops, examples: Examples, indices: Uint32Array): Batch<Tensor> {
  return upload(ops, examples.batch(indices));
}
