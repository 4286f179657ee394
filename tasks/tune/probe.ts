import { Run } from "../../core/distill/run.ts";
import type { RunOptions } from "../../core/distill/open_run.ts";
import { evaluate } from "../../core/evaluate/evaluate.ts";
import { StoppedEarly, TrainingFailure } from "../../core/distill/stops.ts";
import { comparable } from "../../core/distill/training/checkpoint.ts";
import { UserError } from "../../core/errors.ts";
import { currentFiles, useFiles } from "../../core/files/current.ts";
import { memoryWithin } from "../../core/files/memory_within.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { formatPath } from "../../core/recipe/paths.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { Ground } from "./default_space.ts";
import { between, type Configuration, type Space } from "./space.ts";

/** Steps before the clock, which compile and record, and steps on it, fewer where they take long together. */
const [WARM_UP, TIMED, MOST_SECONDS] = [3, 10, 20];

/** Seconds that a run's page takes to be drawn, most of it for loading what draws. */
const DRAWING = 2;

/** What is known of a recipe before it is tuned. */
export interface Probe {
  /** Seconds until a run's first step, and of an epoch with its validation. */
  readonly opening: number;
  readonly epoch: number;
  /** Seconds that a trained student takes to be written and measured on the test examples beside the teacher. */
  readonly ending: number;
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
    const validated = clock();
    const epoch = step * training.progress.stepsPerEpoch + validated - trained;
    await teach(run);
    // How long test examples take is told by the others; nobody looks at these.
    const testing = (clock() - trained) * data.test.length / data.validation!.length;
    // A run is opened for it; a quarter more is for what is written and verified.
    const ending = 1.25 * (opening + testing) + DRAWING;
    const { task, classes } = data.dataset.input;
    return { opening, epoch, ending, data: { task, classes }, sha256: data.sha256 };
  });
}

/** Measures the teacher on the validation examples. */
async function teach(
  { parts: { ops, teacher, data: { validation, dataset: { input } }, recipe } }: Run,
): Promise<void> {
  if (!teacher || !validation || teacher.knows?.(validation) === false) return;
  const { model, weights } = teacher;
  await evaluate(ops, { who: "the teacher", model, weights, examples: validation, input, ...recipe.value.evaluate });
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

/** The recipe of a configuration, in the folder of {@link probe}. */
type RecipeOf = (configuration: Configuration) => Checked<Recipe>;

/**
 * What of a space is no recipe of its own that can be compared with others, as far as it shows before a model is built:
 * of a range by its ends and a number between them.
 *
 * @param resolve checks the options of a recipe's plug-ins, and fills them in
 */
export async function unfit(
  space: Space,
  recipe: RecipeOf,
  resolve: (recipe: Checked<Recipe>) => Promise<unknown>,
): Promise<Refusal[]> {
  const found: Refusal[] = [];
  const yardstick = yardstickOf(recipe({}));
  const plain = recipe({});
  await resolve(plain);
  const own = trainedBy(plain);
  for (const lever of space.levers) {
    const positions = lever.kind === "choice"
      ? [...lever.options.keys()]
      : [lever.from, lever.to, between(lever), ...lever.off === null ? [] : [lever.off]];
    let idle = 0;
    for (const position of positions) {
      const option = lever.kind === "choice" ? String(position) : null;
      const reason = await refusalOf(async () => {
        const changed = recipe({ [lever.name]: position });
        const paths = space.overrides({ [lever.name]: position }).map(({ path }) => path);
        const hidden = paths.find(([key]) => OWN.includes(String(key)));
        const key = hidden?.[0] ??
          Object.entries(yardstickOf(changed)).find(([key, value]) => value !== yardstick[key])?.[0];
        if (key !== undefined) {
          throw new UserError(`Cannot change ${key}: trials are compared with each other by what it says`);
        }
        await resolve(changed);
        // A range may begin or end where the recipe stands.
        if (trainedBy(changed) !== own || (option === null && ++idle < positions.length)) return;
        throw new UserError(
          `Cannot learn anything from ${
            paths.map((path) => formatPath(path)).join(", ")
          }: the student is trained as by the ` +
            "recipe as it is",
        );
      });
      if (reason !== null) found.push({ lever: lever.name, option, reason });
    }
  }
  return found;
}

/** What a training computes by; where its student is written, and in what form, is no part of it. */
const trainedBy = ({ value }: Checked<Recipe>) => JSON.stringify(comparable(value));

/** What cannot be run of a space: each option of each lever alone is opened. */
export async function refusals(space: Space, recipe: RecipeOf, options: RunOptions): Promise<Refusal[]> {
  const found: Refusal[] = [];
  for (const lever of space.levers) {
    if (lever.kind === "range") continue;
    for (const option of lever.options.keys()) {
      const reason = await refusalOf(async () => {
        const own = recipe({ [lever.name]: option });
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
