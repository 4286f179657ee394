/**
 * A text as a part of one line of a message: what no eye sees, such as a line end or a byte order mark in mid text, is
 * escaped as in JSON.
 */
export function visible(text: string): string {
  const escape = (letter: string) => {
    const plain = JSON.stringify(letter).slice(1, -1);
    return plain === letter ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}` : plain;
  };
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/gu, escape);
}

/**
 * A text of any length as a part of a line.
 *
 * @param most the most letters of what is returned
 */
export function shorten(text: string, most = 60): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** A path in a message: on one line, and not without end. */
export function visiblePath(path: string): string {
  return visible(shorten(path, 300));
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
