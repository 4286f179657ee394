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

/** What may be a comment before a sentence, or the word `#`. */
const HASH = /^#(?:\s|(?:begin|end) document\b)/;
/** CoNLL-U's `# sent_id = 3`, whose words may be as many as the columns. */
const ENTRY = /^# *\S+ += /;
/** A tag of a span, which may stand nowhere else in the file. */
const SPAN = /^[BILUESMW]-\S+$/;

const cellsOf = (line: string) => line.split(/[\t ]+/).filter((cell) => cell !== "");

/**
 * What tells comments of a CoNLL file from sentences that begin with the word `#`: only these have as many columns as
 * the file's other words, and a tag.
 *
 * @param tag its column
 */
export function commentTest(lines: readonly string[], { tag }: Pick<ConllColumns, "tag">): (line: string) => boolean {
  const counts = new Set<number>();
  const tags = new Set<string>();
  let isInside = false;
  for (const line of lines) {
    const cells = cellsOf(line);
    const own = cells.at(tag);
    // Within a sentence all lines are words.
    isInside = cells.length > 0 && cells[0] !== "-DOCSTART-" && (isInside || !HASH.test(line));
    if (!isInside || cells.length < 2 || own === undefined) continue;
    counts.add(cells.length);
    tags.add(own);
  }
  return (line) => {
    if (!HASH.test(line)) return false;
    const cells = cellsOf(line);
    const own = cells.at(tag);
    const isWord = own !== undefined && counts.has(cells.length) && (tags.has(own) || SPAN.test(own));
    return ENTRY.test(line) || !isWord;
  };
}

/**
 * Sentences of a CoNLL file: a word to a line with its columns between spaces or tabs, and a blank line after each
 * sentence. Lines of `-DOCSTART-` and comments before a sentence, by {@link commentTest}, are left out.
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
  const lines = text.split(/\r\n|\n|\r/);
  const isComment = commentTest(lines, columns);
  lines.forEach((content, index) => {
    const line = index + 1;
    const cells = cellsOf(content);
    if (cells.length === 0 || cells[0] === "-DOCSTART-") return end();
    if (words.length === 0 && isComment(content)) return;
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
