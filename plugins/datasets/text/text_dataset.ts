import { UserError } from "../../../core/errors.ts";
import type { Dataset, DatasetSetup, ExampleSource, SkippedExamples, Task } from "../../../core/plugin/dataset.ts";
import type { BadExamples } from "./bad_examples.ts";
import type { TextOptions } from "./text_options.ts";
import { equalNumbers } from "../split_warnings.ts";
import { sentencesOf } from "./sentences.ts";
import { tokenisedDataset } from "./tokenised_dataset.ts";

/** A text or a pair of texts with its answer. */
export interface TextRow {
  readonly text: string;
  readonly pair: string | null;
  /**
   * The number of the class, a real number for a regression and as the score of a pair whose texts become vectors, or
   * for several labels a 1 for each class that it is of, else a 0; `null` for none.
   */
  readonly label: number | Uint8Array | null;
}

/** What is the same of equal texts, or pairs of texts. */
export const textKey = ({ text, pair }: Pick<TextRow, "text" | "pair">): string => JSON.stringify([text, pair]);

/** The splits of a data set of texts. */
export type TextRows = Readonly<Record<string, readonly TextRow[]>> & {
  readonly train: readonly TextRow[];
  readonly test: readonly TextRow[];
};

/**
 * Turns texts into a data set of tokens. For vectors of sentences each text of a pair is an example, and pairs of other
 * splits than that of training are measured by their scores.
 *
 * @param sources where the examples of each split come from, as far as that is known
 * @throws UserError if a split is empty, or for a tokenizer that cannot be read
 */
export async function textDataset(
  rows: TextRows,
  task: Exclude<Task, "tagging">,
  classes: readonly string[],
  options: TextOptions,
  setup: DatasetSetup,
  { skipped }: Pick<BadExamples, "skipped">,
  sources: Readonly<Record<string, ExampleSource>> = {},
): Promise<Dataset> {
  expectExamples(rows);
  if (task === "embedding") return await sentenceDataset(rows, options, setup, skipped);
  const trainingTexts = rows.train.flatMap(({ text, pair }) => pair === null ? [text] : [text, pair]);
  return await tokenisedDataset({
    task,
    classes,
    options,
    trainingTexts,
    encode: (tokenizer) =>
      Object.fromEntries(
        Object.entries(rows).map(([name, split]) => [
          name,
          split.map(({ text, pair, label }) => ({ ...tokenizer.encode(text, pair), label })),
        ]),
      ),
    labelsOf: (split) =>
      task === "classification" ? Int32Array.from(split, ({ label }) => label === null ? -1 : label as number) : null,
    skipped,
    sources,
    equal: equalNumbers(rows, textKey),
  }, setup);
}

function expectExamples(rows: TextRows): void {
  const empty = Object.entries(rows).find(([, examples]) => examples.length === 0);
  if (empty) throw new UserError(`Cannot use the data set: its split "${empty[0]}" has no examples`);
}

/** Texts that become vectors, each an example of its own. */
async function sentenceDataset(
  rows: TextRows,
  options: TextOptions,
  setup: DatasetSetup,
  skipped: readonly SkippedExamples[],
): Promise<Dataset> {
  const splits = Object.entries(rows).map(([name, own]) => [name, sentencesOf(own, name !== "train")] as const);
  const texts = Object.fromEntries(splits.map(([name, { rows }]) => [name, rows]));
  const dataset = await tokenisedDataset({
    task: "embedding",
    classes: [],
    options,
    trainingTexts: texts.train.map(({ text }) => text),
    encode: (tokenizer) =>
      Object.fromEntries(
        Object.entries(texts).map(([name, own]) => [
          name,
          own.map(({ text, label }) => ({ ...tokenizer.encode(text, null), label })),
        ]),
      ),
    labelsOf: () => null,
    skipped,
    pairs: Object.fromEntries(splits.map(([name, { pairs }]) => [name, pairs])),
  }, setup);
  const unused = rows.train.filter(({ pair, label }) => pair !== null && label !== null).length;
  if (unused === 0) return dataset;
  const warning = `the scores of ${unused} training pairs are not used: a student learns from its teacher's vectors`;
  return { ...dataset, warnings: [...dataset.warnings ?? [], warning] };
}
