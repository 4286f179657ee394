import { basename } from "node:path";
import { UserError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { listNames, showText } from "../../core/recipe/words.ts";
import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import type { Encoding } from "../../plugins/datasets/text/decode_text.ts";
import type { Asking } from "./asking.ts";
import { areMeasures, type Column, describeColumns, isId, openAmong, type Roles, rolesOf, SEVERAL } from "./columns.ts";
import { type Entry, line } from "./entries.ts";
import { type DataFlags, type FoundData, nameFrom } from "./found.ts";
import { picturesOf } from "./pictures_folder.ts";
import { readRows } from "./read_rows.ts";
import type { SeveralForm } from "./several.ts";
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
  const path = choosePath(table, flags, asking);
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

/** The column of the pictures' paths; `null` for a table of texts. */
function choosePath({ columns, shown }: Table, flags: DataFlags, asking: Asking): Column | null {
  if (flags.path !== undefined) return named(columns, "--path", flags.path, shown);
  if (flags.text !== undefined) return null;
  const paths = columns.filter(({ arePictures }) => arePictures);
  if (paths.length <= 1) return paths[0] ?? null;
  const chosen = asking.choose({
    question: `Which column of ${shown} names the pictures?`,
    cannot: `Cannot tell which column of "${shown}" names the pictures`,
    flag: "--path COLUMN",
    choices: paths.map(({ name }) => name),
  });
  return paths.find(({ name }) => name === chosen)!;
}

async function pictureTable(table: Table, path: Column, flags: DataFlags, asking: Asking): Promise<FoundData> {
  const { files, rows, columns, encoding, shown, folder } = table;
  const rest = columns.filter((column) => column !== path && !column.arePictures);
  const { labels } = rolesOf(rest, rows.length);
  const label = chooseLabel(rest, labels, openAmong(rest, [], rows.length), flags, asking, table);
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
  const { files, rows, columns, encoding, shown, folder } = table;
  const { labels, texts, pair: both } = rolesOf(columns, rows.length);
  const said = columns.filter(({ name }) => name === flags.text || name === flags.pair);
  const open = openAmong(columns, [...texts, ...both ?? [], ...said], rows.length);
  const label = chooseLabel(columns, labels, open, flags, asking, table);
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

/** What labels are: one class, a number, or several classes in a form. */
type LabelForm = "classification" | "regression" | SeveralForm;

/** @throws UserError where it cannot be told, and nobody is there to be asked */
function formOf(label: Column, { task }: DataFlags, asking: Asking, file: string): LabelForm {
  const { name, several, hasLists } = label;
  if (task !== undefined && task !== "classification" && task !== "regression" && task !== "multi-label") {
    throw new UserError(`--task ${task}: Expected classification, regression or multi-label`);
  }
  if (task === "multi-label" && several === null) {
    throw new UserError(
      `--task multi-label: Cannot find several classes in "${name}" of "${file}": expected lists of JSON, or names with ` +
        '"|", ";" or "," between them',
    );
  }
  if (hasLists && (several === null || task === "classification" || task === "regression")) {
    throw new UserError(
      `Cannot take the lists in "${name}" of "${file}" for one label each: expected lists of names, or of a 0 or a 1 for ` +
        "each class, and --task multi-label",
    );
  }
  if (task === "regression" && !label.areNumbers) {
    throw new UserError(`--task regression: Cannot predict numbers as the labels in "${name}" are none`);
  }
  if (task === "multi-label") return several!;
  if (task !== undefined) return task;
  if (several?.kind === "separated") return severalUnlessOne(name, several, asking, file);
  return several ?? formOfNumbers(label, asking, file);
}

function formOfNumbers(label: Column, asking: Asking, file: string): LabelForm {
  const areNumbers = areMeasures(label);
  if (areNumbers !== null) return areNumbers ? "regression" : "classification";
  const classes = `${label.different} classes by their numbers`;
  const chosen = asking.choose({
    question: `What are the numbers in the column ${label.name} of ${file}?`,
    cannot: `Cannot tell what the numbers in the column "${label.name}" of "${file}" are`,
    flag: "--task classification or --task regression",
    choices: [classes, "amounts to be predicted"],
  });
  return chosen === classes ? "classification" : "regression";
}

/** Names with commas may be those of classes. */
function severalUnlessOne(name: string, form: SeveralForm & { kind: "separated" }, asking: Asking, file: string) {
  if (SEVERAL.test(name)) return form;
  const several = `several classes, "${form.separator}" between them`;
  const chosen = asking.choose({
    question: `What does the column ${name} of ${file} say?`,
    cannot: `Cannot tell what the column "${name}" of "${file}" says`,
    flag: "--task multi-label or --task classification",
    choices: [several, `one class, whose name may have "${form.separator}" in it`],
  });
  return chosen === several ? form : "classification";
}

/** What says that no example has a label. */
const NONE = "none";

/**
 * @param labels columns that seem to be the label
 * @param open those that may be it if none does
 * @returns `null` where there is none, and a teacher can do without
 */
function chooseLabel(
  columns: readonly Column[],
  labels: readonly Column[],
  open: readonly Column[],
  { label: given }: DataFlags,
  asking: Asking,
  { shown: file, isTaught }: Pick<Table, "shown" | "isTaught">,
): Column | null {
  if (given === NONE && isTaught) return null;
  if (given !== undefined) return named(columns, "--label", given, file);
  if (labels.length === 1) return labels[0];
  const cannot = `Cannot tell which column of "${file}" is the label`;
  if (labels.length === 0 && !isTaught) {
    throw new UserError(
      `${cannot}: it has ${listNames(columns.map(({ name }) => name), "and")}, of which none has few different ` +
        "values; say it with --label COLUMN, or name a --teacher that does without labels",
    );
  }
  if (labels.length === 0 && open.length === 0) return null;
  const names = (labels.length > 0 ? labels : open).map(({ name }) => name);
  const chosen = asking.choose({
    question: `Which column of ${file} is the label?`,
    cannot,
    flag: isTaught ? `--label COLUMN, or --label ${NONE} if no example has one` : "--label COLUMN",
    choices: isTaught ? [...names, NONE] : names,
  });
  return columns.find(({ name }) => name === chosen) ?? null;
}

function chooseTexts(columns: readonly Column[], roles: Roles, flags: DataFlags, asking: Asking, file: string) {
  const { texts, pair } = roles;
  const second = flags.pair === undefined ? null : named(columns, "--pair", flags.pair, file);
  if (flags.text !== undefined) return { text: named(columns, "--text", flags.text, file), pair: second };
  if (pair && (second === null || second === pair[1])) return { text: pair[0], pair: pair[1] };
  const open = texts.filter((column) => column !== second);
  if (open.length === 1) return { text: open[0], pair: second };
  if (open.length === 0) {
    throw new UserError(
      `Cannot find a column of texts in "${file}": it has ${
        listNames(columns.map(({ name }) => name), "and")
      } beside the label; say it with --text COLUMN`,
    );
  }
  const names = open.map(({ name }) => name);
  const both = `both, as pairs of texts: ${names.join(" and ")}`;
  const chosen = asking.choose({
    question: `Which column of ${file} holds the texts?`,
    cannot: `Cannot tell which column of "${file}" holds the texts`,
    flag: "--text COLUMN (and --pair COLUMN, if two texts belong together)",
    choices: asking.present && open.length === 2 && second === null ? [...names, both] : names,
  });
  if (chosen === both) return { text: open[0], pair: open[1] };
  return { text: open.find(({ name }) => name === chosen)!, pair: second };
}

function named(columns: readonly Column[], flag: string, name: string, file: string): Column {
  const column = columns.find((column) => column.name === name);
  if (column) return column;
  const names = columns.map(({ name }) => name);
  const near = nearest(name, names);
  throw new UserError(
    `${flag} ${name}: Cannot find that column in "${file}": ${
      near ? `did you mean "${near}"?` : `it has ${listNames(names, "and")}`
    }`,
  );
}
