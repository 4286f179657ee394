import type { Dataset, Examples } from "../plugin/dataset.ts";
import type { RunData } from "./load_data.ts";

/**
 * Data whose classes are numbered anew.
 *
 * @param order the present number of each class, in the new order
 */
export function reorderClasses(data: RunData, order: readonly number[]): RunData {
  const { dataset, train, validation, test } = data;
  const places = new Map(order.map((number, place) => [number, place]));
  // What is not scored is labelled -1.
  const placeOf = (label: number) => places.get(label) ?? label;
  const renumbered = (examples: Examples): Examples => ({
    length: examples.length,
    ...(examples.lengths && { lengths: examples.lengths }),
    labels: examples.labels && examples.labels.map(placeOf),
    batch(indices, augmentation) {
      const { label, ...inputs } = examples.batch(indices, augmentation);
      return { ...inputs, label: { ...label, data: label.data.map(placeOf) } };
    },
  });
  const splits = Object.fromEntries(Object.entries(dataset.splits).map(([name, split]) => [name, renumbered(split)]));
  return {
    ...data,
    dataset: {
      ...dataset,
      input: { ...dataset.input, classes: order.map((number) => dataset.input.classes[number]) },
      splits: splits as Dataset["splits"],
    },
    train: renumbered(train),
    validation: validation && renumbered(validation),
    test: renumbered(test),
  };
}
