import type { Dataset, Examples, Task } from "../plugin/dataset.ts";
import type { RunData } from "./load_data.ts";
import { mapBatches } from "./map_examples.ts";

/** Examples whose labels are numbered anew: class numbers, or of several labels the columns. */
function renumbered(examples: Examples, order: readonly number[], task: Task): Examples {
  const { labels } = examples;
  if (task === "multi-label") {
    return mapBatches(examples, ({ label: { data, shape }, ...inputs }) => {
      const from = (place: number) => place - place % order.length + order[place % order.length];
      return { ...inputs, label: { data: data.map((_, place) => data[from(place)]), shape } };
    });
  }
  const placeOf = placesIn(order);
  const mapped = mapBatches(examples, ({ label, ...inputs }) => {
    return { ...inputs, label: { ...label, data: label.data.map(placeOf) } };
  });
  return { ...mapped, labels: labels && Int32Array.from(labels, placeOf) };
}

/**
 * Data whose classes are numbered anew.
 *
 * @param order the present number of each class, in the new order
 */
export function reorderClasses(data: RunData, order: readonly number[]): RunData {
  const { dataset, train, validation, test } = data;
  const { task } = dataset.input;
  return {
    ...data,
    dataset: reorderedDataset(dataset, order),
    train: renumbered(train, order, task),
    validation: validation && renumbered(validation, order, task),
    test: renumbered(test, order, task),
  };
}

/** A run divides examples by their own numbers of classes: `retokenise` keeps those, to be divided alike. */
function reorderedDataset(dataset: Dataset, order: readonly number[]): Dataset {
  const { input, splits, ...rest } = dataset;
  const all = Object.entries(splits).map(([name, split]) => [name, renumbered(split, order, input.task)]);
  return {
    ...rest,
    input: { ...input, classes: order.map((number) => input.classes[number]), numbered: false },
    splits: Object.fromEntries(all) as Dataset["splits"],
  };
}

/** The new number of each label; what is not scored is labelled -1, and stays so. */
function placesIn(order: readonly number[]): (label: number) => number {
  const places = new Map(order.map((number, place) => [number, place]));
  return (label) => places.get(label) ?? label;
}
