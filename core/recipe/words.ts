import { shorten, visible } from "../visible.ts";

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

/**
 * A value as an error message shows it: short, and so that `"1"` and `1` can be told apart.
 *
 * @param value anything that YAML can hold, or that a program hands over
 * @returns one line of at most about 60 characters
 */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : shorten(visible(inFlow(value)));
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) {
    const { name = "" } = Object.getPrototypeOf(value)?.constructor ?? Object;
    if (name !== "" && name !== "Object") return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
    return Object.keys(value).length === 0 ? "an empty map" : "a map";
  }
  return typeof value === "string" ? showText(value) : String(value);
}

/** A text or a key in a sentence: in quotes, on one line, short, and with nothing in it that is not seen. */
export function showText(text: string | number): string {
  return visible(JSON.stringify(shorten(String(text))));
}

/** JSON, but for the numbers that it has no words for. */
function inFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.slice(0, 60).map(inFlow).join(",")}]`;
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value);
  const entries = Object.entries(value).slice(0, 60);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${inFlow(inner)}`).join(",")}}`;
}
