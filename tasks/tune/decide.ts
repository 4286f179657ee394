import { atOnce, shared } from "./at_once.ts";
import type { Evaluated, Evaluator } from "./search.ts";
import type { Configuration } from "./space.ts";

/** A trial that had its whole training. */
export interface Finalist {
  readonly trial: number;
  readonly configuration: Configuration;
  /** On the search's seed. */
  readonly score: number;
}

/** Seeds beside the search's that a decision is made by. */
export const DECIDING_SEEDS = 2;

/** Finalists at most, the recipe beside them. */
const MOST_FINALISTS = 3;

/** How a decision is made. */
export interface DecideOptions {
  /** The best first; the recipe as it is may be any of them. */
  readonly finalists: readonly Finalist[];
  readonly runs: (seed: number) => Evaluator<Configuration>;
  readonly firstSeed: number;
  /** Nothing is begun that would end after so many seconds of the budget. */
  readonly seconds: number;
  readonly begun?: (what: string) => void;
  readonly ended?: (what: string, evaluated: Evaluated) => void;
}

/** A finalist's mean over all seeds. */
export interface Decided extends Finalist {
  /** `null`: there was no time for it, or a run of it failed. */
  readonly mean: number | null;
}

/**
 * Which of the best trials of a search is the best: the best of many with one seed owes part of its score to that. It,
 * the recipe as it is and the next best are run with two more seeds each, as far as there is time; the best mean over
 * three seeds wins, of equals the recipe.
 *
 * @returns the winner first. Where there was no time for two of them, the search's order stays.
 */
export async function decide(
  { finalists, runs, firstSeed, seconds, begun, ended }: DecideOptions,
): Promise<readonly Decided[]> {
  const isRecipe = ({ configuration }: Finalist) => Object.keys(configuration).length === 0;
  const recipe = finalists.filter(isRecipe);
  const others = finalists.filter((finalist) => !isRecipe(finalist)).slice(0, MOST_FINALISTS);
  // The recipe second, as it is what the first must be better than.
  const order = [...others.slice(0, 1), ...recipe, ...others.slice(1)];
  const own = runs(firstSeed);
  const seeds = Array.from({ length: DECIDING_SEEDS }, (_, index) => firstSeed + index);
  const workers = () => own.workers?.() ?? 1;
  /** Runs under way, which those that follow wait for. */
  let busy = 0;
  const fits = (some: readonly Finalist[]) => {
    const all = some.flatMap(({ configuration }) => seeds.map((seed) => runs(seed).seconds(configuration, 1)))
      .reduce((sum, cost) => sum + cost, 0);
    return all === 0 || own.used() + shared(all, some.length * DECIDING_SEEDS, workers(), busy) <= seconds;
  };
  if (order.length < 2 || !fits(order.slice(0, 2))) {
    const undecided = order.map((finalist) => ({ ...finalist, mean: null }));
    return undecided.toSorted((a, b) => b.score - a.score || a.trial - b.trial);
  }
  const scores = new Map(order.map((finalist) => [finalist, [finalist.score]]));
  function* planned() {
    for (const [place, finalist] of order.entries()) {
      // The first two are nothing without each other.
      if (place >= 2 && !fits([finalist])) continue;
      for (const seed of seeds) yield { finalist, seed };
    }
  }
  const plan = planned();
  await atOnce(workers, () => {
    const { value, done } = plan.next();
    if (done) return null;
    const { finalist, seed } = value;
    return async () => {
      const what = `finalist ${finalist.trial}, seed ${seed}`;
      begun?.(what);
      busy++;
      const evaluated = await runs(seed).evaluate(finalist.configuration, 1);
      busy--;
      if ("score" in evaluated) scores.get(finalist)!.push(evaluated.score);
      ended?.(what, evaluated);
    };
  });
  const decided = order.map((finalist): Decided => {
    const all = scores.get(finalist)!;
    const isWhole = all.length === 1 + DECIDING_SEEDS;
    return { ...finalist, mean: isWhole ? all.reduce((sum, score) => sum + score, 0) / all.length : null };
  });
  return decided.toSorted((a, b) => (b.mean ?? -1e9) - (a.mean ?? -1e9) || Number(isRecipe(b)) - Number(isRecipe(a)));
}
