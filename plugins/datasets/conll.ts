import { bounded } from "../../core/recipe/bounds.ts";
import { nameOfFile, type RemoteFile } from "../../core/data/remote_file.ts";
import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { visiblePath } from "../../core/visible.ts";
import { equalNumbers, repeatedExamples, withWarnings } from "./split_warnings.ts";
import { BadExamples } from "./text/bad_examples.ts";
import { parseConll, type TaggedSentence, toIob2 } from "./text/conll_format.ts";
import { decodeText, type Encoding, ENCODINGS } from "./text/decode_text.ts";
import { type ClassName, classNames, classNumber, namedClasses, sortedClasses } from "./text/labels.ts";
import { sameFileMistake } from "./text/same_file.ts";
import type { LabelledText } from "./text/text_examples.ts";
import { textOptions, type TextSetOptions } from "./text/text_options.ts";
import { tokenisedDataset } from "./text/tokenised_dataset.ts";
import type { TextTokenizer } from "./text/tokenizer.ts";

interface ConllOptions extends TextSetOptions {
  train: string | RemoteFile;
  test: string | RemoteFile;
  more: Record<string, string | RemoteFile>;
  wordColumn: number;
  tagColumn: number;
  iob1: boolean;
  classes: ClassName[] | null;
  encoding: Encoding;
}

/**
 * Sentences with a tag for each word, in CoNLL's columns. A word's tag is that of its first token; its others are not
 * scored.
 */
export const conll = defineDataset<ConllOptions>({
  name: "conll",
  description: "Sentences with a tag for each word, in CoNLL's columns",
  source: "Tjong Kim Sang and De Meulder 2003, cs/0306050",
  options: (kit) => {
    const { z, dataFile } = kit;
    const column = bounded(z.int().min(-1000).max(1000), "no line has so many columns");
    return z.strictObject({
      train: dataFile().describe("File of the training sentences"),
      test: dataFile().describe("File of the test sentences"),
      more: z.record(z.string(), dataFile()).default({}).describe("Further splits by name, for validation.from"),
      wordColumn: column.default(0).describe("Column of the word, from 0; negative: from the end"),
      tagColumn: column.default(-1).describe("Column of the tag, from 0; negative: from the end"),
      iob1: z.boolean().default(false).describe("Whether the tags are IOB1, as CoNLL-2003's are; they become IOB2"),
      classes: classNames(kit).min(2).nullable().default(null).describe(
        "The tags in the order of their numbers; null: those of the training sentences, O first",
      ),
      encoding: z.enum(ENCODINGS).default("utf-8").describe("Encoding of the files"),
      ...textOptions(kit),
    }).superRefine((options, { addIssue }) => {
      const found = sameFileMistake(options);
      if (found !== null) addIssue({ code: "custom", ...found });
    });
  },
  async load(options, setup) {
    const files = { ...options.more, train: options.train, test: options.test };
    const bad = new BadExamples(options.onBad);
    const read: Record<string, PlacedSentence[]> = {};
    for (const [name, file] of Object.entries(files)) read[name] = await readSentences(file, options, setup, bad);
    const splits = { ...read, train: read.train };
    const classes = options.classes ? namedClasses(options.classes) : tagsOf(splits.train);
    const equal = equalNumbers(splits, ({ words }) => JSON.stringify(words));
    const dataset = await tokenisedDataset({
      task: "tagging",
      classes,
      options,
      trainingTexts: splits.train.map(({ words }) => words.join(" ")),
      encode: (tokenizer) =>
        Object.fromEntries(
          Object.entries(splits).map(([name, sentences]) => [
            name,
            sentences.map((sentence) => encodeSentence(tokenizer, sentence, classes)),
          ]),
        ),
      labelsOf: () => null,
      skipped: bad.skipped,
      equal,
    }, setup);
    return withWarnings(
      dataset,
      repeatedExamples(splits, {
        equal,
        placeOf: ({ file, line }) => `line ${line} of "${visiblePath(file)}"`,
        what: "sentences",
        how: "word for word",
      }),
    );
  },
});

/** A sentence with the name of the file that it is in. */
interface PlacedSentence extends TaggedSentence {
  readonly file: string;
}

async function readSentences(
  file: string | RemoteFile,
  options: ConllOptions,
  { readFile }: DatasetSetup,
  bad: BadExamples,
): Promise<PlacedSentence[]> {
  const name = nameOfFile(file);
  const text = decodeText(await readFile(file, "the sentences"), options.encoding, name);
  const sentences = parseConll(text, name, { word: options.wordColumn, tag: options.tagColumn }, bad);
  bad.checkSome(name, sentences);
  return sentences.map((own) => ({ ...own, file: name, tags: options.iob1 ? toIob2(own.tags) : own.tags }));
}

/** All tags, O first, the others in order. */
function tagsOf(sentences: readonly TaggedSentence[]): string[] {
  const tags = new Set(sentences.flatMap(({ tags }) => tags));
  const outside = tags.delete("O") ? ["O"] : [];
  return [...outside, ...sortedClasses(tags)];
}

function encodeSentence(
  tokenizer: TextTokenizer,
  { file, words, tags, line }: PlacedSentence,
  classes: readonly string[],
): LabelledText {
  const { wordOf, ...encoded } = tokenizer.encodeWords(words);
  const label = Int16Array.from(wordOf, (word, place) => {
    if (word < 0 || wordOf[place - 1] === word) return -1;
    return classNumber(tags[word], classes, { file, line: line + word });
  });
  return { ...encoded, label };
}
