import { UserError } from "../../../core/errors.ts";
import type { Dataset, DatasetSetup, ExampleSource, Task } from "../../../core/plugin/dataset.ts";
import type { BadExamples } from "./bad_examples.ts";
import type { TextOptions } from "./text_options.ts";
import { tokenisedDataset } from "./tokenised_dataset.ts";

/** A text or a pair of texts with its answer. */
export interface TextRow {
  readonly text: string;
  readonly pair: string | null;
  /**
   * The number of the class, a real number for a regression, or for several labels a 1 for each class that it is of,
   * else a 0; `null` for none.
   */
  readonly label: number | Uint8Array | null;
}

/** The splits of a data set of texts. */
export type TextRows = Readonly<Record<string, readonly TextRow[]>> & {
  readonly train: readonly TextRow[];
  readonly test: readonly TextRow[];
};

/**
 * Turns texts into a data set of tokens.
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
  const empty = Object.entries(rows).find(([, examples]) => examples.length === 0);
  if (empty) throw new UserError(`Cannot use the data set: its split "${empty[0]}" has no examples`);
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
  }, setup);
}
