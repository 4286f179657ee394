import type { Ops } from "../ops/ops.ts";
import type { Batch, Examples } from "../plugin/dataset.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { UserError } from "../errors.ts";
import { breathe } from "./breathe.ts";
import { uploadBatch } from "./evaluate.ts";

/** Numbers of all examples, row-major. */
export interface ExampleNumbers {
  /** `[examples, ...]` */
  readonly shape: readonly number[];
  readonly data: Float32Array;
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
  for (let begin = 0; begin < examples.length; begin += batchSize) {
    const indices = Uint32Array.from({ length: Math.min(batchSize, examples.length - begin) }, (_, i) => begin + i);
    const tensors = ops.scope(() => new Map(compute(uploadBatch(ops, examples, indices))));
    const numbers = await ops.read([...tensors.values()]);
    [...tensors].forEach(([name, { shape }], index) => {
      const own = [examples.length, ...shape.slice(1)];
      const whole = all.get(name) ?? { shape: own, data: new Float32Array(sizeOf(own)) };
      if (showShape(own) !== showShape(whole.shape)) {
        throw new UserError(
          `Cannot collect the teacher's ${name} over all examples as its shape changes from batch to batch: ` +
            `${showShape(whole.shape)} and ${showShape(own)}`,
        );
      }
      whole.data.set(numbers[index], begin * sizeOf(shape.slice(1)));
      all.set(name, whole);
    });
    tensors.forEach((tensor) => tensor.dispose());
    await breathe();
  }
  return all;
}
