import { classNumber as numberAsName } from "../../../core/recipe/bounds.ts";
import { UserError } from "../../../core/errors.ts";
import { showJson } from "../../../core/json.ts";
import { flagsOf } from "../../../core/plugin/labelled.ts";
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

/** That nothing says the classes of a table whose examples have no labels. */
export function classesUnsaid(file: string): UserError {
  return new UserError(
    `Cannot tell the classes by "${file}" as none of its examples has a label: name them in classes, in the order of ` +
      "the teacher's logits",
  );
}

/** The number of a class. @throws UserError with the line if there is no such class */
export function classNumber(label: string, classes: readonly string[], { file, line }: LabelPlace): number {
  const number = classes.indexOf(label);
  if (number >= 0) return number;
  throw new UserError(
    `Unknown label ${showJson(label)} on line ${line} of "${file}": the classes are ${listSome(classes, "and")}`,
  );
}

/** A 1 for each class of these names, else a 0. @throws UserError with the line if there is no such class */
export function classFlags(names: readonly string[], classes: readonly string[], place: LabelPlace): Uint8Array {
  return flagsOf(names.map((name) => classNumber(name, classes, place)), classes.length);
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

/** Options of tables in which an example may be of several classes. */
export interface SeveralOptions {
  readonly separator: string | null;
  readonly none: string | null;
  readonly flags: boolean;
}

/** The schemas of these options. */
export function severalOptions({ z }: Pick<OptionKit, "z">) {
  return {
    separator: z.string().min(1).nullable().default(null).describe(
      "Of several labels what stands between their names in a cell, as in separator: ','; null: cells are lists of JSON",
    ),
    none: z.string().min(1).nullable().default(null).describe(
      "Of several labels what stands in the cell of an example of no class; null: only an empty list of JSON says so, and " +
        "an empty cell that the example has no label",
    ),
    flags: z.boolean().default(false).describe(
      "Whether lists of JSON have a 0 or a 1 for each of classes, in their order, instead of names",
    ),
  };
}

/** What is wrong with these options beside each other; `null` if nothing is. */
export function severalMistake(
  { task, separator, none, flags, classes }: SeveralOptions & {
    readonly task: string;
    readonly classes: readonly ClassName[] | null;
  },
): string | null {
  const set = flags ? "flags" : separator !== null ? "separator" : none !== null ? "none" : null;
  if (set && task !== "multi-label") return `Cannot use ${set} for ${task}: it is for task: multi-label`;
  if (!flags) return null;
  if (classes === null) return "Cannot read flags without names: expected classes in the order of the flags";
  return separator !== null || none !== null
    ? "Cannot use separator or none beside flags: labels are lists of JSON"
    : null;
}

/**
 * Refuses several labels that are the same of all examples: nothing is learned from them, and lists of a 0 or a 1 for
 * each of two classes look so when they are taken for names.
 *
 * @param answers of the training examples; `null` for none
 */
export function expectDifferentSets(answers: readonly (string | readonly string[] | null)[], file: string): void {
  const sets = answers.filter((answer) => typeof answer === "object" && answer !== null);
  const written = new Set(sets.map((names) => JSON.stringify(names.toSorted())));
  if (sets.length < 2 || written.size !== 1) return;
  const shared = sets[0].length === 0 ? "no class" : `the same classes, ${listSome(sets[0].toSorted(), "and")}`;
  throw new UserError(
    `Cannot learn from "${file}" as all its examples are of ${shared}: expected others, or flags: true if each label has ` +
      "a 0 or a 1 for each class",
  );
}
