import { firstIndices } from "../data/loader.ts";
import type { Examples } from "../plugin/dataset.ts";

/** The examples with a label, where some have one and some have none; else `null`. */
export function labelledOnes({ labelled }: Examples): Uint32Array | null {
  if (!labelled?.includes(1) || !labelled.includes(0)) return null;
  return firstIndices(labelled.length).filter((index) => labelled[index] === 1);
}

/** Whether a list is known to have copies. */
export function hasCopies({ equal }: Examples): boolean {
  return equal !== undefined && new Set(equal).size < equal.length;
}

/** Of some of a list's examples, `null` for all, those that are no copy of one before; `null` if that is the list. */
export function differentOnes({ length, equal }: Examples, some: Uint32Array | null): Uint32Array | null {
  if (!equal) return some;
  const seen = new Set<number>();
  const different = (some ?? firstIndices(length)).filter((index) => {
    const isNew = !seen.has(equal[index]);
    seen.add(equal[index]);
    return isNew;
  });
  return different.length === length ? null : different;
}

/** The indices of a list's examples that are neither among some of them nor copies of these. */
export function othersThan({ length, equal }: Examples, some: Uint32Array): Uint32Array {
  const rest = allBut(some, length);
  if (!equal) return rest;
  const taken = new Set(some.map((index) => equal[index]));
  return rest.filter((index) => !taken.has(equal[index]));
}

/** The indices of all but some of a list's examples, in rising order. */
function allBut(chosen: Uint32Array, count: number): Uint32Array {
  const without = new Set(chosen);
  return firstIndices(count).filter((index) => !without.has(index));
}
