import { CsvError, parse } from "csv-parse/sync";
import { UserError } from "../../../core/errors.ts";
import { badExample } from "./bad_examples.ts";
import { isJsonObject, parseJson, showJson } from "../../../core/json.ts";
import { listSome } from "../../../core/recipe/words.ts";

/** How a table is written. */
export const TABLE_FORMATS = ["tsv", "csv", "jsonl"] as const;
export type TableFormat = typeof TABLE_FORMATS[number];

/** A row of a table: its cells by column, and the line on which it stands, from 1. */
export interface TableRow {
  readonly line: number;
  /** Lists and maps of JSON stay what they are, as no text says the same. */
  readonly cells: Readonly<Record<string, string | object>>;
}

/** How a table is read. */
export interface TableOptions {
  readonly format: TableFormat;
  /** Whether double quotes enclose cells that hold separators, line ends or quotes. */
  readonly quotes: boolean;
  /** Names of the columns where the first line does not say them. */
  readonly columns: readonly string[] | null;
}

/**
 * The rows of a table; blank lines are left out.
 *
 * @param file its name, for messages
 * @throws UserError with the line for a row of another length, an unclosed quote, a line that is no JSON object
 */
export function parseTable(text: string, file: string, options: TableOptions): TableRow[] {
  const { format } = options;
  return format === "jsonl" ? parseJsonLines(text, file) : parseSeparated(text, file, format, options);
}

