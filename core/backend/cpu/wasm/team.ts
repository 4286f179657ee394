/** The functions that a binary exports; they take and return 32-bit integers. */
export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** The threads that share the memory: who runs the calls into which a kernel was split. */
export interface Team {
  /** How many calls can run at the same time. */
  readonly threads: number;

  /**
   * Calls one export of the binary once for each list of arguments, at most `threads` of them, and returns when all
   * calls have.
   */
  run(name: string, calls: readonly (readonly number[])[]): void;

  close(): Promise<void>;
}

/** The team of this thread alone. */
export function alone(exports: Exports): Team {
  return {
    threads: 1,
    run: (name, calls) => calls.forEach((args) => exports[name](...args)),
    close: () => Promise.resolve(),
  };
}

/**
 * Cuts the range from `begin` to `end` into at most `parts` ranges of nearly equal length, cut at whole multiples of
 * `unit` from the beginning. None is empty, unless the whole range is: then there is none.
 */
export function cut(begin: number, end: number, parts: number, unit = 1): [begin: number, end: number][] {
  const units = Math.ceil(Math.max(end - begin, 0) / unit), count = Math.min(parts, units);
  const edge = (i: number) => Math.min(begin + Math.round(units * i / count) * unit, end);
  return Array.from({ length: count }, (_, i) => [edge(i), edge(i + 1)]);
}
