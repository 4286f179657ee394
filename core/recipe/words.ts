import { showText } from "../visible.ts";

export { showText, showValue } from "../visible.ts";

/**
 * Words in a sentence: `a, b or c`.
 *
 * @param words what to list, at least one
 * @param last the word before the last one
 * @returns the list
 */
export function listWords(words: readonly string[], last: "and" | "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

/**
 * Names in a sentence, as {@link listWords}: those that are more than a word stand in quotes.
 *
 * @param names what to list, at least one
 * @param last the word before the last one
 * @returns the list
 */
export function listNames(names: readonly string[], last: "and" | "or"): string {
  return listWords(names.map((name) => /^[\w./+@-]+$/.test(name) ? name : showText(name)), last);
}

/** Names in a list for a message, the first few of many. */
export function someOf(names: readonly string[]): string {
  return names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
}

/**
 * Names in a sentence, as many as it holds: `a, b and c`, or `a, b, c and 70 others`.
 *
 * @param names what to list, long ones cut
 */
export function listSome(names: readonly string[], last: "and" | "or"): string {
  const most = 12;
  const shown = names.slice(0, most).map((name) => name.length <= 60 ? name : `${name.slice(0, 57)}...`);
  return names.length <= most ? listWords(shown, last) : `${shown.join(", ")} ${last} ${names.length - most} others`;
}
