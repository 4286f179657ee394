import { UserError } from "../../core/errors.ts";
import { showText } from "../../core/recipe/words.ts";
import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import { type Entry, line } from "./entries.ts";
import { type FoundData, PICTURE_SETS, type TextColumn } from "./found.ts";
import type { FoundTeacher } from "./teacher.ts";

/** How a file of outputs is joined to the data. */
export interface Join {
  /** The column on both sides by which that is; `null`: by the order. */
  readonly id: string | null;
  /** What the recipe says of it with the teacher. */
  readonly teacher: readonly Entry[];
}

/**
 * How a file of outputs is joined to the data: the column of the ids on both sides, or by its order.
 *
 * @throws UserError for records that have their texts in another order, which are not all different
 */
export function joinOf(found: FoundData, teacher: FoundTeacher): Join {
  const { records, path } = teacher;
  if (!records) return { id: null, teacher: [] };
  const id = PICTURE_SETS.includes(found.use) ? records.paths[0] ?? null : columnOf(found, records, path);
  return {
    id,
    teacher: id === null
      ? [line("key", "row", "the n-th record belongs to the n-th of the data's file")]
      : [line("key", "id", "a record belongs to the example of the same id"), line("id", id)],
  };
}

/** The column of the ids, or of the texts if these are in another order; `null` for the order. */
function columnOf(
  { ids = [], texts = [] }: FoundData,
  records: NonNullable<FoundTeacher["records"]>,
  path: string,
): string | null {
  const own = records.ids.find((name) => ids.includes(name));
  if (own !== undefined) return own;
  const different = texts.map((text) => firstDifference(text, records.rows)).find((place) => place !== null);
  const isOrdered = different === undefined && texts.every(({ values }) => values.length === records.rows.length);
  const text = isOrdered ? undefined : texts.find(({ column, isId }) => isId && records.ids.includes(column));
  if (text) return text.column;
  if (different === undefined) return null;
  throw new UserError(`--teacher ${path}: Cannot join its records to the data by their order as ${different}`);
}

/** Where records have another text than the data, in words; `null` if nowhere, or they have no such column. */
function firstDifference({ column, values }: TextColumn, rows: readonly TableRow[]): string | null {
  if (rows.length === 0 || !Object.hasOwn(rows[0].cells, column)) return null;
  const there = rows.map(({ cells }) => cells[column]).map((cell) => typeof cell === "string" ? cell.trim() : cell);
  const index = values.findIndex((text, index) => index < there.length && there[index] !== text);
  if (index < 0) return null;
  const found = there[index];
  return `the "${column}" of line ${rows[index].line} is ${
    typeof found === "string" ? showText(found) : "no text"
  }, where ` +
    `the data have ${
      showText(values[index])
    }: expected the data's order, texts that are all different, or a column of ` +
    "ids in both";
}
