import { groupBy } from "../../core/group_by.ts";
import { defineDataset, type ExampleSource } from "../../core/plugin/dataset.ts";
import { UserError } from "../../core/errors.ts";
import { showJson } from "../../core/json.ts";
import { nearest } from "../../core/nearest.ts";
import { hasClasses } from "../../core/plugin/inputs.ts";
import { listSome, showText } from "../../core/recipe/words.ts";
import { equalNumbers, lackingClasses, repeatedExamples, withWarnings } from "./split_warnings.ts";
import { badExample, BadExamples } from "./text/bad_examples.ts";
import { idOf, labelIn, severalLabelsIn, type TableRow, textOf } from "./text/columns.ts";
import {
  classesUnsaid,
  classFlags,
  type ClassName,
  classNumber,
  expectDifferentSets,
  namedClasses,
  realNumber,
  severalMistake,
  type SeveralOptions,
  severalOptions,
  sortedClasses,
} from "./text/labels.ts";
import { sameFileMistake } from "./text/same_file.ts";
import { splitGroups } from "./text/split_groups.ts";
import { readTable, type TableOptions, tableOptions } from "./text/table_options.ts";
import { textDataset, textKey, type TextRow } from "./text/text_dataset.ts";
import { textOptions, type TextSetOptions } from "./text/text_options.ts";

interface TextTableOptions extends TableOptions, TextSetOptions, SeveralOptions {
  readonly classes: ClassName[] | null;
  task: "classification" | "regression" | "multi-label" | "embedding";
  text: string;
  pair: string | null;
  label: string | null;
  id: string | null;
}

/** The column of labels where the recipe names none. */
const USUAL_LABEL = "label";

/**
 * Texts, or pairs of texts, in tables with named columns: TSV, CSV or JSON lines. An example has no label where its
 * cell is empty or `null`, or its table has no such column.
 */
export const textTable = defineDataset<TextTableOptions>({
  name: "text-table",
  description: "Texts or pairs of texts in a TSV, CSV or JSONL table, with a class or a number each",
  source: "RFC 4180 (CSV), https://jsonlines.org",
  options: (kit) => {
    const { z } = kit;
    return z.strictObject({
      ...tableOptions(kit, "example"),
      task: z.enum(["classification", "regression", "multi-label", "embedding"]).default("classification").describe(
        "Whether labels are classes, numbers, or of each example several classes or none; embedding: every text becomes a " +
          "vector, and labels are scores that say how alike the texts of a pair are, on any scale",
      ),
      text: z.string().min(1).default("text").describe("Column of the text"),
      pair: z.string().min(1).nullable().default(null).describe("Column of the second text of a pair; null: none"),
      label: z.string().min(1).nullable().default(USUAL_LABEL).describe(
        "Column of the label; an example without one (an empty cell, null, or no column label) is learned from the teacher " +
          "alone; null: no example has a label",
      ),
      id: z.string().min(1).nullable().default(null).describe(
        "Column of an id of each example, by which a file of a teacher's outputs can be joined to the examples of tables that " +
          "have it; null: none",
      ),
      ...severalOptions(kit),
      ...textOptions(kit),
    }).refine(({ test, testPart }) => (test === null) !== (testPart === null), {
      error: "Expected one of test, a table, and testPart, as in testPart: 0.2",
    }).superRefine((options, { addIssue }) => {
      const message = severalMistake(options) ?? sentenceMistake(options);
      const found = message !== null ? { message } : sameFileMistake(options, ", or testPart");
      if (found !== null) addIssue({ code: "custom", ...found });
    });
  },
  async load(options, setup) {
    const files = { ...options.more, train: options.train, ...(options.test !== null && { test: options.test }) };
    const tables: Record<string, { rows: TableRow[]; file: string }> = {};
    for (const [name, file] of Object.entries(files)) tables[name] = await readTable(file, name, options, setup);
    if (options.task === "embedding") expectPairs(Object.values(tables), options);
    const given = options.classes && namedClasses(options.classes);
    const bad = new BadExamples(options.onBad);
    const answered = Object.fromEntries(
      Object.entries(tables).map(([name, table]) => [name, answeredRows(table, options, bad)]),
    );
    if (options.testPart !== null) Object.assign(answered, withTestPart(answered.train, options.testPart, options));
    expectDifferentSets(answered.train.rows.map(({ answer }) => answer), answered.train.file);
    const classes = !hasClasses(options.task) ? [] : given ?? classesOf(answered.train, options.label);
    const rows = Object.fromEntries(
      Object.entries(answered).map((
        [name, own],
      ) => [name, own.rows.map((row) => textRow(row, own.file, classes, options))]),
    );
    const further: AnsweredRows[] = [];
    for (const [index, file] of options.unlabelled.entries()) {
      const table = await readTable(file, `${index + 1}. unlabelled`, options, setup);
      further.push(answeredRows(table, { ...options, label: null }, bad));
    }
    const unlabelled = further.flatMap((own) => own.rows.map((row) => textRow(row, own.file, classes, options)));
    const parts = Object.entries({ ...answered, train: [answered.train, ...further] });
    const sources = Object.fromEntries(parts.map(([name, own]) => [name, sourceOf([own].flat())]));
    const dataset = await textDataset(
      { ...rows, train: [...rows.train, ...unlabelled], test: rows.test },
      options.task,
      classes,
      options,
      setup,
      bad,
      sources,
    );
    return withWarnings(dataset, warningsOf({ ...answered, train: answered.train }, further, classes));
  },
});

