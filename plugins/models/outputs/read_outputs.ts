import { UserError } from "../../../core/errors.ts";
import { showJson } from "../../../core/json.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import type { RecordedOutputs } from "../../../core/plugin/model.ts";
import { listSome } from "../../../core/recipe/words.ts";
import { idOf, type TableRow } from "../../datasets/text/columns.ts";
import { realNumber } from "../../datasets/text/labels.ts";
import type { OutputsOptions } from "./outputs.ts";
import { toLogits } from "./to_logits.ts";

/** The numbers of a row, `null` for a class without one, and whether it says of which class each is. */
interface RowNumbers {
  readonly given: readonly (number | null)[];
  readonly named: boolean;
}

/**
 * The outputs in the rows of a table.
 *
 * @throws UserError with the line of the first row that is wrong
 */
export function readOutputs(
  rows: readonly TableRow[],
  file: string,
  options: OutputsOptions,
  data: InputDescription,
): RecordedOutputs {
  const width = Math.max(1, data.classes.length);
  const logits = new Float32Array(rows.length * width);
  let allNamed = true;
  const place = (record: number) => `line ${rows[record].line}`;
  rows.forEach((row, record) => {
    const { given, named } = numbersOf(row, file, options, data);
    logits.set(toLogits(given, options, data, { file, place: place(record) }), record * width);
    allNamed &&= named;
  });
  const ids = options.key === "row" ? null : rows.map((row) => idOf(row, options.id, file));
  return { file, logits, width, decisions: options.values === "decisions", ids, named: allNamed, place };
}

function numbersOf(
  { line, cells }: TableRow,
  file: string,
  { column: wanted, values, columns }: OutputsOptions,
  { classes, task }: InputDescription,
): RowNumbers {
  const refuse = (reason: string) => new UserError(`Cannot use line ${line} of "${file}" as ${reason}`);
  const numberIn = (name: string): number | null => {
    if (!Object.hasOwn(cells, name)) {
      throw refuse(`it has no column "${name}": there are ${listSome(Object.keys(cells), "and")}`);
    }
    const cell = cells[name];
    if (typeof cell === "object") throw refuse(`its "${name}" is ${showJson(cell)}: expected a number`);
    return cell.trim() === "" ? null : realNumber(cell, { file, line });
  };
  const width = Math.max(1, classes.length);
  if (columns) {
    if (columns.length === width) return { given: columns.map(numberIn), named: true };
    throw new UserError(`Cannot use ${columns.length} columns of outputs for ${width} classes: expected one for each`);
  }
  const column = wanted ?? values;
  const cell = Object.hasOwn(cells, column) ? cells[column] : undefined;
  const answers = values === "decisions" ? answersIn(cell) : null;
  if (answers) return { given: countAnswers(answers, classes, refuse), named: true };
  if (Array.isArray(cell) && values === "decisions") {
    throw refuse(
      `its ${column} are ${showJson(cell)}: expected a list of classes, as texts, or a map from class to number`,
    );
  }
  if (Array.isArray(cell)) {
    if (cell.length === width) return { given: cell.map((value) => plainNumber(value, refuse)), named: false };
    throw refuse(`its ${column} are ${cell.length} numbers: expected ${width}, one for each class`);
  }
  if (typeof cell === "object") return { given: byClass(cell, classes, refuse), named: true };
  if (cell !== undefined && task === "regression") return { given: [numberIn(column)], named: true };
  if (wanted === null && classes.length > 0 && classes.every((name) => Object.hasOwn(cells, name))) {
    return { given: classes.map(numberIn), named: true };
  }
  throw refuse(
    `it has no ${column}: expected ${
      values === "decisions" ? "a class, a list of classes" : "a list of numbers"
    } or a map from class to number in the column "${column}", or a column ` +
      `for each class; there are ${listSome(Object.keys(cells), "and")}`,
  );
}

type Refuse = (reason: string) => UserError;

/** The answers that a cell lists, one or several; `null` for a cell of something else. */
function answersIn(cell: unknown): readonly string[] | null {
  if (typeof cell === "string") return [cell];
  return Array.isArray(cell) && cell.length > 0 && cell.every((one) => typeof one === "string") ? cell : null;
}

/** How many of the answers are each class. */
function countAnswers(answers: readonly string[], classes: readonly string[], refuse: Refuse): number[] {
  const counts = classes.map(() => 0);
  for (const answer of answers) {
    const place = classes.indexOf(answer.trim());
    if (place < 0) throw refuse(`${showJson(answer)} is no class: the classes are ${listSome(classes, "and")}`);
    counts[place]++;
  }
  return counts;
}

/** The numbers of a map from class to number, in the order of the data's classes. */
function byClass(cell: object, classes: readonly string[], refuse: Refuse): (number | null)[] {
  const numbers = new Map<string, number | null>();
  for (const [name, value] of Object.entries(cell)) {
    const label = name.trim();
    if (!classes.includes(label)) {
      throw refuse(`${showJson(name)} is no class: the classes are ${listSome(classes, "and")}`);
    }
    numbers.set(label, plainNumber(value, refuse));
  }
  return classes.map((name) => numbers.get(name) ?? null);
}

function plainNumber(value: unknown, refuse: Refuse): number | null {
  if (value === null || typeof value === "number") return value;
  throw refuse(`${showJson(value)} is not a number`);
}
