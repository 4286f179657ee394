import { listWords } from "../recipe/words.ts";

/** Short forms of names that models and data sets have for the same class. */
const SHORT: Readonly<Record<string, string>> = { neg: "negative", pos: "positive", neu: "neutral" };

const NUMBERED = /^(?:label|class)[ _-]?(\d+)$/;
const PLACEHOLDER = /^label[ _-]?(\d+)$/i;

/**
 * A name as names are compared: without case, spaces, hyphens and underscores alike; `LABEL_3` and `class 3` are the
 * number 3.
 */
function spelling(name: string): string {
  const plain = name.normalize("NFKC").trim().toLowerCase();
  const number = NUMBERED.exec(plain)?.[1] ?? plain;
  if (/^[+-]?\d+(\.0+)?$/.test(number)) return String(Number(number));
  const words = plain.replaceAll(/[\s_-]+/g, " ");
  return Object.hasOwn(SHORT, words) ? SHORT[words] : words;
}

/** Both lists as they are compared: by spelling, unless that would make two names of one list equal. */
function comparable(own: readonly string[], given: readonly string[]): [own: string[], given: string[]] {
  const lists = [own, given].map((names) => names.map(spelling));
  const areDistinct = lists.every((names) => new Set(names).size === names.length);
  return areDistinct ? [lists[0], lists[1]] : [[...own], [...given]];
}

/** Whether two lists have the same classes in the same order, whatever their spelling. */
export function areSameClasses(own: readonly string[], given: readonly string[]): boolean {
  const [a, b] = comparable(own, given);
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

/**
 * The order in which a data set's classes are those of a model.
 *
 * @param own the model's classes
 * @param given the data set's
 * @returns for each class of the model the number of the data set's; `null` where they are not the same classes
 */
export function orderOfClasses(own: readonly string[], given: readonly string[]): number[] | null {
  const [names, theirs] = comparable(own, given);
  if (names.length !== theirs.length) return null;
  const order = names.map((name) => theirs.indexOf(name));
  return order.includes(-1) || new Set(order).size < order.length ? null : order;
}

/**
 * Whether a model's names say nothing: none, or Hugging Face's for want of others, `LABEL_0` and so on, unless the data
 * set has such names, too.
 */
export function sayNothing(own: readonly string[], given: readonly string[]): boolean {
  const areNumbers = own.every((name, index) => Number(PLACEHOLDER.exec(name.trim())?.[1] ?? -1) === index);
  return areNumbers && !given.every((name) => PLACEHOLDER.test(name.trim()));
}

/** Names of the one list that the other lacks, whatever their spelling. */
export function classesLacking(own: readonly string[], given: readonly string[]): string[] {
  const [names, theirs] = comparable(own, given);
  return own.filter((_, index) => !theirs.includes(names[index]));
}

/** Names in a sentence, the first of many. */
export function showClasses(names: readonly string[]): string {
  return names.length > 40 ? `${names.slice(0, 40).join(", ")} and others` : listWords(names, "and");
}
