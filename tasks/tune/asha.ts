/** A piece of work: a trial is to be trained as long as a rung says. */
export interface Job {
  /** The trial's number, from 0 in the order of their beginnings. */
  readonly trial: number;
  /** From 0, the shortest. On the top rung a trial has its whole training. */
  readonly rung: number;
}

/** How trials are compared. */
export interface AshaOptions {
  /** How many rungs there are; with one it is random search: every trial has its whole training at once. */
  readonly rungs: number;
  /** Of so many trials on a rung one goes on. */
  readonly reduction?: number;
  /** So many of the first trials go on to the top whatever they score: what others are to be held against. */
  readonly unconditional?: number;
}

/** What became of a trial on a rung. */
type Result = { readonly score: number | null };

/**
 * Asynchronous successive halving (ASHA; Li et al. 2020, arXiv 1810.05934, algorithm 2): trials begin on the lowest
 * rung, and whenever there is room for work, the highest rung with a trial among its best `1 / reduction` that has not
 * gone on sends it up; if there is none, a new trial begins. Nobody waits for a rung to be full, so that any number of
 * workers ask and report in any order.
 *
 * Against the paper it knows that time ends: nothing is begun that could not be brought to the top in what is left, and
 * once no new trial could be, the best of those that wait go on. Whether a rung's training goes on from that below
 * it or begins anew is nothing to it. It neither trains nor samples: trials are numbers, and scores are whatever is
 * larger for the better.
 *
 * @example
 * ```ts
 * const asha = new Asha({ rungs: 3 });
 * for (let job; (job = asha.next(() => true)) !== null;) asha.report(job, 0.5);
 * ```
 */
export class Asha {
  readonly #reduction: number;
  readonly #unconditional: number;
  /** By rung, the results of the trials there in the order of their reports. */
  readonly #rungs: readonly Map<number, Result>[];
  /** By rung, the trials that were sent to it. */
  readonly #sent: readonly Set<number>[];
  #begun = 0;

  constructor({ rungs, reduction = 3, unconditional = 0 }: AshaOptions) {
    if (!(rungs >= 1) || !(reduction > 1)) throw new RangeError(`Cannot halve by ${reduction} over ${rungs} rungs`);
    this.#reduction = reduction;
    this.#unconditional = unconditional;
    this.#rungs = Array.from({ length: rungs }, () => new Map());
    this.#sent = Array.from({ length: rungs }, () => new Set());
  }

  /** Trials that were begun. */
  get begun(): number {
    return this.#begun;
  }

  /**
   * The next piece of work; its result must be reported.
   *
   * @param fits whether there is time to bring a trial from below this rung to the top; it is asked of trials that are
   * not begun, too
   * @returns `null` if there is none now. What is still to be reported may change that.
   */
  next(fits: (job: Job) => boolean): Job | null {
    const job = this.#promotion(fits, (rung) => this.#promotable(rung)) ?? this.#beginning(fits) ??
      this.#promotion(fits, (rung) => this.#ranked(rung));
    if (!job) return null;
    this.#sent[job.rung].add(job.trial);
    this.#begun = Math.max(this.#begun, job.trial + 1);
    return job;
  }

  /**
   * Tells what became of a piece of work.
   *
   * @param score `null`, or not finite: the trial is lost, and goes no further
   */
  report({ trial, rung }: Job, score: number | null): void {
    if (!this.#sent[rung]?.has(trial)) {
      throw new RangeError(`Cannot report trial ${trial} on rung ${rung}: nobody asked`);
    }
    this.#rungs[rung].set(trial, { score: score !== null && Number.isFinite(score) ? score : null });
  }

  /** A trial's scores by rung, as far as it came; `null` where it was lost. */
  scores(trial: number): (number | null)[] {
    return this.#rungs.flatMap((rung) => rung.has(trial) ? [rung.get(trial)!.score] : []);
  }

  /** The best trial of those with their whole training, the first of equals; `null` if there is none. */
  get best(): number | null {
    return this.finalists.at(0) ?? null;
  }

  /** All trials with their whole training, the best first. */
  get finalists(): readonly number[] {
    return this.#ranked(this.#rungs.length - 1);
  }

  /** Trials on a rung that were not lost, the best first, of equals the one begun first. */
  #ranked(rung: number): number[] {
    const sound = [...this.#rungs[rung]].flatMap(([trial, { score }]) => score === null ? [] : [{ trial, score }]);
    return sound.sort((a, b) => b.score - a.score || a.trial - b.trial).map(({ trial }) => trial);
  }

  /** Trials of a rung that are to go on. A lost one counts among those that were compared. */
  #promotable(rung: number): number[] {
    const ranked = this.#ranked(rung);
    const share = Math.floor(this.#rungs[rung].size / this.#reduction);
    return ranked.filter((trial, place) => place < share || trial < this.#unconditional);
  }

  #promotion(fits: (job: Job) => boolean, candidates: (rung: number) => readonly number[]): Job | null {
    for (let rung = this.#rungs.length - 1; rung > 0; rung--) {
      for (const trial of candidates(rung - 1)) {
        const job = { trial, rung };
        if (!this.#sent[rung].has(trial) && fits(job)) return job;
      }
    }
    return null;
  }

  #beginning(fits: (job: Job) => boolean): Job | null {
    const job = { trial: this.#begun, rung: 0 };
    return fits(job) ? job : null;
  }
}
