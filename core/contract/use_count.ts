import type { Index } from "./notation.ts";

/** How many of the operands that are still to be contracted, and of the result, have an index. */
export class UseCount {
  readonly #uses = new Map<Index, number>();

  constructor(lists: Iterable<readonly Index[]>) {
    for (const indices of lists) this.add(indices);
  }

  of(index: Index): number {
    return this.#uses.get(index) ?? 0;
  }

  add(indices: readonly Index[]): void {
    for (const index of indices) this.#uses.set(index, this.of(index) + 1);
  }

  remove(indices: readonly Index[]): void {
    for (const index of indices) this.#uses.set(index, this.of(index) - 1);
  }

  /** The indices of the product of two operands: all of theirs, save those that only these two have. */
  kept(a: readonly Index[], b: readonly Index[]): Index[] {
    const union = [...new Set([...a, ...b])];
    return union.filter((index) => this.of(index) > Number(a.includes(index)) + Number(b.includes(index)));
  }
}
