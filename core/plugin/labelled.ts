import type { Batch, Examples, HostTensor } from "./dataset.ts";

/** How many of some examples have a label. */
export function labelledOf({ length, labelled }: Pick<Examples, "length" | "labelled">): number {
  return labelled ? labelled.reduce((count, one) => count + one, 0) : length;
}

/** Which of some answers are there, as `labelled` of a list of examples; `undefined` if all are. */
export function labelledAmong(answers: readonly unknown[]): Uint8Array | undefined {
  return answers.includes(null) ? Uint8Array.from(answers, (answer) => answer === null ? 0 : 1) : undefined;
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
