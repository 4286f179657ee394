import { UserError } from "../errors.ts";
import type { ImageInput, InputDescription, TextInput } from "./dataset.ts";

/** The images of a data set. @throws UserError if it has none */
export function imagesOf({ image }: InputDescription, model: string): ImageInput {
  if (!image) throw new UserError(`Cannot build the model "${model}" as it takes images: the data set has text`);
  return image;
}

/** The text of a data set. @throws UserError if it has none */
export function textOf({ text }: InputDescription, model: string): TextInput {
  if (!text) throw new UserError(`Cannot build the model "${model}" as it takes text: the data set has images`);
  return text;
}

/** How many numbers a model gives for what it is asked: one for each class, one for a regression. */
export function outputsOf({ task, classes }: InputDescription): number {
  return task === "regression" ? 1 : classes.length;
}
