import type { Batch, Examples, HostTensor } from "./dataset.ts";

/** How many of some examples have a label. */
export function labelledOf({ length, labelled }: Pick<Examples, "length" | "labelled">): number {
  return labelled ? labelled.reduce((count, one) => count + one, 0) : length;
}

/** Which of some answers are there, as `labelled` of a list of examples; `undefined` if all are. */
export function labelledAmong(answers: readonly unknown[]): Uint8Array | undefined {
  return answers.includes(null) ? Uint8Array.from(answers, (answer) => answer === null ? 0 : 1) : undefined;
}

/** For each of some classes a 1 if a label is of it, else a 0. */
export function flagsOf(classes: Iterable<number>, count: number): Uint8Array {
  const flags = new Uint8Array(count);
  for (const number of classes) flags[number] = 1;
  return flags;
}

/**
 * The entries of a batch of which each example may be of several classes: `label [batch, classes]` of 0 and 1, and
 * `labelled [batch]` where examples of the list lack a label.
 *
 * @param flags of each example of the list one for each class; `null` for one without a label
 */
export function flagTensors(
  flags: readonly (Uint8Array | null)[],
  labelled: Uint8Array | undefined,
  indices: Uint32Array,
  classes: number,
): Batch<HostTensor> {
  const data = new Float32Array(indices.length * classes);
  indices.forEach((index, row) => data.set(flags[index] ?? [], row * classes));
  const marks = labelled && Float32Array.from(indices, (index) => labelled[index]);
  return {
    label: { data, shape: [indices.length, classes] },
    ...(marks && { labelled: { data: marks, shape: [indices.length] } }),
  };
}

/**
 * The entries of a batch that say its labels: `label [batch]`, and `labelled [batch]` where examples of the list lack
 * one.
 *
 * @param labels of each example of the list; at one without a label what stands there in a batch
 */
export function labelTensors(
  labels: ArrayLike<number>,
  labelled: Uint8Array | undefined,
  indices: Uint32Array,
): Batch<HostTensor> {
  const of = (values: ArrayLike<number>): HostTensor => {
    return { data: Float32Array.from(indices, (index) => values[index]), shape: [indices.length] };
  };
  return { label: of(labels), ...(labelled && { labelled: of(labelled) }) };
}
