import { basename } from "node:path";
import { UserError } from "../../core/errors.ts";
import { showText } from "../../core/recipe/words.ts";
import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import type { Encoding } from "../../plugins/datasets/text/decode_text.ts";
import type { Asking } from "./asking.ts";
import { chooseLabel, choosePath, chooseTexts } from "./choose_columns.ts";
import { type Column, describeColumns, isId, openAmong, rolesOf } from "./columns.ts";
import { type Entry, line } from "./entries.ts";
import { type DataFlags, type FoundData, nameFrom } from "./found.ts";
import { formOf, type LabelForm } from "./label_form.ts";
import { picturesOf } from "./pictures_folder.ts";
import { readRows } from "./read_rows.ts";
import { type KnownLabels, splitLines, type TableFiles } from "./test_table.ts";

/**
 * Recognises a table of texts or of paths of pictures: which column is what.
 *
 * @param folder that of the recipe
 * @throws UserError if that cannot be told, and nobody is there to be asked
 */
export async function recogniseTable(
  files: TableFiles,
  flags: DataFlags,
  asking: Asking,
  folder: string,
  isTaught: boolean,
): Promise<FoundData> {
  const { train } = files;
  const { rows, encoding } = await readRows(train);
  const shown = basename(train);
  if (rows.length === 0) throw new UserError(`Cannot use "${train}" as it has no rows: expected one for each example`);
  const columns = describeColumns(rows);
  const table: Table = { files, rows, columns, encoding, shown, folder, isTaught };
  const path = choosePath(columns, flags, asking, shown);
  return path ? await pictureTable(table, path, flags, asking) : await textTable(table, flags, asking);
}

/** A table that is looked at. */
interface Table {
  readonly files: TableFiles;
  readonly rows: readonly TableRow[];
  readonly columns: readonly Column[];
  readonly encoding: Encoding;
  /** Its name for messages. */
  readonly shown: string;
  /** That of the recipe. */
  readonly folder: string;
  readonly isTaught: boolean;
}

async function pictureTable(table: Table, path: Column, flags: DataFlags, asking: Asking): Promise<FoundData> {
  const { files, rows, columns, encoding, shown, folder, isTaught } = table;
  const rest = columns.filter((column) => column !== path && !column.arePictures);
  const { labels } = rolesOf(rest, rows.length);
  const label = chooseLabel(rest, labels, openAmong(rest, [], rows.length), flags, asking, shown, isTaught);
  expectHeader(label, table);
  const form = label && formOf(label, flags, asking, shown);
  if (form === "regression") {
    throw new UserError(`Cannot predict the numbers in "${label!.name}" of "${shown}" from pictures: expected classes`);
  }
  return {
    what: "a table of pictures",
    use: "image-table",
    isUnlabelled: label === null,
    options: [
      line("folder", nameFrom(folder, await picturesOf(files.train, rows, path.name, flags.pictures))),
      ...await splitLines(files, knownLabels(rows, label, form), folder, "pictures"),
      line("path", path.name),
      ...labelLines(label, form, rows.length - (label ?? path).filled),
      ...encodingLines(encoding),
    ],
  };
}

async function textTable(table: Table, flags: DataFlags, asking: Asking): Promise<FoundData> {
  const { files, rows, columns, encoding, shown, folder, isTaught } = table;
  const { labels, texts, pair: both } = rolesOf(columns, rows.length);
  const said = columns.filter(({ name }) => name === flags.text || name === flags.pair);
  const open = openAmong(columns, [...texts, ...both ?? [], ...said], rows.length);
  const label = chooseLabel(columns, labels, open, flags, asking, shown, isTaught);
  expectHeader(label, table);
  const rest = columns.filter((column) => column !== label);
  const { text, pair } = chooseTexts(rest, rolesOf(rest, rows.length), flags, asking, shown);
  expectTexts(rows, text, shown);
  const form = label && formOf(label, flags, asking, shown);
  const [textless, labelless] = [text, label ?? text].map(({ filled }) => rows.length - filled);
  return {
    what: `a table of ${pair ? "pairs of texts" : "texts"}`,
    use: "text-table",
    isUnlabelled: label === null,
    ids: rest.filter((column) => column !== text && column !== pair && isId(column, rows.length)).map(({ name }) =>
      name
    ),
    texts: [text, ...pair ? [pair] : []].map((column) => ({
      column: column.name,
      values: rows.map(({ cells }) => `${cells[column.name]}`.trim()),
      isId: isId(column, rows.length),
    })),
    options: [
      ...await splitLines(files, knownLabels(rows, label, form), folder, "rows"),
      line("text", text.name, `${text.words.toFixed(0)} words on average`),
      ...(pair ? [line("pair", pair.name, "the second text of each pair")] : []),
      ...labelLines(label, form, labelless),
      ...encodingLines(encoding),
      ...(textless > 0 && flags.onBad === undefined
        ? [line("onBad", "skip", `${textless} rows have no text, and are left out; refuse: stop at the first`)]
        : []),
    ],
  };
}

function knownLabels(rows: readonly TableRow[], label: Column | null, form: LabelForm | null): KnownLabels | null {
  return label && { rows, column: label.name, areClasses: form === "classification" };
}

function labelLines(label: Column | null, form: LabelForm | null, labelless: number): Entry[] {
  if (label === null) {
    return [
      line("label", null, "no example has one: the teacher alone teaches, and validation is agreement with it"),
    ];
  }
  const without = labelless > 0 ? `${labelless} rows have none, and are learned from a teacher alone` : undefined;
  if (form === "regression") {
    return [
      line("label", label.name, without),
      line("task", "regression", "the labels are numbers to be predicted, no classes"),
    ];
  }
  if (form === "classification" || form === null) {
    const different = `${label.different} different ones`;
    return [line("label", label.name, without ? `${different}; ${without}` : different)];
  }
  return [
    line("label", label.name, without && `${without}; none: says what stands in the cell of an example of no class`),
    line("task", "multi-label", "an example is of several classes or none"),
    ...(form.kind === "separated"
      ? [line("separator", form.separator, "between the names in a cell")]
      : form.kind === "flags"
      ? [
        line("flags", true, "lists have a 0 or a 1 for each class"),
        line("classes", Array.from({ length: form.count }, (_, index) => `${index}`), "their names, in that order"),
      ]
      : []),
  ];
}

const encodingLines = (encoding: Encoding): Entry[] =>
  encoding === "utf-8" ? [] : [line("encoding", encoding, "it is not UTF-8; see that its letters are right")];

/** @throws UserError for a table whose first line is an example, which would be lost to the names of the columns */
function expectHeader(label: Column | null, { rows, files, shown }: Table): void {
  // JSON says the names on each line.
  if (label === null || /\.jsonl$/i.test(files.train)) return;
  const isExample = rows.some(({ cells }) => `${cells[label.name]}`.trim() === label.name);
  if (!isExample) return;
  throw new UserError(
    `Cannot take the first line of "${shown}" for names of columns as it looks like an example: ` +
      `${showText(label.name)} is a label further down, too. Write a line of their names above it, or name them with ` +
      "dataset.columns in a recipe of your own; rename the column if it is a name",
  );
}

/** @throws UserError for paths of pictures, of which a model of texts would learn the letters */
function expectTexts(rows: readonly TableRow[], { name, arePictures }: Column, file: string): void {
  if (!arePictures) return;
  const { cells } = rows.find(({ cells }) => cells[name] !== "")!;
  throw new UserError(
    `Cannot take the column "${name}" of "${file}" for texts as it names pictures, the first "${
      cells[name]
    }": leave out --text, or name the column with --path`,
  );
}
