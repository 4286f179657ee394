import type { Difference } from "../experiment/statistics.ts";
import { type Configuration, type Lever, type Position, Space } from "./space.ts";

/** A comparison of a verdict: the best configuration against one that differs in a lever, or against the recipe. */
export interface Contrast {
  /** The lever's name; `null`: all that was changed, against the recipe. */
  readonly lever: string | null;
  /** Where the lever stands in the best configuration, and where in the other one. */
  readonly best: Position | null;
  readonly against: Position | null;
  readonly configuration: Configuration;
}

/**
 * What the best configuration is to be held against: the recipe, then itself with each lever alone set back, to where
 * the recipe has it, or where it stands there anyhow to off, or to what else its lever names. The first are the most
 * important.
 */
export function contrastsOf(space: Space, best: Configuration): Contrast[] {
  const contrast = (lever: Lever, against: Position): Contrast => {
    const configuration = space.normalised({ ...best, [lever.name]: against });
    // What is run is said: set back, it may stand where an option of another lever has it.
    return {
      lever: lever.name,
      best: space.position(lever, best),
      against: space.position(lever, configuration),
      configuration,
    };
  };
  const moved = space.levers.filter(({ name }) => best[name] !== undefined);
  const still = space.levers.filter((lever) => !moved.includes(lever));
  const all = [
    // With one lever moved the recipe is the same as that set back.
    ...(moved.length > 1 ? [{ lever: null, best: null, against: null, configuration: {} }] : []),
    ...moved.map((lever) => contrast(lever, lever.own)),
    ...still.flatMap((lever) => {
      const [at, against = lever.off] = [space.position(lever, best), lever.against];
      return at === null || against === null || against === at ? [] : [contrast(lever, against)];
    }),
  ];
  // Where another lever's option has the last word there is nothing to be told of this one.
  return all.filter(({ lever, best: at, against }) => lever === null || at !== against);
}

/** A contrast that was run, or why it was not. */
export interface Finding extends Omit<Contrast, "configuration"> {
  /** Of the score: how much better the best configuration is; `null` where no pair of runs came to its end. */
  readonly worth: Difference | null;
  readonly pairs: number;
  /** Runs that failed, of the best and of what it is held against; of others that gave them up nothing is known. */
  readonly failed: { readonly best: number; readonly against: number; readonly givenUp: number };
}

/** A finding in a word. */
export function wordOf({ lever, against, worth, pairs, failed }: Finding): string {
  if (pairs === 0 && failed.best > 0 && failed.against > 0) return "no pair of runs trains";
  if (pairs === 0 && failed.best > 0) return "the best itself does not train";
  if (pairs === 0 && failed.against > 0) return "does not train without it";
  if (pairs === 0 && failed.givenUp > 0) return "not measured: given up";
  if (!worth) return "not measured: no time";
  if (!worth.interval) return pairs > 1 ? "all pairs are alike: no interval" : "one pair says nothing";
  if (worth.withinNoise) return "within noise";
  if (worth.value > 0) return "worth it";
  return lever === null ? "worse than the recipe" : `better at ${against}`;
}

/** What became of the runs that make no pair, in words; empty if all do. */
export function failuresOf({ pairs, failed: { best, against, givenUp } }: Finding): string {
  // Of one kind the word has told it.
  if (pairs === 0 && (best === 0 || against === 0)) return "";
  const parts = [
    ...best > 0 ? [`the best failed ${best}x`] : [],
    ...against > 0 ? [`without it ${against} failed`] : [],
    ...givenUp > 0 ? [`${givenUp} given up`] : [],
  ];
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}
