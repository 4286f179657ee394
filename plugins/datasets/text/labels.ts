import { classNumber as numberAsName } from "../../../core/recipe/bounds.ts";
import { UserError } from "../../../core/errors.ts";
import { showJson } from "../../../core/json.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { listSome } from "../../../core/recipe/words.ts";

/** Where a label stands, for messages. */
export interface LabelPlace {
  readonly file: string;
  readonly line: number;
}

/** The name of a class as YAML reads it: `[0, 1]` are numbers, `[true, false]` truth values. */
export type ClassName = string | number | boolean;

/** The schema of a list of classes' names. */
export function classNames({ z }: Pick<OptionKit, "z">) {
  return z.array(z.union([z.string().min(1), numberAsName, z.boolean()]));
}

/**
 * Names of classes as labels have them: texts, without the spaces around them.
 *
 * @throws UserError if one is empty, or two are equal
 */
export function namedClasses(names: readonly ClassName[]): string[] {
  const classes = names.map((name) => String(name).trim());
  if (classes.includes("")) throw new UserError("Cannot use classes as a name in it is empty");
  const twice = classes.find((name, index) => classes.indexOf(name) < index);
  if (twice === undefined) return classes;
  throw new UserError(`Cannot use classes as it has "${twice}" twice: expected different names`);
}

/** Different labels in order: that of their numbers where all are numbers (2 before 10), else that of the alphabet. */
export function sortedClasses(labels: Iterable<string>): string[] {
  const classes = [...new Set(labels)].sort();
  const areNumbers = classes.every((label) => /^[+-]?\d+(\.\d+)?$/.test(label));
  return areNumbers ? classes.sort((a, b) => Number(a) - Number(b)) : classes;
}

/** The number of a class. @throws UserError with the line if there is no such class */
export function classNumber(label: string, classes: readonly string[], { file, line }: LabelPlace): number {
  const number = classes.indexOf(label);
  if (number >= 0) return number;
  throw new UserError(
    `Unknown label ${showJson(label)} on line ${line} of "${file}": the classes are ${listSome(classes, "and")}`,
  );
}

/** A number as people write it; JavaScript also reads `0x10`. */
const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** A label as a number. @throws UserError with the line if it is none */
export function realNumber(label: string, { file, line }: LabelPlace): number {
  const number = DECIMAL.test(label) ? Number(label) : NaN;
  // What is trained on is float32.
  if (Number.isFinite(Math.fround(number))) return number;
  throw new UserError(`Cannot read the label ${showJson(label)} on line ${line} of "${file}": a number is needed`);
}
