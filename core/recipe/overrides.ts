import { UserError } from "../errors.ts";
import { isMap, parsePath, type Path, showPath, valueAtPath } from "./paths.ts";
import { shorten, visible } from "../visible.ts";
import { showValue } from "./words.ts";
import { readYaml } from "./yaml_source.ts";

/** One value set from outside of the recipe. */
export interface Override {
  /** Where it goes; maps on the way are made where there are none. */
  path: Path;
  /** The value as YAML gives it: a number, a text, a list, a map. */
  value: unknown;
  /** The user's words, which take the place of line and column in error messages: `--seed 3`. */
  label: string;
  /** Where a part of the value was written, by its path from there, for one that was written in a file: `file:7:5`. */
  origin?(inside: Path, at: "key" | "value"): string;
}

/**
 * Reads the text of a `--set` flag.
 *
 * @param text `a.b[0].c=value`; the value is YAML, so `4`, `null`, `[4, 1, 4]` and `{use: adamw}` are what they look
 * like
 * @returns what to set where
 * @throws UserError if the path or the value cannot be read
 */
export function parseOverride(text: string): Override {
  const label = `--set ${onOneLine(text)}`;
  const equals = /^(?:"(?:[^"\\]|\\.)*"|[^="])*/.exec(text)![0].length;
  if (text[equals] !== "=") throw new UserError(`${label}: Cannot find the value: write it as a.b[0].c=value`);
  let path: Path;
  try {
    path = parsePath(text.slice(0, equals).trim());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${label}: ${error.message}`);
  }
  const { value, problems } = readYaml(text.slice(equals + 1));
  if (problems.length > 0) throw new UserError(`${label}: ${problems[0].sentence}`);
  return { path, value, label };
}

/**
 * Sets a value. Maps on the way that do not exist are made; a list can be extended by one entry at its end.
 *
 * @param whole what to change; it is changed in place
 * @param override what to set where
 * @throws UserError if the path leads through something that is neither a map nor a list, or past the end of a list
 */
export function applyOverride(whole: Record<string, unknown>, { path, value, label }: Override): void {
  for (const [depth, part] of path.entries()) {
    const parent = path.slice(0, depth);
    const at = valueAtPath(whole, parent);
    const fail = (reason: string) => new UserError(`${label}: Cannot set ${showPath(path)} as ${reason}`);
    if (Array.isArray(at)) {
      const entries = `${showPath(parent)} has ${at.length} ${at.length === 1 ? "entry" : "entries"}`;
      if (typeof part !== "number") {
        throw fail(`${showPath(parent)} is a list: name an entry as ${showPath([...parent, 0])}`);
      }
      if (part > at.length) throw fail(`${entries}: the last that can be set is ${showPath([...parent, at.length])}`);
    } else if (at === undefined) {
      throw fail(`${showPath(parent)} is not given: set the whole list`);
    } else if (!isMap(at)) {
      throw fail(`${showPath(parent)} is ${showValue(at)}, which holds nothing`);
    } else if (typeof part === "number") {
      throw fail(`${showPath(parent) || "the recipe"} is a map, not a list`);
    }
    if (depth === path.length - 1) define(at, part, value);
    else if (typeof path[depth + 1] !== "number" || valueAtPath(at, [part]) !== undefined) {
      define(at, part, copy(valueAtPath(at, [part])));
    }
  }
}

/** Of what an alias stands for, one place must not change with another. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return [...value];
  return isMap(value) ? { ...value } : value ?? {};
}

/** Assignment, but a key such as `__proto__` becomes a key like any other, for the schema to refuse. */
function define(target: object, key: string | number, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** What was set, as a message repeats it: on one line, and not without end. */
function onOneLine(text: string): string {
  return visible(shorten(text, 200));
}
