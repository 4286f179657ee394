import { UserError } from "../errors.ts";
import type { ImageInput, InputDescription, Task, TextInput } from "./dataset.ts";

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

/** Whether what is asked about an example is a class, or several. */
export function hasClasses(task: Task): boolean {
  return task !== "regression" && task !== "embedding";
}

/**
 * How many numbers a model gives for what it is asked: one for each class, one for a regression.
 *
 * @throws UserError where nothing is asked, and vectors are wanted
 */
export function outputsOf({ task, classes }: InputDescription): number {
  if (task === "embedding") throw noVectors();
  return task === "regression" ? 1 : classes.length;
}

/** The refusal of a model that answers something where vectors of sentences are wanted. */
export function noVectors(): UserError {
  return new UserError(
    "Cannot make vectors of sentences with it, as it answers by classes or a number: expected a model of bert's family",
  );
}
