import { basename } from "node:path";
import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { nearest } from "../../core/nearest.ts";
import { listNames } from "../../core/recipe/words.ts";
import { parseTable, TABLE_FORMATS, type TableRow } from "../../plugins/datasets/text/columns.ts";
import { decodeText, type Encoding } from "../../plugins/datasets/text/decode_text.ts";
import type { Asking } from "./asking.ts";
import { areMeasures, type Column, describeColumns, type Roles, rolesOf } from "./columns.ts";
import { line } from "./entries.ts";
import { type DataFlags, type FoundData, nameFrom } from "./found.ts";

/** The files of a table, as paths from the working directory. */
export interface TableFiles {
  readonly train: string;
  /** `null`: a part of the first. */
  readonly test: string | null;
}

/** Whether a file is a table by its name. */
export function isTable(name: string): boolean {
  return TABLE_FORMATS.some((format) => name.toLowerCase().endsWith(`.${format}`));
}

/**
 * Recognises a table of texts: which column is what.
 *
 * @param folder that of the recipe
 * @throws UserError if that cannot be told, and nobody is there to be asked
 */
export async function recogniseTable(
  { train, test }: TableFiles,
  flags: DataFlags,
  asking: Asking,
  folder: string,
  isTaught: boolean,
): Promise<FoundData> {
  const { rows, encoding } = await readRows(train);
  const shown = basename(train);
  if (rows.length === 0) throw new UserError(`Cannot use "${train}" as it has no rows: expected one for each example`);
  const columns = describeColumns(rows);
  const label = chooseLabel(columns, rolesOf(columns, rows.length), flags, asking, { shown, isTaught });
  const rest = columns.filter((column) => column !== label);
  const { text, pair } = chooseTexts(rest, rolesOf(rest, rows.length), flags, asking, shown);
  expectTexts(rows, text, shown);
  const isMeasure = label !== null && taskOf(label, flags) === "regression";
  const [textless, labelless] = [text, label ?? text].map(({ filled }) => rows.length - filled);
  return {
    what: `a table of ${pair ? "pairs of texts" : "texts"}`,
    use: "text-table",
    isUnlabelled: label === null,
    options: [
      line("train", nameFrom(folder, train)),
      ...(test !== null ? [line("test", nameFrom(folder, test))] : [
        line("testPart", 0.2, "a fifth of the rows is the test set, as there is one table; or test: another table"),
      ]),
      line("text", text.name, `${text.words.toFixed(0)} words on average`),
      ...(pair ? [line("pair", pair.name, "the second text of each pair")] : []),
      label === null
        ? line("label", null, "no example has one: the teacher alone teaches, and validation is agreement with it")
        : line("label", label.name, labelReason(label, isMeasure, labelless)),
      ...(isMeasure ? [line("task", "regression", "the labels are numbers to be predicted, no classes")] : []),
      ...(encoding === "utf-8" ? [] : [line("encoding", encoding, "it is not UTF-8; see that its letters are right")]),
      ...(textless > 0
        ? [line("onBad", "skip", `${textless} rows have no text, and are left out; refuse: stop at the first`)]
        : []),
    ],
  };
}

const PICTURE = /^[^\s].*\.(?:png|jpe?g|webp|gif|bmp)$/i;

/** @throws UserError for paths of pictures, of which a model of texts would learn the letters */
function expectTexts(rows: readonly TableRow[], { name }: Column, file: string): void {
  const cells = rows.map(({ cells }) => cells[name]).filter((cell) => typeof cell === "string" && cell !== "");
  if (cells.length === 0 || !cells.every((cell) => PICTURE.test(`${cell}`.trim()))) return;
  throw new UserError(
    `Cannot take the column "${name}" of "${file}" for texts as it names pictures, the first "${
      cells[0]
    }": a recipe of ` +
      "your own reads them by dataset: { use: image-table }",
  );
}

function labelReason({ different }: Column, isMeasure: boolean, labelless: number): string | undefined {
  const without = labelless > 0 ? `${labelless} rows have none, and are learned from a teacher alone` : undefined;
  return isMeasure ? without : `${different} different ones${without ? `; ${without}` : ""}`;
}

async function readRows(path: string): Promise<{ rows: TableRow[]; encoding: Encoding }> {
  const bytes = await readUserFile(path, "the table");
  const format = TABLE_FORMATS.find((known) => path.toLowerCase().endsWith(`.${known}`))!;
  let encoding: Encoding = "utf-8";
  let text: string;
  try {
    text = decodeText(bytes, encoding, path);
  } catch {
    encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "windows-1252";
    text = decodeText(bytes, encoding, path);
  }
  return { rows: parseTable(text, path, { format, quotes: format === "csv", columns: null }), encoding };
}

function taskOf(label: Column, { task }: DataFlags): string {
  if (task === undefined) return areMeasures(label) ? "regression" : "classification";
  if (task === "regression" && !label.areNumbers) {
    throw new UserError(`--task regression: Cannot predict numbers as the labels in "${label.name}" are none`);
  }
  if (task === "classification" || task === "regression") return task;
  throw new UserError(`--task ${task}: Expected classification or regression`);
}

/** @returns `null` where there is none, and a teacher can do without */
function chooseLabel(
  columns: readonly Column[],
  roles: Roles,
  flags: DataFlags,
  asking: Asking,
  { shown: file, isTaught }: { readonly shown: string; readonly isTaught: boolean },
): Column | null {
  if (flags.label !== undefined) return named(columns, "--label", flags.label, file);
  const { labels } = roles;
  if (labels.length === 1) return labels[0];
  const cannot = `Cannot tell which column of "${file}" is the label`;
  if (labels.length === 0 && isTaught) return null;
  if (labels.length === 0) {
    throw new UserError(
      `${cannot}: it has ${listNames(columns.map(({ name }) => name), "and")}, of which none has few different ` +
        "values; say it with --label COLUMN, or name a --teacher that does without labels",
    );
  }
  const chosen = asking.choose({
    question: `Which column of ${file} is the label?`,
    cannot,
    flag: "--label COLUMN",
    choices: labels.map(({ name }) => name),
  });
  return labels.find(({ name }) => name === chosen)!;
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

/** Files by their split: `train.tsv`, `dev.tsv`. */
export function splitsAmong(files: readonly string[]): { train: string | null; test: string | null } {
  const of = (...names: string[]) =>
    names.flatMap((name) => files.filter((file) => new RegExp(`^(?:.*[._-])?${name}[._-]`, "i").test(file)))[0] ?? null;
  return { train: of("train", "training"), test: of("test", "testing", "dev", "val", "valid", "validation") };
}
