import { UserError } from "../../../core/errors.ts";
import { listWords } from "../../../core/recipe/words.ts";

/** Where a label stands, for messages. */
export interface LabelPlace {
  readonly file: string;
  readonly line: number;
}

/** The number of a class. @throws UserError with the line if there is no such class */
export function classNumber(label: string, classes: readonly string[], { file, line }: LabelPlace): number {
  const number = classes.indexOf(label);
  if (number >= 0) return number;
  const known = classes.length > 12 ? `${classes.slice(0, 12).join(", ")} and others` : listWords(classes, "and");
  throw new UserError(`Unknown label "${label}" on line ${line} of "${file}": the classes are ${known}`);
}

/** A label as a number. @throws UserError with the line if it is none */
export function realNumber(label: string, { file, line }: LabelPlace): number {
  const number = Number(label);
  if (label.trim() !== "" && Number.isFinite(number)) return number;
  throw new UserError(`Cannot read the label "${label}" on line ${line} of "${file}": a number is needed`);
}