/** What is wrong with options beside each other where texts become vectors; `null` if nothing is. */
function sentenceMistake({ task, pair, label, classes }: TextTableOptions): string | null {
  if (task !== "embedding") return null;
  if (classes !== null) return "Cannot use classes for embedding: texts become vectors, and labels are scores of pairs";
  const isScore = label !== null && label !== USUAL_LABEL && pair === null;
  return isScore ? `Cannot use label for embedding without pair: a score says how alike two texts are` : null;
}

/** Whether a table has pairs; those with a column of single texts, too, may stand beside it. */
function hasPairs([first]: readonly TableRow[], pair: string | null): boolean {
  return pair !== null && first !== undefined && Object.hasOwn(first.cells, pair);
}

/** @throws UserError for a column of second texts that is in no table, or in one under nearly this name */
function expectPairs(
  tables: readonly { readonly rows: readonly TableRow[]; readonly file: string }[],
  { text, pair }: Pick<TextTableOptions, "text" | "pair">,
): void {
  if (pair === null) return;
  const lacking = tables.filter(({ rows }) => rows.length > 0 && !hasPairs(rows, pair)).map(({ rows, file }) => {
    const columns = Object.keys(rows[0].cells);
    return { file, columns, near: nearest(pair, columns.filter((column) => column !== text)) };
  });
  const misspelt = lacking.find(({ near }) => near);
  if (!misspelt && lacking.length < tables.length) return;
  const { file, columns, near } = misspelt ?? lacking[0];
  throw new UserError(
    `Cannot find the column "${pair}" of second texts in "${file}": it has ${listSome(columns, "and")}` +
      `${near ? `; did you mean ${showText(near)}?` : ""}; pair: null if no table has pairs`,
  );
}

/** What stands in the column of the label, for messages. */
const CLASS = "one class, a text or a number";

/** A row with text and label, and the line that they stand on. */
interface AnsweredRow extends Omit<TextRow, "label"> {
  readonly line: number;
  /** Its number among the file's records, from 0. */
  readonly record: number;
  readonly id: string | null;
  /** `null` for none; of several labels all. */
  readonly answer: string | readonly string[] | null;
}

interface AnsweredRows {
  readonly file: string;
  /** How many records the file has. */
  readonly records: number;
  readonly rows: readonly AnsweredRow[];
}

/** The rows that have a text. */
function answeredRows(
  { rows, file }: { rows: readonly TableRow[]; file: string },
  options: TextTableOptions,
  bad: BadExamples,
): AnsweredRows {
  const { text, label, id } = options;
  const pair = options.task === "embedding" && !hasPairs(rows, options.pair) ? null : options.pair;
  // Where texts become vectors, a score is of a pair.
  const isAsked = options.task !== "embedding" || pair !== null;
  const column = label === null || !isAsked || rows.length === 0 || lacksLabels(rows, label, file) ? null : label;
  const kept = rows.flatMap((row, record) =>
    bad.keep((): AnsweredRow => {
      const answer = column && answerIn(row, column, file, options);
      const own = textOf(row, text, file);
      if (own.trim() === "") badExample({ file, place: `line ${row.line}` }, "its text is empty");
      const second = pair === null ? null : textOf(row, pair, file);
      if (options.task === "embedding" && second?.trim() === "") {
        badExample({ file, place: `line ${row.line}` }, "its second text is empty");
      }
      return {
        text: own,
        pair: second,
        id: id !== null && Object.hasOwn(row.cells, id) ? idOf(row, id, file) : null,
        line: row.line,
        record,
        answer,
      };
    })
  );
  bad.checkSome(file, kept);
  return { file, records: rows.length, rows: kept };
}

