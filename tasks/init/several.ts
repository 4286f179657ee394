import type { TableRow } from "../../plugins/datasets/text/columns.ts";

/** How a column says several classes of each example. */
export type SeveralForm =
  | { readonly kind: "lists" }
  /** Lists of so many 0 and 1. */
  | { readonly kind: "flags"; readonly count: number }
  | { readonly kind: "separated"; readonly separator: string };

/** What stands between names in a cell. */
const SEPARATORS = ["|", ";", ","];

/** Words of a class's name, at most. */
const MOST_WORDS = 3;

/** The form in which cells that are not empty say several classes each; `null` if they do not. */
export function severalFormOf(cells: readonly TableRow["cells"][string][]): SeveralForm | null {
  if (cells.length === 0) return null;
  const lists = cells.filter(Array.isArray) as unknown[][];
  if (lists.length === cells.length) return formOfLists(lists);
  const texts = cells.filter((cell) => typeof cell === "string");
  if (texts.length < cells.length) return null;
  const separator = SEPARATORS.find((one) => separates(texts, one));
  return separator === undefined ? null : { kind: "separated", separator };
}

function formOfLists(lists: readonly unknown[][]): SeveralForm | null {
  const [{ length: count }] = lists;
  const areFlags = count >= 2 &&
    lists.every((list) => list.length === count && list.every((one) => one === 0 || one === 1));
  if (areFlags) return { kind: "flags", count };
  return lists.every((list) => list.every((one) => typeof one !== "object")) ? { kind: "lists" } : null;
}

/** Whether the parts of cells are fewer than the cells that they make up, as few names in many sets are. */
function separates(texts: readonly string[], separator: string): boolean {
  if (!texts.some((text) => text.includes(separator))) return false;
  const sets = texts.map((text) => text.split(separator).map((part) => part.trim()));
  const parts = sets.flat();
  const isName = (part: string) => part !== "" && part.split(/\s+/).length <= MOST_WORDS;
  // 1,5 is a number in half of the world.
  return parts.every(isName) && !parts.every((part) => /^[+-]?\d+$/.test(part)) &&
    sets.every((set) => new Set(set).size === set.length) &&
    new Set(parts).size < new Set(texts.map((text) => text.trim())).size;
}
