import type { Batch, Dataset, Examples, HostTensor } from "../plugin/dataset.ts";
import type { RunData } from "./load_data.ts";

/** The batch of some examples as another one. */
export type BatchMap = (batch: Batch<HostTensor>, indices: Uint32Array) => Batch<HostTensor>;

/** Examples whose batches are others. */
export function mapBatches(examples: Examples, map: BatchMap): Examples {
  return {
    ...examples,
    batch: (indices, augmentation) => map(examples.batch(indices, augmentation), indices),
  };
}

/** The examples of a run one by one: those of the run, and the splits as the data set has them. */
export type ExamplesOf = (data: RunData) => Examples;

/**
 * A run's data with other examples in each place.
 *
 * @param map is also given how to find the same place in another run's data
 */
export function mapExamples(data: RunData, map: (examples: Examples, same: ExamplesOf) => Examples): RunData {
  const { dataset, train, validation, test } = data;
  const splits = Object.entries(dataset.splits).map(([name, split]) => {
    return [name, map(split, (other) => other.dataset.splits[name])];
  });
  return {
    ...data,
    dataset: { ...dataset, splits: Object.fromEntries(splits) as Dataset["splits"] },
    train: map(train, (other) => other.train),
    validation: validation && map(validation, (other) => other.validation!),
    test: map(test, (other) => other.test),
  };
}