/**
 * What a split lacks, and what it shares with the training examples.
 *
 * @param unlabelled further training examples, which a teacher answers for
 */
function warningsOf(
  { train, ...others }: Readonly<Record<string, AnsweredRows>> & { readonly train: AnsweredRows },
  unlabelled: readonly AnsweredRows[],
  classes: readonly string[],
): string[] {
  const placed = ({ file, rows }: AnsweredRows) => rows.map((row) => ({ ...row, file }));
  const placedOthers = Object.entries(others).map(([name, own]) => [name, placed(own)] as const);
  const splits = { ...Object.fromEntries(placedOthers), train: [train, ...unlabelled].flatMap(placed) };
  return [
    ...lackingClasses(
      splits,
      classes,
      ({ answer }) => answer === null ? null : [answer].flat().map((name) => classes.indexOf(name)),
      "text",
    ),
    ...repeatedExamples(splits, {
      equal: equalNumbers(splits, textKey),
      placeOf: ({ file, line }) => `line ${line} of "${file}"`,
      what: "texts",
      how: "letter for letter",
    }),
  ];
}

function answerIn(row: TableRow, column: string, file: string, options: TextTableOptions): AnsweredRow["answer"] {
  const { task, separator, none, flags, classes } = options;
  if (task === "multi-label") {
    return severalLabelsIn(row, column, file, { separator, none, flagged: flags ? namedClasses(classes!) : null });
  }
  return labelIn(row, column, file, hasClasses(task) ? CLASS : "a number");
}

/**
 * The rows of one table as two splits, each class giving its part, or all rows alike where labels are numbers or
 * several. What has no label measures nothing and stays in training, unless none has one, or an equal text is in the
 * test set.
 */
function withTestPart(table: AnsweredRows, test: number, { seed, task }: TextTableOptions) {
  const labelled = table.rows.filter(({ answer }) => answer !== null);
  const answers = [...new Set(labelled.map(({ answer }) => answer))];
  const classOf = ({ answer }: AnsweredRow) => task === "classification" ? answers.indexOf(answer) : 0;
  const drawn = splitGroups(labelled.length > 0 ? labelled : table.rows, textKey, classOf, {
    test,
    seed,
    takeEach: null,
  });
  const tested = new Set(drawn.test.map(textKey));
  const sides = groupBy(table.rows, (row) => tested.has(textKey(row)) ? "test" : "train");
  return {
    train: { ...table, rows: sides.get("train") ?? [] },
    test: { ...table, rows: sides.get("test") ?? [] },
  };
}

/** Where the examples of a split come from. @throws UserError if two have one id */
function sourceOf(tables: readonly AnsweredRows[]): ExampleSource {
  const all = tables.flatMap(({ file, rows }) => rows.map((row) => ({ file, ...row })));
  const places = new Map<string, string>();
  for (const { id, file, line } of all) {
    if (id === null) continue;
    const place = `line ${line} of "${file}"`;
    const before = places.get(id);
    if (before) {
      throw new UserError(`Cannot tell ${before} from ${place} as both have the id ${showJson(id)}: expected one each`);
    }
    places.set(id, place);
  }
  return {
    file: tables.length === 1 ? tables[0].file : null,
    records: tables.reduce((sum, { records }) => sum + records, 0),
    record: Uint32Array.from(all, ({ record }) => record),
    ids: places.size === all.length ? [...places.keys()] : null,
  };
}

/**
 * Whether a table has no column of labels, as one of unlabelled texts.
 *
 * @throws UserError if the recipe names the column, or one is there that may be it
 */
function lacksLabels([first]: readonly TableRow[], label: string, file: string): boolean {
  const columns = Object.keys(first.cells);
  if (columns.includes(label)) return false;
  const near = nearest(label, columns);
  if (label === USUAL_LABEL && !near) return true;
  throw new UserError(
    `Cannot find the column "${label}" of the labels in "${file}": it has ${listSome(columns, "and")}` +
      `${near ? `; did you mean ${showText(near)}?` : ""}; label: null if it has no labels`,
  );
}

function classesOf({ rows, file }: AnsweredRows, label: string | null): string[] {
  const answers = rows.flatMap(({ answer }) => answer ?? []);
  if (answers.length === 0) throw classesUnsaid(file);
  const classes = sortedClasses(answers);
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
  if (answer === null) return { text, pair, label: null };
  if (typeof answer !== "string") return { text, pair, label: classFlags(answer, classes, place) };
  return { text, pair, label: hasClasses(task) ? classNumber(answer, classes, place) : realNumber(answer, place) };
}
