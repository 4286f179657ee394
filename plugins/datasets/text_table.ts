import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { nameOfFile, type RemoteFile } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import { seedSchema } from "../../core/recipe/bounds.ts";
import { badExample, BadExamples } from "./text/bad_examples.ts";
import { labelOf, parseTable, TABLE_FORMATS, type TableFormat, type TableRow, textOf } from "./text/columns.ts";
import { decodeText, type Encoding, ENCODINGS } from "./text/decode_text.ts";
import { type ClassName, classNames, classNumber, namedClasses, realNumber, sortedClasses } from "./text/labels.ts";
import { splitGroups } from "./text/split_groups.ts";
import { textDataset, type TextRow } from "./text/text_dataset.ts";
import { textOptions, type TextSetOptions } from "./text/text_options.ts";

/** A file of a table, by path or URL. */
type File = string | RemoteFile;

interface TextTableOptions extends TextSetOptions {
  train: File;
  test: File | null;
  testPart: number | null;
  seed: number;
  more: Record<string, File>;
  task: "classification" | "regression";
  text: string;
  pair: string | null;
  label: string;
  classes: ClassName[] | null;
  columns: string[] | null;
  format: TableFormat | null;
  quotes: boolean | null;
  encoding: Encoding;
}

/** Texts, or pairs of texts, in tables with named columns: TSV, CSV or JSON lines. */
export const textTable = defineDataset<TextTableOptions>({
  name: "text-table",
  description: "Texts or pairs of texts in a TSV, CSV or JSONL table, with a class or a number each",
  source: "RFC 4180 (CSV), https://jsonlines.org",
  options: (kit) => {
    const { z, dataFile } = kit;
    return z.strictObject({
      train: dataFile().describe("Table of the training examples"),
      test: dataFile().nullable().default(null).describe("Table of the test examples; null: see testPart"),
      testPart: z.number().positive().lt(1).nullable().default(null).describe(
        "Instead of test: the part of each class's examples in train that is the test set; equal texts stay on one side",
      ),
      seed: seedSchema.default(0).describe("Seed of the split by testPart, apart from the run's"),
      more: z.record(z.string(), dataFile()).default({}).describe("Further splits by name, for validation.from"),
      task: z.enum(["classification", "regression"]).default("classification").describe(
        "Whether labels are classes or numbers",
      ),
      text: z.string().min(1).default("text").describe("Column of the text"),
      pair: z.string().min(1).nullable().default(null).describe("Column of the second text of a pair; null: none"),
      label: z.string().min(1).default("label").describe("Column of the label"),
      classes: classNames(kit).min(2).nullable().default(null).describe(
        "Names of the classes in the order of their numbers; null: the training labels in the order of the alphabet, or " +
          "of the numbers that they are",
      ),
      columns: z.array(z.string().min(1)).min(1).nullable().default(null).describe(
        "Names of the columns of a table whose first line is an example; null: the first line has them",
      ),
      format: z.enum(TABLE_FORMATS).nullable().default(null).describe(
        "How the table is written; null: by the file's name",
      ),
      quotes: z.boolean().nullable().default(null).describe(
        "Whether double quotes enclose cells; null: in CSV, not in TSV",
      ),
      encoding: z.enum(ENCODINGS).default("utf-8").describe("Encoding of the files"),
      ...textOptions(kit),
    }).refine(({ test, testPart }) => (test === null) !== (testPart === null), {
      error: "Expected one of test, a table, and testPart, as in testPart: 0.2",
    });
  },
  async load(options, setup) {
    const files = { ...options.more, train: options.train, ...(options.test !== null && { test: options.test }) };
    const tables: Record<string, { rows: TableRow[]; file: string }> = {};
    for (const [name, file] of Object.entries(files)) tables[name] = await readTable(file, name, options, setup);
    const given = options.classes && namedClasses(options.classes);
    const bad = new BadExamples(options.onBad);
    const answered = Object.fromEntries(
      Object.entries(tables).map(([name, table]) => [name, answeredRows(table, options, bad)]),
    );
    if (options.testPart !== null) Object.assign(answered, withTestPart(answered.train, options.testPart, options));
    const classes = options.task === "regression" ? [] : given ?? classesOf(answered.train, options.label);
    const rows = Object.fromEntries(
      Object.entries(answered).map((
        [name, own],
      ) => [name, own.rows.map((row) => textRow(row, own.file, classes, options))]),
    );
    return await textDataset(
      { ...rows, train: rows.train, test: rows.test },
      options.task,
      classes,
      options,
      setup,
      bad,
    );
  },
});

async function readTable(file: File, split: string, options: TextTableOptions, { readFile }: DatasetSetup) {
  const name = nameOfFile(file);
  const format = options.format ?? TABLE_FORMATS.find((known) => name.endsWith(`.${known}`));
  if (!format) {
    throw new UserError(`Cannot tell how "${name}" is written: set format to ${TABLE_FORMATS.join(", ")}`);
  }
  const text = decodeText(await readFile(file, `the ${split} table`), options.encoding, name);
  const quotes = options.quotes ?? format === "csv";
  return { file: name, rows: parseTable(text, name, { format, quotes, columns: options.columns }) };
}

/** What stands in the column of the label, for messages. */
const CLASS = "one class, a text or a number";

/** A row with text and label, and the file that they stand in. */
interface AnsweredRow extends Omit<TextRow, "label"> {
  readonly line: number;
  readonly answer: string;
}

interface AnsweredRows {
  readonly file: string;
  readonly rows: readonly AnsweredRow[];
}

/** The rows that have a text and a label. */
function answeredRows(
  { rows, file }: { rows: readonly TableRow[]; file: string },
  { task, text, pair, label }: TextTableOptions,
  bad: BadExamples,
): AnsweredRows {
  const kept = rows.flatMap((row) =>
    bad.keep((): AnsweredRow => {
      const answer = labelOf(row, label, file, task === "regression" ? "a number" : CLASS);
      const own = textOf(row, text, file);
      if (own.trim() === "") badExample({ file, place: `line ${row.line}` }, "its text is empty");
      return { text: own, pair: pair === null ? null : textOf(row, pair, file), line: row.line, answer };
    })
  );
  bad.checkSome(file, kept);
  return { file, rows: kept };
}

/** The rows of one table as two splits, each class giving its part, or all rows alike where labels are numbers. */
function withTestPart(table: AnsweredRows, test: number, { seed, task }: TextTableOptions) {
  const answers = [...new Set(table.rows.map(({ answer }) => answer))];
  const classOf = ({ answer }: AnsweredRow) => task === "regression" ? 0 : answers.indexOf(answer);
  const keyOf = ({ text, pair }: AnsweredRow) => JSON.stringify([text, pair]);
  const sides = splitGroups(table.rows, keyOf, classOf, { test, seed, takeEach: null });
  return { train: { ...table, rows: sides.train }, test: { ...table, rows: sides.test } };
}

function classesOf({ rows, file }: AnsweredRows, label: string): string[] {
  const classes = sortedClasses(rows.map(({ answer }) => answer));
  if (classes.length >= 2 && classes.length <= 1000) return classes;
  throw new UserError(
    `Cannot tell classes by the column "${label}" of "${file}": it has ${classes.length} different values, and 2 to 1000 are needed`,
  );
}

function textRow(
  { answer, line, text, pair }: AnsweredRow,
  file: string,
  classes: readonly string[],
  { task }: TextTableOptions,
): TextRow {
  const place = { file, line };
  return { text, pair, label: task === "regression" ? realNumber(answer, place) : classNumber(answer, classes, place) };
}
