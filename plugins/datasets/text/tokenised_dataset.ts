import type {
  Dataset,
  DatasetSetup,
  Examples,
  ExampleSource,
  ScoredPairs,
  SkippedExamples,
  Task,
} from "../../../core/plugin/dataset.ts";
import { cutTexts } from "./cut_texts.ts";
import { type OpenedTokenizer, openTokenizer } from "./open_tokenizer.ts";
import { type LabelledText, textExamples } from "./text_examples.ts";
import type { TextOptions } from "./text_options.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** Examples by the name of their split. */
type Splits<Part> = Readonly<Record<string, Part>>;

/** What a data set of tokens is made of. */
export interface TokenisedSetup {
  readonly task: Task;
  readonly classes: readonly string[];
  readonly options: TextOptions;
  /** By which a tokenizer is trained where none is named. */
  readonly trainingTexts: Iterable<string>;
  /** All examples, the splits `train` and `test` among them. */
  encode(tokenizer: TextTokenizer): Splits<readonly LabelledText[]>;
  /** Where the examples of each split come from, as far as that is known. */
  readonly sources?: Splits<ExampleSource>;
  /** Which examples of a split were compared, where vectors are measured by it. */
  readonly pairs?: Splits<ScoredPairs | undefined>;
  /** A number for each example of a split that equal ones share. */
  readonly equal?: Splits<Uint32Array>;
  /** What was left out of the files. */
  readonly skipped: readonly SkippedExamples[];
  /** The class of each example of a split, -1 for none; `null` where examples have not one. */
  labelsOf(split: readonly LabelledText[]): Examples["labels"];
}

/**
 * A data set of tokens, which can be made of another tokenizer's, too.
 *
 * @throws UserError for a tokenizer that cannot be read
 */
export async function tokenisedDataset(
  { task, classes, options, trainingTexts, encode, labelsOf, skipped, sources = {}, pairs = {}, equal = {} }:
    TokenisedSetup,
  setup: DatasetSetup,
): Promise<Dataset> {
  const { maxLength } = options;
  const flags = task === "multi-label" ? classes.length : null;
  const ofWords = task === "tagging";
  const withTokenizer = ({ tokenizer, files }: OpenedTokenizer, texts: Splits<readonly LabelledText[]>): Dataset => {
    const { vocabulary, padding } = tokenizer;
    const splits = Object.entries(texts).map(([name, split]) => {
      const more = {
        ...(sources[name] && { source: sources[name] }),
        ...(pairs[name] && { pairs: pairs[name] }),
        ...(equal[name] && { equal: equal[name] }),
      };
      return [name, { ...textExamples(split, labelsOf(split), padding, maxLength, flags), ...more }];
    });
    const cut = cutTexts(texts, maxLength, ofWords);
    // Several may ask: a teacher, and what looks at where the student starts.
    const others = new Map<string, Promise<Dataset | null>>();
    const other = async (name: string): Promise<Dataset | null> => {
      const opened = await openTokenizer({ ...options, tokenizer: name }, [], setup, ofWords);
      if (areSame(opened.files, files)) return null;
      const theirs = encode(opened.tokenizer);
      return haveSameTokens(texts, theirs) ? null : withTokenizer(opened, theirs);
    };
    return {
      input: { task, classes, image: null, text: { vocabulary, maxLength, padding, files } },
      splits: Object.fromEntries(splits) as Dataset["splits"],
      ...(skipped.length > 0 && { skipped }),
      // Words without a tag are missing in what is measured; the end of a text is one thing more that is not known.
      ...(cut.length > 0 && { [ofWords ? "warnings" : "notes"]: cut }),
      retokenise(name) {
        const made = others.get(name) ?? other(name);
        others.set(name, made);
        return made;
      },
    };
  };
  const own = await openTokenizer(options, trainingTexts, setup, ofWords);
  return withTokenizer(own, encode(own.tokenizer));
}

function areSame(a: Splits<Uint8Array>, b: Splits<Uint8Array>): boolean {
  return Object.keys(a).join() === Object.keys(b).join() &&
    Object.keys(a).every((name) => sameNumbers(a[name], b[name]));
}

function haveSameTokens(a: Splits<readonly LabelledText[]>, b: Splits<readonly LabelledText[]>): boolean {
  return Object.entries(a).every(([name, split]) =>
    split.every(({ tokens, types }, index) => {
      const other = b[name][index];
      return sameNumbers(tokens, other.tokens) && sameNumbers(types, other.types);
    })
  );
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
