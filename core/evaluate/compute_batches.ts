import { TensorTooLarge } from "../errors.ts";
import type { Examples } from "../plugin/dataset.ts";

/** A batch that was computed, or a part of one. */
export interface ComputedBatch<Result> {
  /** The examples. */
  readonly indices: Uint32Array;
  /** What was computed of them. */
  readonly result: Result;
}

/**
 * Computes batch by batch, each fetched before; where a tensor would be too large for the backend, a batch is gone
 * through in parts of half the size, and so are those after it. For computations that treat each example by itself.
 *
 * @throws TensorTooLarge if one example is too much
 */
export async function* computeBatches<Result>(
  examples: Examples,
  batches: Iterable<Uint32Array>,
  compute: (indices: Uint32Array) => Result,
): AsyncGenerator<ComputedBatch<Result>> {
  let most = Infinity;
  for (const batch of batches) {
    await examples.fetch?.(batch);
    for (let begin = 0; begin < batch.length;) {
      const indices = batch.slice(begin, begin + most);
      let result: Result;
      try {
        result = compute(indices);
      } catch (error) {
        if (!(error instanceof TensorTooLarge) || indices.length === 1) throw error;
        most = Math.ceil(indices.length / 2);
        continue;
      }
      yield { indices, result };
      begin += indices.length;
    }
  }
}
