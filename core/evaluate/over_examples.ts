import type { Ops } from "../ops/ops.ts";
import type { Batch, Examples } from "../plugin/dataset.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { UserError } from "../errors.ts";
import type { Floats } from "../backend/backend.ts";
import { firstIndices } from "../data/loader.ts";
import { batchesOf } from "./batches.ts";
import { breathe } from "./breathe.ts";
import { computeBatches } from "./compute_batches.ts";
import { uploadBatch } from "../plugin/batch.ts";

/** Numbers of all examples, row-major. */
export interface ExampleNumbers {
  /** `[examples, ...]` */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The numbers computed of one batch, or of a part of one. */
export interface BatchNumbers {
  /** The indices of its examples. */
  readonly indices: Uint32Array;
  /** By name. */
  readonly numbers: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Floats }>;
}

/** Computes tensors of batches, or of parts of them that fit, unaugmented and one after another, and reads them. */
export async function* overBatches(
  ops: Ops,
  examples: Examples,
  batches: readonly Uint32Array[],
  compute: (batch: Batch<Tensor>) => ReadonlyMap<string, Tensor>,
): AsyncGenerator<BatchNumbers> {
  // Aliases, as an output may be one of the model's weights, which must not be freed with the others.
  const computed = computeBatches(examples, batches, (indices) =>
    ops.scope(() => {
      const outputs = compute(uploadBatch(ops, examples, indices));
      return new Map([...outputs].map(([name, tensor]) => [name, ops.device.alias(tensor, tensor.shape)]));
    }));
  for await (const { indices, result: tensors } of computed) {
    const numbers = await ops.read([...tensors.values()]);
    tensors.forEach((tensor) => tensor.dispose());
    yield {
      indices,
      numbers: new Map([...tensors].map(([name, { shape }], index) => [name, { shape, data: numbers[index] }])),
    };
    await breathe();
  }
}

/**
 * Computes tensors over examples in their order, batch by batch and unaugmented, and reads them.
 *
 * @param compute gives tensors `[batch, ...]` by name, the same of every batch
 * @throws UserError if the shape of one changes from batch to batch, as that of texts of unequal length does
 */
export async function overExamples(
  ops: Ops,
  examples: Examples,
  batchSize: number,
  compute: (batch: Batch<Tensor>) => ReadonlyMap<string, Tensor>,
): Promise<Map<string, ExampleNumbers>> {
  const all = new Map<string, ExampleNumbers>();
  const batches = batchesOf(firstIndices(examples.length), batchSize);
  for await (const { indices, numbers } of overBatches(ops, examples, batches, compute)) {
    for (const [name, { shape, data }] of numbers) {
      const own = [examples.length, ...shape.slice(1)];
      const whole = all.get(name) ?? { shape: own, data: new Float32Array(sizeOf(own)) };
      if (showShape(own) !== showShape(whole.shape)) {
        throw new UserError(
          `Cannot collect the teacher's ${name} over all examples as its shape changes from batch to batch: ` +
            `${showShape(whole.shape)} and ${showShape(own)}`,
        );
      }
      whole.data.set(data, indices[0] * sizeOf(shape.slice(1)));
      all.set(name, whole);
    }
  }
  return all;
}
