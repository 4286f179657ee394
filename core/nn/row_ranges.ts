import { groupBy } from "../group_by.ts";
import { type Backend, MOST_NUMBERS, VIEW_ALIGNMENT } from "../backend/backend.ts";
import { sizeOf } from "../tensor.ts";

/** A named shape. */
export interface NamedShape {
  /** What it is called. */
  readonly name: string;
  /** Of any number of dimensions. */
  readonly shape: readonly number[];
  /** Its learning rate as a multiple of the others'; 1 if it is left out. */
  readonly rateScale?: number;
  /**
   * Whether it is a table, `[rows, width]`, that is asked for by `Weights.rows` alone: one that is too large for a
   * tensor is then held as several, each with some of the rows.
   */
  readonly byRows?: boolean;
}

/** Rows of a named tensor that are held as a tensor of their own; of most tensors all rows. */
export interface RowRange extends NamedShape {
  /** The name of the tensor. */
  readonly whole: string;
  /** Where its numbers begin among those of the tensor. */
  readonly begin: number;
}

/** The most numbers that a storage is given on a backend: the same everywhere, as every adapter has room for them. */
export function mostPerStorage({ mostNumbers }: Backend): number {
  return Math.min(MOST_NUMBERS, mostNumbers);
}

/**
 * The tensors as which one is held: itself, or ranges of its rows if it is a table of more than `most` numbers. Each
 * range has as many rows as go into `most` numbers, the last one those that are left.
 */
export function rowRanges(spec: NamedShape, most: number): RowRange[] {
  const { name, shape: [rows, ...row] } = spec;
  // A storage ends where the next view may begin.
  const room = most - most % VIEW_ALIGNMENT;
  if (!spec.byRows || sizeOf(spec.shape) <= room) return [{ ...spec, whole: name, begin: 0 }];
  const width = sizeOf(row);
  const each = Math.max(1, Math.floor(room / width));
  return Array.from({ length: Math.ceil(rows / each) }, (_, index) => {
    const [first, end] = [index * each, Math.min((index + 1) * each, rows)];
    return {
      ...spec,
      name: `${name}[${first}:${end}]`,
      shape: [end - first, ...row],
      whole: name,
      begin: first * width,
    };
  });
}

/** The tensor ranges of each tensor, by its name. */
export function rangesByName(ranges: readonly RowRange[]): ReadonlyMap<string, readonly RowRange[]> {
  return groupBy(ranges, ({ whole }) => whole);
}
