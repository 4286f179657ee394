import { Document, type YAMLSeq } from "yaml";

/** What stands on one line of a recipe. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** A key of a recipe, its value, and why it is that. */
export interface Entry {
  readonly key: string;
  /** On the key's line. */
  readonly value?: Plain;
  /** Or keys below it. */
  readonly entries?: readonly Entry[];
  /** Or a list below it, each with its reason. */
  readonly items?: readonly { readonly value: Plain; readonly why?: string }[];
  readonly why?: string;
}

/** A key with its value on one line. */
export function line(key: string, value: Plain, why?: string): Entry {
  return { key, value, why };
}

/** What a recipe's entries say, without the comments. */
export function valueOf(entries: readonly Entry[]): Record<string, Plain> {
  return Object.fromEntries(entries.map(({ key, value, entries: below, items }) => [
    key,
    below ? valueOf(below) : items ? items.map(({ value }) => value) : value ?? null,
  ]));
}

const COLUMNS = 120;

/**
 * A recipe as YAML with comments, each behind its line where there is room and above it where there is none.
 *
 * @param head lines of the comment at the beginning
 */
export function writeEntries(head: readonly string[], entries: readonly Entry[]): string {
  const lines = head.flatMap((text) => comment(text, ""));
  return [...lines, ...entries.flatMap((entry) => linesOf(entry, ""))].join("\n") + "\n";
}

function linesOf({ key, value, entries, items, why }: Entry, indent: string): string[] {
  if (entries) return [...withComment(`${indent}${key}:`, why, indent), ...below(entries, `${indent}  `)];
  if (items && items.length > 0) {
    return [
      ...withComment(`${indent}${key}:`, why, indent),
      ...items.flatMap((item) => withComment(`${indent}  - ${flow(item.value)}`, item.why, `${indent}  `)),
    ];
  }
  return withComment(`${indent}${key}: ${flow(items ? [] : value ?? null)}`, why, indent);
}

function below(entries: readonly Entry[], indent: string): string[] {
  return entries.flatMap((entry) => linesOf(entry, indent));
}

function withComment(text: string, why: string | undefined, indent: string): string[] {
  if (why === undefined) return [text];
  const whole = `${text} # ${why}`;
  return whole.length <= COLUMNS ? [whole] : [...comment(why, indent), text];
}

/** A comment on as many lines as it takes. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let current = `${indent}#`;
  for (const word of text.split(" ")) {
    if (current.length + 1 + word.length > COLUMNS && current !== `${indent}#`) {
      lines.push(current);
      current = `${indent}#`;
    }
    current += ` ${word}`;
  }
  return [...lines, current];
}

/** A value on one line: `{ use: kd, weight: 0.9 }`, `[1, 2]`. */
function flow(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const parts = Object.entries(value).map(([key, part]) => `${flow(key)}: ${flow(part)}`);
    return parts.length > 0 ? `{ ${parts.join(", ")} }` : "{}";
  }
  // Within a list more has to be quoted than alone on a line.
  const list = new Document([value]);
  (list.contents as YAMLSeq).flow = true;
  return list.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd().slice(1, -1);
}
