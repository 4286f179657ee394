import {
  type Alias,
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { formatPath, type Path } from "./paths.ts";

/** A mistake in the text of a YAML file; `offset` counts characters from the start of the file. */
export interface YamlProblem {
  offset: number;
  sentence: string;
}

/**
 * What the parser found wrong.
 *
 * @param document what it made of the text
 * @param lineAndColumn names a place to the user
 * @returns the first mistake of syntax; or, when the syntax is right, all keys that are given twice
 */
export function syntaxProblems(document: Document.Parsed, lineAndColumn: (offset: number) => string): YamlProblem[] {
  const errors: YAMLError[] = [...document.errors, ...document.warnings];
  // One slip of syntax makes the parser stumble over what follows: only the first says something. Repeated keys are
  // independent of each other.
  const syntax = errors.find((error) => error.code !== "DUPLICATE_KEY");
  return (syntax ? [syntax] : errors).map((error) => {
    const offset = error.pos[0];
    switch (error.code) {
      case "DUPLICATE_KEY":
        return { offset, sentence: duplicateKey(document, offset, lineAndColumn) };
      case "TAB_AS_INDENT":
        return { offset, sentence: "Cannot indent with a tab: YAML takes spaces only" };
      case "MULTIPLE_DOCS":
        return { offset, sentence: 'Cannot read a second document ("---"): a file holds one' };
      case "NON_STRING_KEY":
        return { offset, sentence: "Cannot take a list or a map as a key: a key is a word" };
      case "RESOURCE_EXHAUSTION":
        return { offset, sentence: "Cannot read the YAML as it is nested too deeply" };
      default:
        return { offset, sentence: `Cannot read the YAML: ${error.message}` };
    }
  });
}

function duplicateKey(document: Document.Parsed, offset: number, lineAndColumn: (offset: number) => string): string {
  let sentence = "Duplicate key";
  visit(document, {
    Pair(_, pair, ancestors) {
      const key = pair.key as Node;
      if (!isScalar(key) || key.range?.[0] !== offset) return;
      const siblings = (ancestors.at(-1) as YAMLMap).items;
      const first = siblings.find((other) => isScalar(other.key) && other.key.value === key.value);
      const firstOffset = (first?.key as Node).range?.[0] ?? 0;
      const parent = formatPath(pathTo(ancestors));
      sentence = `Duplicate key "${key.value}"${parent && ` in ${parent}`}: ` +
        `it was first given at ${lineAndColumn(firstOffset)}`;
      return visit.BREAK;
    },
  });
  return sentence;
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

/**
 * All aliases of a document.
 *
 * @returns its aliases in the order of the text
 */
export function aliasesOf(document: Document.Parsed): Alias[] {
  const found: Alias[] = [];
  visit(document, { Alias: (_, alias) => void found.push(alias) });
  return found;
}

/**
 * Aliases that stand for nothing, or for something that they are part of.
 *
 * @param document a document without mistakes of syntax
 * @returns one mistake for each such alias
 */
export function aliasProblems(document: Document.Parsed): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Alias(_, alias, ancestors) {
      const target = alias.resolve(document);
      const offset = alias.range?.[0] ?? 0;
      if (!target) {
        problems.push({ offset, sentence: `Unknown alias "*${alias.source}": no anchor of this name before it` });
      } else if (ancestors.includes(target)) {
        problems.push({
          offset,
          sentence: `Cannot follow the alias "*${alias.source}" as it stands inside its own anchor`,
        });
      }
    },
  });
  return problems;
}
