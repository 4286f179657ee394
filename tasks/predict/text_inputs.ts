import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { showJson } from "../../core/json.ts";
import { listSome, listWords } from "../../core/recipe/words.ts";
import { visiblePath } from "../../core/visible.ts";
import { parseTable, TABLE_FORMATS, type TableRow, textOf } from "../../plugins/datasets/text/columns.ts";
import type { NamedInput } from "./named_input.ts";

/** How a file of texts may be written: one a line, or a table. */
export const TEXT_FORMATS = ["lines", ...TABLE_FORMATS] as const;

/** Which texts. */
export interface TextFlags {
  /** A file of texts; `-`: standard input. */
  readonly file?: string;
  readonly format?: string;
  readonly column?: string;
  readonly pairColumn?: string;
  /** Whether arguments are pairs, each of two that follow each other, and lines pairs with a tab between. */
  readonly pairs?: boolean;
}

/** The column of texts in tables where no other is named, as of the data set `text-table`. */
const USUAL_COLUMN = "text";

/** How standard input is called in messages. */
const STANDARD_INPUT = "standard input";

/**
 * The texts that the arguments are, or those of a file, or of standard input.
 *
 * @param read gives the bytes of standard input
 * @throws UserError for flags that contradict each other, a file that cannot be read, or no texts
 */
export async function textInputs(
  given: readonly string[],
  flags: TextFlags,
  read: () => Promise<Uint8Array<ArrayBuffer>>,
): Promise<NamedInput[]> {
  if (given.length > 0) {
    const wrong = (["file", "format", "column", "pairColumn"] as const).find((key) => flags[key] !== undefined);
    if (wrong === undefined) return flags.pairs ? pairsOf(given) : given.map((text) => named(text, null, {}));
    const flag = wrong === "pairColumn" ? "pair-column" : wrong;
    throw new UserError(
      `--${flag} ${flags[wrong]}: Expected no texts as arguments beside it: texts are read from a file`,
    );
  }
  const { file = "-" } = flags;
  const isStandard = file === "-";
  const name = isStandard ? STANDARD_INPUT : visiblePath(file);
  const format = formatOf(file, flags);
  const text = decoded(isStandard ? await read() : await readUserFile(file, "the texts"), name);
  const inputs = format === "lines" ? linesOf(text, name, flags) : rowsOf(text, name, format, flags);
  if (inputs.length > 0) return inputs;
  throw new UserError(
    isStandard
      ? "Cannot predict without texts: standard input has none; expected one a line, or texts as arguments, or --file FILE"
      : `Cannot predict without texts: there are none in "${name}"`,
  );
}

function formatOf(file: string, { format, column, pairColumn, pairs }: TextFlags): typeof TEXT_FORMATS[number] {
  const known = TEXT_FORMATS.find((known) => known === format);
  if (format !== undefined && !known) {
    throw new UserError(`--format ${format}: Expected ${listWords(TEXT_FORMATS, "or")}`);
  }
  const found = known ?? TABLE_FORMATS.find((table) => file.toLowerCase().endsWith(`.${table}`)) ?? "lines";
  if (found === "lines" && (column ?? pairColumn) !== undefined) {
    const flag = column === undefined ? "pair-column" : "column";
    throw new UserError(
      `--${flag} ${column ?? pairColumn}: Expected a table, and "${visiblePath(file)}" has one text a line: its name ` +
        `ends in ${listWords(TABLE_FORMATS.map((table) => `.${table}`), "or")}, or --format says it`,
    );
  }
  if (found !== "lines" && pairs) {
    throw new UserError(
      "--pairs: Expected texts as arguments or one a line: in a table --pair-column names the second texts",
    );
  }
  return found;
}

function decoded(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`Cannot read "${name}" as it is not UTF-8 text`);
  }
}

function named(text: string, pair: string | null, { line, place = "the text" }: { line?: number; place?: string }) {
  return {
    source: { input: text, ...(pair !== null && { pair }), ...(line !== undefined && { line }) },
    place,
    read: () => Promise.resolve({ text, pair }),
  };
}

function pairsOf(given: readonly string[]): NamedInput[] {
  if (given.length % 2 !== 0) {
    throw new UserError(`--pairs: Expected two texts for each pair, got ${given.length} texts`);
  }
  return given.flatMap((text, index) => index % 2 === 0 ? [named(text, given[index + 1], { place: "the pair" })] : []);
}

/** One text a line; blank lines are left out. */
function linesOf(text: string, name: string, { pairs }: TextFlags): NamedInput[] {
  return text.split(/\r\n|\n|\r/).flatMap((content, index) => {
    if (content.trim() === "") return [];
    const line = index + 1;
    const place = `line ${line} of "${name}"`;
    if (!pairs) return [named(content, null, { line, place })];
    const parts = content.split("\t");
    if (parts.length === 2) return [named(parts[0], parts[1], { line, place })];
    throw new UserError(`Cannot use ${place} as a pair: expected two texts with a tab between, got ${parts.length}`);
  });
}

function rowsOf(
  text: string,
  name: string,
  format: typeof TABLE_FORMATS[number],
  { column = USUAL_COLUMN, pairColumn }: TextFlags,
): NamedInput[] {
  const rows = parseTable(text, name, { format, quotes: format === "csv", columns: null });
  expectColumn(rows, column, name, "--column");
  if (pairColumn !== undefined) expectColumn(rows, pairColumn, name, "--pair-column");
  return rows.map((row) => {
    const { line } = row;
    const place = `line ${line} of "${name}"`;
    const words = pairColumn === undefined ? wordsOf(row, column, place) : null;
    if (words) return { source: { input: words, line }, place, read: () => Promise.resolve({ words }) };
    const pair = pairColumn === undefined ? null : textOf(row, pairColumn, name);
    return named(textOf(row, column, name), pair, { line, place });
  });
}

/** Rows have all columns of their table. @throws UserError, with the flag that names another, if there is none */
function expectColumn([first]: readonly TableRow[], column: string, name: string, flag: string): void {
  if (!first || Object.hasOwn(first.cells, column)) return;
  throw new UserError(
    `Cannot find the column "${column}" in "${name}": it has ${listSome(Object.keys(first.cells), "and")}; ` +
      `say which by ${flag}`,
  );
}

/** The words of a sentence in a cell of JSON; `null` if it is no list. */
function wordsOf({ cells }: TableRow, column: string, place: string): string[] | null {
  const cell = Object.hasOwn(cells, column) ? cells[column] : null;
  if (!Array.isArray(cell)) return null;
  if (cell.every((word) => typeof word === "string")) return cell;
  throw new UserError(`Cannot use ${place} as its words are ${showJson(cell)}: expected a list of texts`);
}
