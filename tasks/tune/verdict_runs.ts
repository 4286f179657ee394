import type { Evaluated, Evaluator } from "./search.ts";
import type { Configuration, Space } from "./space.ts";
import { type Contrast, contrastsOf, type Finding, pairedDifference, planVerdict } from "./verdict.ts";

/** Seeds of a verdict at most. */
const MOST_SEEDS = 10;

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
  /** Seeds that were run, the last perhaps in part. */
  readonly seeds: readonly number[];
}

/** Runs the best configuration and what it is to be held against, whole and with the same seeds, seed by seed. */
export async function runVerdict(
  { space, best, runs, firstSeed, seconds, begun, ended }: VerdictOptions,
): Promise<Verdict> {
  const contrasts = contrastsOf(space, best);
  const own = runs(firstSeed);
  const cost = (configuration: Configuration) => own.seconds(configuration, 1, 0);
  const plan = planVerdict(cost(best), contrasts.map(({ configuration }) => cost(configuration)), seconds - own.used());
  const chosen = plan.contrasts.map((index) => contrasts[index]);
  const scores = new Map<Contrast | null, (number | null)[]>([null, ...chosen].map((contrast) => [contrast, []]));
  const seeds: number[] = [];
  const round = [null, ...chosen];
  while (chosen.length > 0 && seeds.length < MOST_SEEDS) {
    const seed = firstSeed + seeds.length;
    // After the promised ones a seed is begun only if it can be ended.
    const needed = round.reduce((sum, contrast) => sum + cost(contrast?.configuration ?? best), 0);
    if (seeds.length >= plan.seeds && own.used() + needed > seconds) break;
    seeds.push(seed);
    for (const contrast of round) {
      const configuration = contrast?.configuration ?? best;
      if (own.used() + cost(configuration) > seconds) return told();
      const what = `seed ${seed}, ${nameOf(contrast)}`;
      begun?.(what);
      const evaluated = await runs(seed).evaluate(configuration, 1, 0);
      scores.get(contrast)!.push("score" in evaluated ? evaluated.score : null);
      ended?.(what, evaluated);
    }
  }
  return told();

  function told(): Verdict {
    const ours = scores.get(null)!;
    const findings = contrasts.map((contrast): Finding => {
      const { configuration: _, ...rest } = contrast;
      const theirs = scores.get(contrast) ?? [];
      const both = theirs.map((score, index) => [ours[index], score] as const);
      const pairs = both.filter((pair): pair is [number, number] => pair[0] !== null && pair[1] !== null);
      return { ...rest, worth: pairedDifference(pairs), pairs: pairs.length, failed: both.length - pairs.length };
    });
    return { findings, seeds };
  }
}

function nameOf(contrast: Contrast | null): string {
  if (!contrast) return "the best";
  return contrast.lever === null ? "the recipe as it is" : `the best with ${contrast.lever} ${contrast.against}`;
}
