import type { Batch, Examples, HostTensor } from "../../../core/plugin/dataset.ts";
import { flagTensors, labelledAmong, labelTensors } from "../../../core/plugin/labelled.ts";
import type { EncodedText } from "./tokenizer.ts";

/** Lengths of batches are multiples of this: fewer shapes, of which each costs some preparation. */
const LENGTH_STEP = 8;

/** An example: its tokens, and one label, one for each token, or a flag for each class. */
export interface LabelledText extends EncodedText {
  /**
   * A class number or a real number, `null` for none; for tagging one for each token, -1 where it is not scored; for
   * several labels a 1 for each class that it is of, else a 0.
   */
  readonly label: number | Int16Array | Uint8Array | null;
}

/**
 * Examples of text, padded to the longest of each batch: `tokens`, `types` and `mask`, each `[batch, length]`, and
 * `label [batch]`, or `[batch, length]` for tagging, `[batch, classes]` for several labels; `labelled [batch]` where
 * texts have no label.
 *
 * @param labels the class of each example, by which a split is stratified; `null` where examples have not one class
 * @param padding the number of the padding token
 * @param maxLength the most tokens of an example
 * @param flags how many flags a label has where examples have several; `null` where they have not
 */
export function textExamples(
  texts: readonly LabelledText[],
  labels: Examples["labels"],
  padding: number,
  maxLength: number,
  flags: number | null = null,
): Examples {
  const labelled = labelledAmong(texts.map(({ label }) => label));
  const several = flags === null ? [] : texts.map(({ label }) => label as Uint8Array | null);
  const own = texts.map(({ label }) => label ?? (labels ? -1 : 0));
  return {
    length: texts.length,
    labels,
    ...(labelled && { labelled }),
    lengths: Uint16Array.from(texts, ({ tokens }) => tokens.length),
    batch(indices) {
      const chosen = Array.from(indices, (index) => texts[index]);
      const longest = chosen.reduce((most, { tokens }) => Math.max(most, tokens.length), 1);
      const length = Math.min(maxLength, LENGTH_STEP * Math.ceil(longest / LENGTH_STEP));
      const inputs = padded(chosen, length, padding);
      if (chosen[0]?.label instanceof Int16Array) return { ...inputs, label: tagsOf(chosen, length) };
      if (flags !== null) return { ...inputs, ...flagTensors(several, labelled, indices, flags) };
      return { ...inputs, ...labelTensors(own as readonly number[], labelled, indices) };
    },
  };
}

function padded(texts: readonly LabelledText[], length: number, padding: number): Batch<HostTensor> {
  const shape = [texts.length, length];
  const size = texts.length * length;
  const [tokens, types, mask] = [new Float32Array(size).fill(padding), new Float32Array(size), new Float32Array(size)];
  texts.forEach((text, row) => {
    tokens.set(text.tokens, row * length);
    types.set(text.types, row * length);
    mask.fill(1, row * length, row * length + text.tokens.length);
  });
  return { tokens: { data: tokens, shape }, types: { data: types, shape }, mask: { data: mask, shape } };
}

function tagsOf(texts: readonly LabelledText[], length: number): HostTensor {
  const data = new Float32Array(texts.length * length).fill(-1);
  texts.forEach(({ label }, row) => data.set(label as Int16Array, row * length));
  return { data, shape: [texts.length, length] };
}
