import type { InputDescription, TextInput } from "../../core/plugin/dataset.ts";

/** A data set of images of this size, not normalised, and of these classes. */
export function imageData(
  size: readonly [height: number, width: number, channels: number],
  classes: readonly string[],
): InputDescription {
  const normalise = { mean: Array(size[2]).fill(0), std: Array(size[2]).fill(1) };
  return { task: "classification", classes, image: { size, normalise }, text: null };
}

/** A data set of text. */
export function textData(
  classes: readonly string[],
  { vocabulary = 30, maxLength = 8, padding = 0 }: Partial<Omit<TextInput, "files">> = {},
  task: InputDescription["task"] = "classification",
): InputDescription {
  return { task, classes, image: null, text: { vocabulary, maxLength, padding, files: {} } };
}
