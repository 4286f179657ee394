import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch, Examples, HostTensor } from "./dataset.ts";
import type { Model } from "./model.ts";

/** Numbers of a batch onto the device. */
export function upload(ops: Ops, batch: Batch<HostTensor>): Batch<Tensor> {
  return Object.fromEntries(Object.entries(batch).map(([name, { data, shape }]) => [name, ops.tensor(data, shape)]));
}

/** Uploads a batch of a data set. */
export function uploadBatch(ops: Ops, examples: Examples, indices: Uint32Array): Batch<Tensor> {
  return upload(ops, examples.batch(indices));
}

/**
 * A batch for a model: with what the model computes of it on the host, if it does so.
 *
 * @param wanted names of the outputs that will be looked at beside `logits`; without it all of them
 */
export function batchFor(
  model: Pick<Model, "hostOutputs">,
  batch: Batch<HostTensor>,
  wanted?: ReadonlySet<string>,
): Batch<HostTensor> {
  return model.hostOutputs ? { ...batch, ...model.hostOutputs(batch, wanted) } : batch;
}

/**
 * How many tokens a text of a batch has.
 *
 * @param mask `[batch, length]`
 */
export function tokensIn({ data, shape: [, length] }: HostTensor, row: number): number {
  return Math.max(1, data.subarray(row * length, (row + 1) * length).lastIndexOf(1) + 1);
}
