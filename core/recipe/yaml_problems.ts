import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, visit } from "yaml";
import { type Path, showPath } from "./paths.ts";
import { shorten } from "../visible.ts";
import { showText } from "./words.ts";

/** A mistake in the text of a YAML file; `offset` counts characters from the start of the file. */
export interface YamlProblem {
  offset: number;
  sentence: string;
}

/** What helps against the parser's complaints, by their code. */
const HELP: Readonly<Record<string, string>> = {
  BAD_SCALAR_START: "put such a text in quotes",
  BAD_DQ_ESCAPE: "write two backslashes, or put the text in single quotes",
  BLOCK_AS_IMPLICIT_KEY: 'a line has one "key: value", and a text with ": " in it stands in quotes',
  MULTILINE_IMPLICIT_KEY: 'a line is "key: value", with a space after the colon',
  UNEXPECTED_TOKEN: "a bracket, a quote or an indent before it may be wrong",
  BAD_ALIAS: "put a text that begins with * or & in quotes",
  BLOCK_IN_FLOW: "between braces and brackets, lists and maps stand in brackets and braces",
};

/** The same for complaints that share their code with others, by their beginning. */
const MORE_HELP: readonly [begins: string, help: string][] = [
  ["Implicit map keys need", 'a line is "key: value", with a space after the colon'],
  ["Missing directives-end", "put a text that begins with % in quotes"],
];

/**
 * What the parser found wrong.
 *
 * @param document what it made of the text
 * @returns the first mistake of syntax, if there is one
 */
export function syntaxProblems(document: Document.Parsed): YamlProblem[] {
  // One slip of syntax makes the parser stumble over what follows: only the first says something.
  return [...document.errors, ...document.warnings].slice(0, 1).map((error) => {
    const offset = error.pos[0];
    switch (error.code) {
      case "TAB_AS_INDENT":
        return { offset, sentence: "Cannot indent with a tab: YAML takes spaces only" };
      case "MULTIPLE_DOCS":
        return { offset, sentence: 'Cannot read a second document ("---"): a file holds one' };
      case "NON_STRING_KEY":
        return { offset, sentence: "Cannot take a list or a map as a key: a key is a word" };
      case "RESOURCE_EXHAUSTION":
        return { offset, sentence: "Cannot read the YAML as it is nested too deeply" };
      case "TAG_RESOLVE_FAILED":
      case "BAD_COLLECTION_TYPE":
        return {
          offset,
          sentence: `Cannot read the YAML: ${
            shorten(error.message.replace("tag:yaml.org,2002:", "!!"))
          }; ${PLAIN_VALUES}`,
        };
      default: {
        const help = HELP[error.code] ?? MORE_HELP.find(([words]) => error.message.startsWith(words))?.[1];
        return { offset, sentence: `Cannot read the YAML: ${error.message}${help ? `; ${help}` : ""}` };
      }
    }
  });
}

const PLAIN_VALUES = "values are texts, numbers, true, false, null, lists and maps, without a tag";

/** Tags that say what a value is anyway. */
const PLAIN_TAGS = ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`);

/**
 * Values that nothing but YAML knows: sets, dates, bytes.
 *
 * @param document a document without mistakes of syntax
 * @returns one mistake for each of them
 */
export function tagProblems(document: Document.Parsed): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Node(_, node) {
      if (isAlias(node) || node.tag === undefined || PLAIN_TAGS.includes(node.tag)) return;
      const tag = shorten(node.tag.replace("tag:yaml.org,2002:", "!!"));
      problems.push({
        offset: node.range?.[0] ?? 0,
        sentence: `Cannot take a value of the tag ${tag}: ${PLAIN_VALUES}`,
      });
    },
  });
  return problems;
}

/**
 * Keys that are given twice in one map. The parser would look for them too, but in the square of a map's size.
 *
 * @param document a document without mistakes of syntax
 * @param lineAndColumn names a place to the user
 * @returns one mistake for each key that was given before
 */
export function duplicateKeys(document: Document.Parsed, lineAndColumn: (offset: number) => string): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const firstOf = new Map<string, number>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const offset = (key as Node).range?.[0] ?? 0;
        const first = firstOf.get(name);
        if (first === undefined) {
          firstOf.set(name, offset);
          continue;
        }
        const parent = showPath(pathTo([...ancestors, map]));
        const sentence = `Duplicate key ${showText(name)}${parent && ` in ${parent}`}: ` +
          `it was first given at ${lineAndColumn(first)}`;
        problems.push({ offset, sentence });
      }
    },
  });
  return problems.sort((a, b) => a.offset - b.offset);
}

/** The path of the last of a node's ancestors, which the `yaml` package lists from the document down. */
function pathTo(ancestors: readonly (Document | Node | Pair)[]): Path {
  return ancestors.flatMap((node, i): (string | number)[] => {
    const child = ancestors[i + 1];
    if (child === undefined) return [];
    if (isMap(node)) return [String(((child as Pair).key as { value: unknown }).value)];
    return isSeq(node) ? [node.items.indexOf(child)] : [];
  });
}

/** More than any recipe needs, and few enough that following them takes no time. */
const MOST_ALIASES = 1000;

/**
 * Aliases that stand for nothing, or for something that they are part of; and too many of them.
 *
 * @param document a document without mistakes of syntax
 * @returns one mistake for each such alias
 */
export function aliasProblems(document: Document.Parsed): YamlProblem[] {
  const problems: YamlProblem[] = [];
  const anchored = new Map<string, Node>();
  let count = 0;
  visit(document, {
    Node(_, node, ancestors) {
      if (!isAlias(node)) {
        if (node.anchor) anchored.set(node.anchor, node);
        return;
      }
      const offset = node.range?.[0] ?? 0;
      const target = anchored.get(node.source);
      const alias = `"*${shorten(node.source)}"`;
      if (++count > MOST_ALIASES) {
        problems.push({ offset, sentence: `Cannot follow more than ${MOST_ALIASES} aliases: write the values out` });
        return visit.BREAK;
      }
      if (!target) {
        problems.push({ offset, sentence: `Unknown alias ${alias}: no anchor of this name before it` });
      } else if (ancestors.includes(target)) {
        problems.push({ offset, sentence: `Cannot follow the alias ${alias} as it stands inside its own anchor` });
      }
    },
  });
  return problems;
}

/** The last alias of a document: where values repeat too often. */
export function lastAlias(document: Document.Parsed): number {
  let offset = 0;
  visit(document, { Alias: (_, alias) => void (offset = alias.range?.[0] ?? 0) });
  return offset;
}
