import { pairedDifference } from "../experiment/statistics.ts";
import { atOnce, shared } from "./at_once.ts";
import type { Evaluated, Evaluator } from "./search.ts";
import type { Configuration, Space } from "./space.ts";
import { type Contrast, contrastsOf, type Finding } from "./verdict.ts";

/** Seeds of a verdict: by fewer than three there is no interval of use, and more than ten tell little more. */
const [LEAST_SEEDS, MOST_SEEDS] = [3, 10];

/** How a verdict is run. */
export interface VerdictOptions {
  readonly space: Space;
  readonly best: Configuration;
  /** The runs of a seed. */
  readonly runs: (seed: number) => Evaluator<Configuration>;
  /** The first of the seeds, one after the other. */
  readonly firstSeed: number;
  /** Nothing is begun that would end after so many seconds of the budget. */
  readonly seconds: number;
  readonly begun?: (what: string) => void;
  readonly ended?: (what: string, evaluated: Evaluated) => void;
}

/** What came of it. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** Seeds that were run. */
  readonly seeds: readonly number[];
  /** On how many of them the best itself failed to train. */
  readonly failed: number;
}

/** What a verdict is, if none is wanted. */
export const NO_VERDICT: Verdict = { findings: [], seeds: [], failed: 0 };

/** Seconds that the cheapest verdict would take: of one contrast. `null`: there is nothing to hold the best against. */
export function leastVerdict({ space, best, runs, firstSeed }: Omit<VerdictOptions, "seconds">): number | null {
  const cost = (configuration: Configuration) =>
    Array.from({ length: LEAST_SEEDS }, (_, seed) => runs(firstSeed + seed).seconds(configuration, 1))
      .reduce((sum, seconds) => sum + seconds, 0);
  const costs = contrastsOf(space, best).map(({ configuration }) => cost(configuration));
  if (costs.length === 0) return null;
  return shared(cost(best) + Math.min(...costs), 2 * LEAST_SEEDS, runs(firstSeed).workers?.() ?? 1);
}

/**
 * Runs the best configuration and what it is to be held against, whole and with the same seeds. With three seeds as
 * many contrasts as there is time for, in their order, and then more seeds of all of these.
 */
export async function runVerdict(
  { space, best, runs, firstSeed, seconds, begun, ended }: VerdictOptions,
): Promise<Verdict> {
  const contrasts = contrastsOf(space, best);
  const own = runs(firstSeed);
  const workers = () => own.workers?.() ?? 1;
  const left = () => seconds - own.used();
  const cost = (contrast: Contrast | null, index: number) =>
    runs(firstSeed + index).seconds(contrast?.configuration ?? best, 1);
  const fits = (seconds: number) => seconds === 0 || seconds <= left();
  /** By what is run what it came to in the order of seeds, from when a run is begun. */
  const scores = new Map<Contrast | null, (Evaluated | null)[]>([[null, []]]);
  const begin = (contrast: Contrast | null) => {
    const all = scores.get(contrast)!;
    return { contrast, all, index: all.push(null) - 1 };
  };
  function* planned() {
    for (const contrast of contrasts) {
      const known = scores.get(null)!.length;
      const missing = LEAST_SEEDS - known;
      let needed = 0;
      for (let index = 0; index < LEAST_SEEDS; index++) {
        needed += cost(contrast, index) + (index < known ? 0 : cost(null, index));
      }
      const busy = scores.size === 1 ? 0 : workers() - 1;
      if (!fits(shared(needed, LEAST_SEEDS + missing, workers(), busy))) continue;
      scores.set(contrast, []);
      for (let seed = 0; seed < LEAST_SEEDS && fits(cost(contrast, seed)); seed++) {
        if (scores.get(null)!.length <= seed) yield begin(null);
        yield begin(contrast);
      }
    }
    const round = [...scores.keys()];
    // The last round is still under way, but for one of its runs.
    const roundFits = (index: number) => {
      const all = round.reduce((sum, contrast) => sum + cost(contrast, index), 0);
      return fits(shared(all, round.length, workers(), workers() - 1));
    };
    while (round.length > 1 && scores.get(null)!.length < MOST_SEEDS && roundFits(scores.get(null)!.length)) {
      for (const contrast of round) yield begin(contrast);
    }
  }
  const plan = planned();
  await atOnce(workers, () => {
    const { value, done } = plan.next();
    if (done) return null;
    const { contrast, all, index } = value;
    return async () => {
      const what = `seed ${firstSeed + index}, ${nameOf(contrast)}`;
      begun?.(what);
      const evaluated = await runs(firstSeed + index).evaluate(contrast?.configuration ?? best, 1);
      all[index] = evaluated;
      ended?.(what, evaluated);
    };
  });
  const seeds = scores.get(null)!.map((_, index) => firstSeed + index);
  const ours = scores.get(null)!;
  const findings = contrasts.map((contrast): Finding => {
    const { configuration: _, ...rest } = contrast;
    const theirs = scores.get(contrast) ?? [];
    const pairs = theirs.flatMap((their, index): [number, number][] => {
      const our = ours[index];
      return our && "score" in our && their && "score" in their ? [[our.score, their.score]] : [];
    });
    const own = ours.slice(0, theirs.length);
    const failed = {
      best: own.filter(hasFailed).length,
      against: theirs.filter(hasFailed).length,
      givenUp: [...own, ...theirs].filter((run) => run && "givenUp" in run).length,
    };
    return { ...rest, worth: pairedDifference(pairs), pairs: pairs.length, failed };
  });
  return { findings, seeds, failed: ours.filter(hasFailed).length };
}

const hasFailed = (run: Evaluated | null) => run !== null && "lost" in run && !run.givenUp;

function nameOf(contrast: Contrast | null): string {
  if (!contrast) return "the best";
  return contrast.lever === null ? "the recipe as it is" : `the best with ${contrast.lever} ${contrast.against}`;
}
