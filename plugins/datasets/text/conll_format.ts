import { badExample, BadExamples } from "./bad_examples.ts";

/** A sentence with a tag for each word, and the line on which it begins, from 1. */
export interface TaggedSentence {
  readonly line: number;
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

/** Which columns count, from 0; negative ones from the end. */
export interface ConllColumns {
  readonly word: number;
  readonly tag: number;
}

/**
 * Sentences of a CoNLL file: a word to a line with its columns between spaces or tabs, and a blank line after each
 * sentence. Lines of `-DOCSTART-` and comments (`# ...` before a sentence) are left out.
 *
 * @param bad takes sentences with a line that lacks a column
 * @throws UserError with the line, if such sentences are refused
 */
export function parseConll(
  text: string,
  file: string,
  columns: ConllColumns,
  bad = new BadExamples("refuse"),
): TaggedSentence[] {
  const sentences: TaggedSentence[] = [];
  let words: string[] = [];
  let tags: string[] = [];
  let first = 0;
  let isBad = false;
  const end = () => {
    if (words.length > 0 && !isBad) sentences.push({ line: first, words, tags });
    [words, tags, isBad] = [[], [], false];
  };
  text.split(/\r\n|\n|\r/).forEach((content, index) => {
    const line = index + 1;
    const cells = content.split(/[\t ]+/).filter((cell) => cell !== "");
    if (cells.length === 0 || cells[0] === "-DOCSTART-") return end();
    if (words.length === 0 && /^#\s/.test(content)) return;
    if (isBad) return;
    if (words.length === 0) first = line;
    const read = bad.keep(() => {
      const [word, tag] = [cells.at(columns.word), cells.at(columns.tag)];
      if (word !== undefined && tag !== undefined && cells.length >= 2) return { word, tag };
      const count = cells.length === 1 ? "1 column" : `${cells.length} columns`;
      return badExample(
        { file, place: `line ${line}` },
        `it has ${count}, and the word is column ${columns.word}, the tag column ${columns.tag}`,
      );
    });
    isBad = read.length === 0;
    words.push(...read.map(({ word }) => word));
    tags.push(...read.map(({ tag }) => tag));
  });
  end();
  return sentences;
}

/** The kind of a tag that goes on with a span, by prefix or suffix. */
const INSIDE = /^I-(?<prefixed>.+)$|^(?![BI]-)(?<suffixed>.+)-I$/s;
/** The kind of any tag of a span. */
const WITHIN = /^[BI]-(?<prefixed>.+)$|^(?![BI]-)(?<suffixed>.+)-[BI]$/s;

/** IOB1, where only a span that follows one of its kind begins with B, as IOB2, where every span does. */
export function toIob2(tags: readonly string[]): string[] {
  const kindOf = (tag: string) => {
    const { prefixed, suffixed } = WITHIN.exec(tag)?.groups ?? {};
    return prefixed ?? suffixed ?? null;
  };
  return tags.map((tag, index) => {
    const { prefixed, suffixed } = INSIDE.exec(tag)?.groups ?? {};
    const kind = prefixed ?? suffixed;
    if (kind === undefined || kindOf(tags[index - 1] ?? "O") === kind) return tag;
    return prefixed === undefined ? `${kind}-B` : `B-${kind}`;
  });
}
