import { ASSESSMENTS } from "../../core/assess/assessments.ts";
import type { Assessment, AssessSettings } from "../../core/assess/assessment.ts";
import { UserError } from "../../core/errors.ts";
import { listWords } from "../../core/recipe/words.ts";
import type { RecipeFlags } from "../support/flags.ts";
import { wholeNumber } from "../support/numbers.ts";

/** Flags of the verb `assess`. */
export interface AssessFlags extends RecipeFlags {
  readonly teacher?: string;
  readonly recipe?: string;
  readonly only?: string;
  readonly examples?: string;
  readonly eps?: string;
  readonly epsL2?: string;
  readonly steps: string;
  readonly restarts: string;
  readonly json?: boolean;
  readonly saveTemperature?: boolean;
  readonly manifest?: boolean;
  readonly verify?: string;
}

/** Examples that are attacked, unless `--examples` says otherwise. */
export const MOST_EXAMPLES = 500;

/** The assessments that are asked for, in their own order. @throws UserError for a name of none */
export function chosenAssessments(only: string | undefined): readonly Assessment[] {
  if (only === undefined) return ASSESSMENTS.filter(({ usual }) => usual);
  const names = only.split(",").map((name) => name.trim());
  const known = ASSESSMENTS.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) throw new UserError(`--only ${only}: Expected ${listWords(known, "or")}`);
  }
  return ASSESSMENTS.filter(({ name }) => names.includes(name));
}

/** What the flags say that assessments go by. @throws UserError for a number that is none, or out of range */
export function settingsOf(
  flags: AssessFlags,
  { seed, batchSize }: Pick<AssessSettings, "seed" | "batchSize">,
): AssessSettings {
  return {
    seed: flags.seed === undefined ? seed : seedOf(flags.seed),
    batchSize,
    eps: flags.eps === undefined ? null : strengths("--eps", flags.eps),
    epsL2: flags.epsL2 === undefined ? null : strengths("--eps-l2", flags.epsL2),
    steps: wholeNumber("--steps", flags.steps),
    restarts: wholeNumber("--restarts", flags.restarts),
    most: mostExamples(flags),
  };
}

/** The most examples that are attacked; `null`: all. @throws UserError for what is neither a number nor `all` */
export function mostExamples({ examples }: AssessFlags): number | null {
  if (examples === undefined) return MOST_EXAMPLES;
  return examples === "all" ? null : wholeNumber("--examples", examples);
}

function seedOf(text: string): number {
  const seed = wholeNumber("--seed", text, 0);
  if (seed < 2 ** 32) return seed;
  throw new UserError(`--seed ${text}: Expected a whole number from 0 to 4294967295`);
}

/** Numbers from 0, in rising order: `0.01,2/255`. @throws UserError for anything else */
export function strengths(flag: string, text: string): number[] {
  const values = text.split(",").map((part) => {
    const [above, below = "1", ...rest] = part.split("/").map((side) => side.trim());
    const isNumber = [above, below].every((side) => side !== "" && Number.isFinite(Number(side))) && rest.length === 0;
    return isNumber ? Number(above) / Number(below) : NaN;
  });
  const isRising = values.every((value, at) => at === 0 || value > values[at - 1]);
  if (isRising && values.every((value) => Number.isFinite(value) && value >= 0)) return values;
  throw new UserError(`${flag} ${text}: Expected numbers from 0 in rising order, as in 0.01,0.02 or 2/255,8/255`);
}
