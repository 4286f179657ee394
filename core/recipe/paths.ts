import { shorten, visible } from "../visible.ts";

/** Where a value is in a recipe: keys of maps and indices of lists, from the top. */
export type Path = readonly (string | number)[];

const plainKey = /^[A-Za-z_$][\w$-]*$/;

/**
 * A path as a person writes it.
 *
 * @param path keys and indices
 * @returns for example `losses[1].layers["layer1.0.conv1.weight"]`; the empty string for the whole recipe
 */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!plainKey.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** A path in a sentence: as {@link formatPath} writes it, but short, however long its keys are. */
export function showPath(path: Path): string {
  return visible(formatPath(path.map((part) => typeof part === "number" ? part : shorten(part))));
}

/**
 * Reads back what {@link formatPath} writes.
 *
 * @param text for example `student.overParameterise[0].cores`; a key with a dot in it stands in `["..."]`
 * @returns keys and indices
 * @throws SyntaxError when the text is no path
 */
export function parsePath(text: string): Path {
  const part = /\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|(^|\.)([^.[\]"]+)/y;
  const path: (string | number)[] = [];
  while (part.lastIndex < text.length || path.length === 0) {
    const start = part.lastIndex;
    const found = part.exec(text);
    if (!found) {
      throw new SyntaxError(
        `Cannot read the path ${JSON.stringify(text)} at character ${start + 1}: write it as a.b[0].c`,
      );
    }
    const [, index, quoted, , key] = found;
    path.push(index !== undefined ? Number(index) : quoted !== undefined ? JSON.parse(quoted) : key.trim());
  }
  return path;
}

/**
 * Whether one path leads to a value or to something inside it.
 *
 * @param prefix the shorter path
 * @param path the longer path
 * @returns true when `path` starts with `prefix`, equal paths included
 */
export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((part, i) => String(part) === String(path[i]));
}

/** True for a plain map: neither a list nor null. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value that a path leads to.
 *
 * @param value the whole
 * @param path keys and indices
 * @returns the part at the path; `undefined` when there is none
 */
export function valueAtPath(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => typeof at === "object" && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined,
    value,
  );
}
