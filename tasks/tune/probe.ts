import { Run } from "../../core/distill/run.ts";
import type { RunOptions } from "../../core/distill/open_run.ts";
import { StoppedEarly, TrainingFailure } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import { currentFiles, useFiles } from "../../core/files/current.ts";
import { memoryWithin } from "../../core/files/memory_within.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { Ground } from "./default_space.ts";
import { between, type Configuration, type Position, type Space } from "./space.ts";

/** Steps before the clock, which compile and record, and steps on it, fewer where they take long together. */
const [WARM_UP, TIMED, MOST_SECONDS] = [3, 10, 20];

/** What is known of a recipe before it is tuned. */
export interface Probe {
  /** Seconds until a run's first step, and of an epoch with its validation. */
  readonly opening: number;
  readonly epoch: number;
  readonly data: Ground["data"];
  /** SHA-256 of what its data set reads. */
  readonly sha256: Readonly<Record<string, string>>;
}

/**
 * Opens a run and takes a few steps, to know how long it takes. What it writes is in memory alone.
 *
 * @param recipe its run folder is there for nobody else
 * @param clock gives seconds
 * @throws UserError for a mistake in the recipe
 */
export async function probe(recipe: Checked<Recipe>, options: RunOptions, clock: () => number): Promise<Probe> {
  const { signal } = options;
  return await inMemory(recipe, async () => {
    const begun = clock();
    using run = await Run.open(recipe, { ...options, dry: true });
    const opening = clock() - begun;
    const { training, data } = run.parts;
    let [first, timed] = [clock(), 0];
    while (!training.finished && timed < TIMED && (timed === 0 || clock() - first < MOST_SECONDS)) {
      if (signal?.aborted) throw new StoppedEarly();
      if (training.progress.step === WARM_UP) first = clock();
      if (training.progress.step >= WARM_UP) timed++;
      await training.step();
    }
    // The device may still be at it.
    await settled(run);
    const trained = clock();
    const step = (trained - first) / Math.max(1, timed);
    await run.evaluate("validation");
    const epoch = step * training.progress.stepsPerEpoch + clock() - trained;
    const { task, classes } = data.dataset.input;
    return { opening, epoch, data: { task, classes }, sha256: data.sha256 };
  });
}

/** Waits until what was sent to the device is done. */
async function settled({ parts: { ops } }: Run): Promise<void> {
  const scalar = ops.full([1], 0);
  await ops.read([scalar]);
  scalar.dispose();
}

/** Something that a recipe's models and data do not allow. */
export interface Refusal {
  readonly lever: string;
  /** `null`: the lever as a whole. */
  readonly option: string | null;
  readonly reason: string;
}

/** How options are tried. */
export interface RefusalOptions extends RunOptions {
  /** Checks the options of a recipe's plug-ins. */
  readonly resolve: (recipe: Checked<Recipe>) => Promise<void>;
}

/**
 * What cannot be run of a space. Each option of each lever alone is opened; of a range both ends and a number between
 * them are looked at as a part of the recipe.
 *
 * @param recipe that of a configuration, in the folder of {@link probe}
 */
export async function refusals(
  space: Space,
  recipe: (configuration: Configuration) => Checked<Recipe>,
  options: RefusalOptions,
): Promise<Refusal[]> {
  const found: Refusal[] = [];
  const yardstick = yardstickOf(recipe({}));
  for (const lever of space.levers) {
    const at = (position: Position) => {
      const changed = recipe({ [lever.name]: position });
      const hidden = space.overrides({ [lever.name]: position }).find(({ path: [key] }) => OWN.includes(String(key)));
      const key = hidden?.path[0] ??
        Object.entries(yardstickOf(changed)).find(([key, value]) => value !== yardstick[key])?.[0];
      if (key === undefined) return changed;
      throw new UserError(`Cannot change ${key}: trials are compared with each other by what it says`);
    };
    if (lever.kind === "range") {
      for (const number of [lever.from, lever.to, between(lever), ...lever.off === null ? [] : [lever.off]]) {
        const reason = await refusalOf(async () => await options.resolve(at(number)));
        if (reason !== null) found.push({ lever: lever.name, option: null, reason });
      }
      continue;
    }
    for (const option of lever.options.keys()) {
      const reason = await refusalOf(async () => {
        const own = at(option);
        await inMemory(own, async () => {
          using _ = await Run.open(own, { ...options, dry: true, reporter: undefined });
        });
      });
      if (reason !== null) found.push({ lever: lever.name, option, reason });
    }
  }
  return found;
}

/** What tune itself says of each run. */
const OWN: readonly string[] = ["seed", "output", "base", "name"];

/** What all trials must have in common to be compared, by its key. */
function yardstickOf({ value }: Checked<Recipe>): Record<string, string> {
  const { validation, evaluate, dataset, subset, backend, train: { monitor, maxSteps } } = value;
  const keys = { validation, evaluate, dataset, subset, backend, "train.monitor": monitor, "train.maxSteps": maxSteps };
  return Object.fromEntries(Object.entries(keys).map(([key, said]) => [key, JSON.stringify(said)]));
}

/** Why a recipe cannot be run, in one line; `null` if it can. */
async function refusalOf(body: () => Promise<void>): Promise<string | null> {
  try {
    await body();
    return null;
  } catch (error) {
    if (error instanceof UserError || error instanceof TrainingFailure) {
      // Where the recipe has it says nothing of the option that is in its place.
      return error.message.split("\n", 1)[0].replace(/^.*?:\d+:\d+: /, "");
    }
    throw error;
  }
}

async function inMemory<Result>(recipe: Checked<Recipe>, body: () => Promise<Result>): Promise<Result> {
  const files = currentFiles();
  try {
    useFiles(memoryWithin(recipe.value.output, files));
    return await body();
  } finally {
    useFiles(files);
  }
}
