import { join } from "../../core/paths.ts";
import { exampleCount } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import { listWords } from "../../core/recipe/words.ts";
import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { equalNumbers, repeatedExamples, withWarnings } from "./split_warnings.ts";
import { BadExamples } from "./text/bad_examples.ts";
import { labelOf, parseTable, type TableRow, textOf } from "./text/columns.ts";
import { decodeText } from "./text/decode_text.ts";
import { GLUE_TASKS, type GlueTask } from "./text/glue_tasks.ts";
import { type ClassName, classNames, classNumber, namedClasses, realNumber } from "./text/labels.ts";
import { textDataset, textKey, type TextRow } from "./text/text_dataset.ts";
import { textOptions, type TextSetOptions } from "./text/text_options.ts";

interface GlueOptions extends TextSetOptions {
  task: string;
  folder: string;
  classes: readonly ClassName[] | null;
  takeTrain: number | null;
}

/**
 * The tasks of GLUE in the files of its site: `train.tsv` and `dev.tsv` (for MNLI `dev_matched.tsv` and
 * `dev_mismatched.tsv`). The labels of GLUE's test sets are not public: `test` here is the development set, and
 * validation examples are taken out of the training set.
 */
export const glue = defineDataset<GlueOptions>({
  name: "glue",
  description: "The nine tasks of GLUE, in the files of its site",
  source: "Wang et al. 2018, arXiv 1804.07461",
  options: (kit) => {
    const { z } = kit;
    return z.strictObject({
      task: z.enum(Object.keys(GLUE_TASKS) as [string, ...string[]]).describe("Which task"),
      folder: z.string().min(1).describe("Folder with the task's files"),
      classes: classNames(kit).nullable().default(null).describe(
        "The task's classes in the order of their numbers; null: contradiction, entailment, neutral for MNLI, " +
          "entailment, not_entailment for QNLI and RTE, 0, 1 for others",
      ),
      takeTrain: exampleCount.nullable().default(null).describe(
        "Use only so many of the first training examples; null: all",
      ),
      ...textOptions(kit),
    });
  },
  async load(options, setup) {
    const own = inOrder(GLUE_TASKS[options.task], options.classes && namedClasses(options.classes));
    const bad = new BadExamples(options.onBad);
    const read = (file: string) => readSplit(join(options.folder, file), own, setup, bad);
    const train = await read("train.tsv");
    if (options.takeTrain !== null && options.takeTrain > train.length) {
      throw new UserError(`Cannot take ${options.takeTrain} examples for takeTrain: there are ${train.length}`);
    }
    const rows = {
      train: train.slice(0, options.takeTrain ?? train.length),
      test: await read(own.development),
      ...(own.mismatched && { mismatched: await read(own.mismatched) }),
    };
    const dataset = await textDataset(rows, own.task, own.classes, options, setup, bad);
    const repeated = repeatedExamples<GlueRow>(rows, {
      equal: equalNumbers(rows, textKey),
      placeOf: ({ file, line }) => `line ${line} of "${file}"`,
      what: "texts",
      how: "letter for letter",
    });
    return withWarnings(dataset, repeated);
  },
});

/** A row and where it stands. */
interface GlueRow extends TextRow {
  readonly file: string;
  readonly line: number;
}

/** A task with its classes in another order. @throws UserError if they are not the task's */
function inOrder(task: GlueTask, classes: readonly string[] | null): GlueTask {
  if (classes === null) return task;
  if (task.task === "classification" && classes.toSorted().join() === task.classes.toSorted().join()) {
    return { ...task, classes };
  }
  throw new UserError(
    task.task === "regression"
      ? "Cannot put the classes of a regression in order: expected null for classes"
      : `Cannot take ${listWords(classes, "and")} as the task's classes: expected ${
        listWords(task.classes, "and")
      }, in any order`,
  );
}

/** Blank lines, which count but are not read, in place of those with fewer cells than the first. */
function withoutShortLines(text: string): string {
  const lines = text.split("\n");
  const cells = (line: string) => line.split("\t").length;
  const wanted = cells(lines[0]);
  return lines.map((line) => cells(line) < wanted ? "" : line).join("\n");
}

async function readSplit(
  file: string,
  task: GlueTask,
  { readFile }: DatasetSetup,
  bad: BadExamples,
): Promise<GlueRow[]> {
  const text = decodeText(await readFile(file, "the examples"), "utf-8", file);
  const rows = parseTable(task.hasShortLines ? withoutShortLines(text) : text, file, {
    format: "tsv",
    quotes: false,
    columns: task.columns,
  });
  const kept = rows.flatMap((row) => bad.keep(() => textRow(row, file, task)));
  bad.checkSome(file, kept);
  return kept;
}

function textRow(row: TableRow, file: string, { task, text, pair, label, classes }: GlueTask): GlueRow {
  const place = { file, line: row.line };
  const answer = labelOf(row, label, file, task === "regression" ? "a number" : "a class");
  return {
    ...place,
    text: textOf(row, text, file),
    pair: pair === null ? null : textOf(row, pair, file),
    label: task === "regression" ? realNumber(answer, place) : classNumber(answer, classes, place),
  };
}
