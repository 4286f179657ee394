import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Path } from "./paths.ts";
import { withoutEnvironment } from "./without_environment.ts";
import {
  aliasProblems,
  duplicateKeys,
  lastAlias,
  syntaxProblems,
  tagProblems,
  type YamlProblem,
} from "./yaml_problems.ts";

/** A YAML text as a plain value that still knows where each part of it was written. */
export interface YamlSource {
  /** Maps, lists, strings, numbers, booleans and null. */
  readonly value: unknown;
  /** What is wrong with the text; empty when `value` is to be trusted. */
  readonly problems: readonly YamlProblem[];
  /**
   * Where something was written.
   *
   * @param path keys and indices from the top
   * @param want `key` for the name of the map's entry, `value` for what it holds
   * @returns the offset in the text, or `undefined` if the text has nothing at this path
   */
  offsetOf(path: Path, want: "key" | "value"): number | undefined;
  /** Line and column, both from 1, as `12:5`. */
  lineAndColumn(offset: number): string;
}

/** More than any recipe needs, and few enough that aliases of aliases cannot fill the memory. */
const maxAliasCount = 100;

/** A thousand times what a recipe takes. */
const MOST_LETTERS = 2 ** 20;

/**
 * Reads one YAML 1.2 document. Nothing is thrown: mistakes are listed in `problems`.
 *
 * @param text the document; empty text gives null
 * @returns the plain value and the places of its parts
 */
export function readYaml(text: string): YamlSource {
  if (text.length > MOST_LETTERS) {
    const sentence = `Cannot read a YAML of ${text.length} characters: a recipe has at most ${MOST_LETTERS}`;
    return { value: null, problems: [{ offset: 0, sentence }], lineAndColumn: () => "1:1", offsetOf: () => undefined };
  }
  const lines = new LineCounter();
  // Keys that are given twice are looked for below.
  const options = { lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false };
  const document = withoutEnvironment(() => parseDocument(text, options));
  const lineAndColumn = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const looks = [syntaxProblems, tagProblems, aliasProblems, () => duplicateKeys(document, lineAndColumn)];
  let problems: YamlProblem[] = [];
  for (const look of looks) {
    if (problems.length === 0) problems = look(document);
  }
  let value: unknown = null;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount });
    } catch (error) {
      // The only thing left that toJS refuses: see maxAliasCount.
      if (!(error instanceof ReferenceError)) throw error;
      const sentence = `Cannot follow the aliases: they repeat more than ${maxAliasCount} values`;
      problems.push({ offset: lastAlias(document), sentence });
    }
  }
  return { value, problems, lineAndColumn, offsetOf: (path, want) => offsetOf(document, path, want) };
}

function offsetOf(document: Document.Parsed, path: Path, want: "key" | "value"): number | undefined {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : 0;
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (!pair) return undefined;
      node = pair.value;
      const place = want === "key" && depth === path.length - 1 || !isNode(node) ? pair.key : node;
      offset = (place as Node).range?.[0];
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (!isNode(node)) return undefined;
      offset = node.range?.[0];
    } else {
      return undefined;
    }
  }
  return offset;
}
