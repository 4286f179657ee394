import { findDuplicateKey } from "./duplicate_key.ts";

/** Deeper than any file that is read here, and far below where functions that walk a value run out of stack. */
const MOST_LEVELS = 200;

/** The longest that a value is in a sentence. */
const MOST_LETTERS = 60;

/** How a JSON text is read. */
export interface JsonOptions {
  /** Whether a key that stands twice in one object is refused: `JSON.parse` keeps the last without a word. */
  readonly distinctKeys?: boolean;
}

/**
 * Reads JSON from a file: what is wrong with it is told in our words, with line and column, as the runtime's are of no
 * use to who did not write the program.
 *
 * @param source a text, or the bytes of UTF-8, of which a byte order mark is left out
 * @param refuse makes the error of a reason that follows "as": `it is no JSON: its line 3, column 5 is wrong`
 * @throws what `refuse` makes, if it is no JSON, no UTF-8, or nested too deeply
 */
export function parseJson(
  source: string | Uint8Array,
  refuse: (reason: string) => Error,
  { distinctKeys = false }: JsonOptions = {},
): unknown {
  let text: string;
  try {
    text = typeof source === "string"
      ? source.replace(/^\ufeff/, "")
      : new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    throw refuse("it is not UTF-8 text");
  }
  if (levelsOf(text) > MOST_LEVELS) throw refuse(`it is nested more than ${MOST_LEVELS} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(`it is no JSON: ${mistakeIn(text)}`);
  }
  const twice = distinctKeys ? findDuplicateKey(text) : undefined;
  if (twice !== undefined) throw refuse(`it has the key ${showJson(twice)} twice in one object`);
  return value;
}

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a sentence shows it: its JSON, cut; `nothing` where there is none. */
export function showJson(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS - 3)}...`;
}

/** The most lists and objects around a value, brackets in texts not counted. */
function levelsOf(text: string): number {
  let [levels, most] = [0, 0];
  for (let place = 0; place < text.length; place++) {
    const letter = text[place];
    if (letter === '"') place = endOfText(text, place).end - 1;
    else if (letter === "{" || letter === "[") most = Math.max(most, ++levels);
    else if (letter === "}" || letter === "]") levels--;
  }
  return most;
}

/**
 * Where a text in quotes ends. Written as a loop, as a regular expression runs out of stack on a long one.
 *
 * @param start the opening quote
 * @returns the offset behind the closing quote, or that of what cannot stand in a text
 */
function endOfText(text: string, start: number): { readonly end: number; readonly whole: boolean } {
  for (let place = start + 1; place < text.length; place++) {
    const letter = text[place];
    if (letter === '"') return { end: place + 1, whole: true };
    if (letter < " ") return { end: place, whole: false };
    if (letter !== "\\") continue;
    ESCAPE.lastIndex = place;
    const escape = ESCAPE.exec(text);
    if (escape === null) return { end: place, whole: false };
    place += escape[0].length - 1;
  }
  return { end: text.length, whole: false };
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
const SPACE = /[ \t\r\n]*/y;
/** All that stands in JSON but spaces and texts; a word or a letter that does not. */
const TOKEN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|[a-z]+|./suy;

/** Where a text that is no JSON goes wrong. */
function mistakeIn(text: string): string {
  const end = firstWrong(text);
  if (end >= text.length) return text.trim() === "" ? "it is empty" : "it ends too early";
  const before = text.slice(0, end).split(/\r\n|[\r\n]/);
  return `its line ${before.length}, column ${before.at(-1)!.length + 1} is wrong`;
}

/** The offset of the first token that cannot stand where it does. */
function firstWrong(text: string): number {
  const open: string[] = [];
  let place = 0;
  let wanted: "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end" = "value";
  while (true) {
    SPACE.lastIndex = place;
    const start = place + SPACE.exec(text)![0].length;
    const isText = text[start] === '"';
    if (isText) {
      const { end, whole } = endOfText(text, start);
      if (!whole) return end;
      place = end;
    } else {
      TOKEN.lastIndex = start;
      place = start + (TOKEN.exec(text)?.[0].length ?? 0);
    }
    if (place === start) return start; // the end of the file
    const token = isText ? "text" : text.slice(start, place);
    if (wanted.endsWith("end") && open.length > 0 && token === (open.at(-1) === "{" ? "}" : "]")) {
      open.pop();
      wanted = "comma or end";
    } else if (wanted === "comma or end") {
      if (token !== "," || open.length === 0) return start;
      wanted = open.at(-1) === "{" ? "key" : "value";
    } else if (wanted === "colon") {
      if (token !== ":") return start;
      wanted = "value";
    } else if (wanted === "key" || wanted === "key or end") {
      if (!isText) return start;
      wanted = "colon";
    } else if (token === "[" || token === "{") {
      open.push(token);
      wanted = token === "[" ? "value or end" : "key or end";
    } else {
      if (!isText && !/^(?:-?\d.*|true|false|null)$/.test(token)) return start;
      wanted = "comma or end";
    }
  }
}
