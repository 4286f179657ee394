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

/** Names in a list for a message, the first few of many. */
export function someOf(names: readonly string[]): string {
  return names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
}
