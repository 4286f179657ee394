/** Seconds per stage of a run. */
export class Stopwatch {
  readonly #started = performance.now();
  #carried = 0;
  readonly #stages = new Map<string, number>();

  /** Runs a stage and adds its time; a stage may run more than once. */
  async time<Result>(stage: string, body: () => Promise<Result> | Result): Promise<Result> {
    const begin = performance.now();
    try {
      return await body();
    } finally {
      this.add(stage, (performance.now() - begin) / 1000);
    }
  }

  /** Adds time to a stage. */
  add(stage: string, seconds: number): void {
    this.#stages.set(stage, (this.#stages.get(stage) ?? 0) + seconds);
  }

  /** Time of a stage that passed before the stopwatch was made: in the part of a run that is resumed. */
  carry(stage: string, seconds: number): void {
    this.add(stage, seconds);
    this.#carried += seconds;
  }

  /** Seconds by stage, and since the stopwatch was made, with what was carried over. */
  get seconds(): Readonly<Record<string, number>> & { readonly total: number } {
    return { ...Object.fromEntries(this.#stages), total: (performance.now() - this.#started) / 1000 + this.#carried };
  }
}