function parseSeparated(
  text: string,
  file: string,
  format: "csv" | "tsv",
  { quotes, columns }: TableOptions,
): TableRow[] {
  let header: string[] | null = null;
  try {
    const records = parse(text, {
      delimiter: format === "tsv" ? "\t" : ",",
      quote: quotes ? '"' : null,
      columns: columns ? [...columns] : (first: string[]) => header = namesOf(first, file, format),
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      info: true,
    }) as unknown as { record: Record<string, string>; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { lines?: number };
    const wanted = (columns ?? header)?.length;
    const reason =
      error.code === "CSV_RECORD_INCONSISTENT_COLUMNS" || error.code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH"
        ? `it has another number of cells than the ${wanted} columns`
        : `of a quote that does not close or stands within a cell; quotes: false reads quotes as letters`;
    throw new UserError(`Cannot read line ${lines} of "${file}" as ${reason}`);
  }
}

/** What stands between columns where a table is written in another way than its name says. */
const OTHER_SEPARATORS = { csv: [";", "\t"], tsv: [",", ";"] } as const;

/**
 * The columns that a first line names.
 *
 * @throws UserError for a name that stands twice, as which is meant is not known, or one name that seems to be several:
 *   a label would be read as a part of the text
 */
function namesOf(first: readonly string[], file: string, format: "csv" | "tsv"): string[] {
  const names = first.map((name) => name.trim());
  const other = names.length === 1 ? OTHER_SEPARATORS[format].find((one) => names[0].includes(one)) : undefined;
  if (other !== undefined) {
    throw new UserError(
      `Cannot tell the columns of "${file}" by its first line, ${
        showJson(names[0])
      }: a table of the format ${format} ` +
        `has ${format === "csv" ? "commas" : "tabs"} between them, here stands ${showJson(other)}`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return names;
  throw new UserError(`Cannot read the columns of "${file}" as two have the name ${showJson(twice)}: rename one`);
}

function parseJsonLines(text: string, file: string): TableRow[] {
  const lines = text.split(/\r\n|\n|\r/).flatMap((content, index) => {
    if (content.trim() === "") return [];
    const line = index + 1;
    const value = parseJson(
      content,
      (reason) => new UserError(`Cannot read line ${line} of "${file}" as ${reason.replace("its line 1, ", "its ")}`),
      { distinctKeys: true },
    );
    if (!isJsonObject(value)) {
      throw new UserError(`Cannot read line ${line} of "${file}": a JSON object is needed, with a key for each column`);
    }
    return [{ line, value }];
  });
  // What a line does not say is as empty as null.
  const columns = [...new Set(lines.flatMap(({ value }) => Object.keys(value)))];
  return lines.map(({ line, value }) => {
    const cellOf = (name: string) => Object.hasOwn(value, name) ? plainOrWhole(value[name]) : "";
    return { line, cells: Object.fromEntries(columns.map((name) => [name, cellOf(name)])) };
  });
}

function plainOrWhole(cell: unknown): string | object {
  if (cell === null) return "";
  return typeof cell === "object" ? cell : String(cell);
}

/** A text of a row. @throws UserError with the line if there is no such column, or a list or a map stands there */
export function textOf(row: TableRow, column: string, file: string): string {
  return cellOf(row, column, file, column === "text" ? "text" : `"${column}"`, "one text");
}

/**
 * A label of a row, without spaces around it; `null` where none stands there.
 *
 * @param expected what is right, for messages: "a number"
 * @throws UserError with the line if there is no such column, or a list or a map stands there
 */
export function labelIn(row: TableRow, column: string, file: string, expected: string): string | null {
  const label = cellOf(row, column, file, "label", expected).trim();
  return label === "" ? null : label;
}

/** How several labels stand in one cell. */
export interface SeveralLabels {
  /** What stands between names; `null`: cells are lists of JSON. */
  readonly separator: string | null;
  /** What a cell says of an example of no class; `null`: none is, unless its list is empty. */
  readonly none: string | null;
  /** Lists have a 0 or a 1 for each of these classes, in their order; `null`: they have names. */
  readonly flagged: readonly string[] | null;
}

/**
 * The several labels of a row, by name; `null` where it has none, as its cell is empty. An empty list of JSON says that
 * it is of no class.
 *
 * @throws UserError with the line for a cell that is something else, an empty name, or one that stands there twice
 */
export function severalLabelsIn(
  row: TableRow,
  column: string,
  file: string,
  { separator, none, flagged }: SeveralLabels,
): readonly string[] | null {
  const cell = row.cells[column];
  const refuse = (reason: string) => new UserError(`Cannot use line ${row.line} of "${file}" as its label ${reason}`);
  const given = Array.isArray(cell) ? cell as unknown[] : cellOf(row, column, file, "label", "a list of names").trim();
  if (given === "") return null;
  if (flagged) {
    const isRight = Array.isArray(given) && given.length === flagged.length &&
      given.every((flag) => flag === 0 || flag === 1);
    if (isRight) return flagged.filter((_, index) => given[index] === 1);
    throw refuse(`is ${showJson(given)}: expected a list of ${flagged.length} numbers, a 0 or a 1 for each class`);
  }
  if (given === none) return [];
  if (separator === null && !Array.isArray(given)) {
    throw refuse(`is a text, ${showJson(given)}: expected a list of JSON, or separator: what stands between the names`);
  }
  const parts = Array.isArray(given) ? given : given.split(separator!);
  const names = parts.map((part) => {
    if (typeof part === "object") throw refuse(`is ${showJson(given)}: expected a list of names`);
    return String(part).trim();
  });
  if (names.includes("")) throw refuse(`has an empty name, ${showJson(given)}`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return names;
  throw refuse(
    `has ${showJson(twice)} twice, ${
      showJson(given)
    }: expected each class once; flags: true if it has a 0 or a 1 for ` +
      "each class",
  );
}

/**
 * The same of a row that must have one.
 *
 * @param expected what is right, for messages: "a number"
 * @throws UserError with the line if there is none, or a list or a map stands there
 */
export function labelOf(row: TableRow, column: string, file: string, expected: string): string {
  const label = labelIn(row, column, file, expected);
  if (label !== null) return label;
  badExample({ file, place: `line ${row.line}` }, "its label is empty");
}

/** The id of a row. @throws UserError with the line if there is none */
export function idOf(row: TableRow, column: string, file: string): string {
  const id = textOf(row, column, file).trim();
  if (id !== "") return id;
  throw new UserError(
    `Cannot use line ${row.line} of "${file}" as its id is empty: expected one in the column "${column}"`,
  );
}

function cellOf({ line, cells }: TableRow, column: string, file: string, what: string, expected: string): string {
  if (!Object.hasOwn(cells, column)) {
    throw new UserError(
      `Cannot find the column "${column}" on line ${line} of "${file}": it has ${listSome(Object.keys(cells), "and")}`,
    );
  }
  const cell = cells[column];
  if (typeof cell === "string") return cell;
  const kind = Array.isArray(cell) ? "list" : "map";
  throw new UserError(
    `Cannot use line ${line} of "${file}" as its ${what} is a ${kind}, ${showJson(cell)}: expected ${expected}`,
  );
}
