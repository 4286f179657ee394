/**
 * A number that goes with how many examples there are, and how many tokens each has: the factor, times either or both,
 * and the offset.
 */
export interface Amount {
  readonly factor: number;
  readonly batch: 0 | 1;
  readonly length: 0 | 1;
  readonly offset: number;
}

/** The sizes of a batch that a model is traced with. */
export interface TracedSizes {
  readonly batch: number;
  readonly length: number;
}

/** A number of a graph: the same for every batch, or one that follows it. */
export type Extent = number | Amount;

/** What a number is, where a batch has some sizes. */
export function amountAt(extent: Extent, { batch, length }: TracedSizes): number {
  if (typeof extent === "number") return extent;
  return extent.factor * (extent.batch ? batch : 1) * (extent.length ? length : 1) + extent.offset;
}

/**
 * What a number is that was seen with batches of four sizes: with the first, with another batch, with another length,
 * and with both others, by which the answer is proven; `null` where it goes with them in another way.
 */
export function amountOf(seen: readonly number[], sizes: readonly TracedSizes[]): Extent | null {
  if (seen.every((value) => value === seen[0])) return seen[0];
  const [first, wider, longer] = seen;
  const ratio = { batch: sizes[1].batch / sizes[0].batch, length: sizes[2].length / sizes[0].length };
  const batch = wider === first ? 0 : 1;
  const candidates: Amount[] = [];
  const whole = (amount: Amount) => candidates.push(amount);
  if (close(wider, first * (batch ? ratio.batch : 1))) {
    for (const length of [0, 1] as const) {
      if (!close(longer, first * (length ? ratio.length : 1))) continue;
      whole({
        factor: first / (batch ? sizes[0].batch : 1) / (length ? sizes[0].length : 1),
        batch,
        length,
        offset: 0,
      });
    }
  }
  if (batch === 0 && sizes[2].length !== sizes[0].length) {
    const factor = (longer - first) / (sizes[2].length - sizes[0].length);
    whole({ factor, batch: 0, length: 1, offset: first - factor * sizes[0].length });
  }
  return candidates.find((amount) =>
    Number.isInteger(amount.factor) && Number.isInteger(amount.offset) &&
    seen.every((value, index) => value === amountAt(amount, sizes[index]))
  ) ?? null;
}

const close = (a: number, b: number) => Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(a));
