import type { Asha, Job } from "./asha.ts";
import { atOnce } from "./at_once.ts";

/** What became of a training. */
export type Evaluated =
  /** Larger is better. */
  | { readonly score: number }
  /** In words; the trial is lost. Where others gave it up, it may train well all the same. */
  | { readonly lost: string; readonly givenUp?: true };

/**
 * What trains: here, on another machine, or by a formula. A search neither knows what a configuration is nor how long
 * anything takes, and asks this.
 */
export interface Evaluator<Configuration> {
  /**
   * Trains by a configuration over a part of its whole length: a complete training, whose schedules are as short.
   *
   * @param resource above 0, at most 1
   */
  evaluate(configuration: Configuration, resource: number): Promise<Evaluated>;
  /** Seconds that this would take, as far as is known; 0 of what is known already. */
  seconds(configuration: Configuration, resource: number): number;
  /** Seconds of the budget that are used, or that must be kept as what is begun may end later than expected. */
  used(): number;
  /** How many evaluations can be under way at once; left out: one. */
  workers?(): number;
}

/** A search's setting. */
export interface SearchOptions<Configuration> {
  readonly asha: Asha;
  /** By rung the part of its length over which a trial is trained there; the last is 1. */
  readonly resources: readonly number[];
  /** The configuration of a trial by its number, the same at every call; `null`: there are no more. */
  readonly configuration: (trial: number) => Configuration | null;
  readonly evaluator: Evaluator<Configuration>;
  /** Nothing is begun that would end after so many seconds of the budget. */
  readonly seconds: number;
  /** Told before and after each evaluation. */
  readonly begun?: (job: Job) => void;
  readonly ended?: (job: Job, evaluated: Evaluated) => void;
}

/** Carries a search out until nothing more fits into its time. */
export async function search<Configuration>(
  { asha, resources, configuration, evaluator, seconds, begun, ended }: SearchOptions<Configuration>,
): Promise<void> {
  const fits = ({ trial, rung }: Job) => {
    const own = configuration(trial);
    if (own === null) return false;
    // What is known costs nothing, however late it is.
    if (evaluator.seconds(own, resources[rung]) === 0) return true;
    const toTheTop = resources.slice(rung).map((resource) => evaluator.seconds(own, resource));
    return evaluator.used() + toTheTop.reduce((sum, one) => sum + one, 0) <= seconds;
  };
  const work = async (job: Job) => {
    begun?.(job);
    const evaluated = await evaluator.evaluate(configuration(job.trial)!, resources[job.rung]);
    asha.report(job, "score" in evaluated ? evaluated.score : null);
    ended?.(job, evaluated);
  };
  await atOnce(() => evaluator.workers?.() ?? 1, () => {
    const job = asha.next(fits);
    return job && (() => work(job));
  });
}

/**
 * The parts of a whole training over which trials are trained to be compared: 1, and below it each a `reduction`-th of
 * the next, as long as the shortest training has a whole epoch there.
 *
 * @param epochs of the shortest training
 * @param most rungs at most
 *
 * @example
 * ```ts
 * resourcesFor(10, 3, 3); // [1 / 9, 1 / 3, 1]
 * resourcesFor(4, 3, 3); // [1 / 3, 1]
 * ```
 */
export function resourcesFor(epochs: number, reduction: number, most: number): number[] {
  const resources = [1];
  while (resources.length < most && epochs / reduction ** resources.length >= 1) {
    resources.unshift(1 / reduction ** resources.length);
  }
  return resources;
}
