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
 * A value as an error message shows it: short, and so that `"1"` and `1` can be told apart.
 *
 * @param value anything that YAML can hold
 * @returns one line of at most about 60 characters
 */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : shorten(JSON.stringify(value));
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "an empty map" : "a map";
  if (typeof value === "string") return shorten(JSON.stringify(value));
  return String(value);
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
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
