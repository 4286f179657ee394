import { join } from "node:path";
import { z } from "zod";
import type { RunOptions } from "../../core/distill/open_run.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { comparable } from "../../core/distill/training/checkpoint.ts";
import { UserError } from "../../core/errors.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { readTextIfThere, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { sha256 } from "../../core/sha256.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { InputHashes, type Inputs, readInputs, writeInputs } from "../experiment/inputs.ts";
import { readText } from "../experiment/read_experiment.ts";
import { readOwnJson } from "../support/own_json.ts";
import { exactTime, showTime } from "../support/time.ts";
import { defaultSpace } from "./default_space.ts";
import { type Probe, probe, type Refusal, refusals, unfit } from "./probe.ts";
import { type Configuration, optionsOf, type Space } from "./space.ts";
import { readSpace, withoutRefused } from "./space_file.ts";
import { configured, type TunedRecipe } from "./tuned_recipe.ts";

/** Seconds, by the probe. */
export type Expected = Pick<Probe, "opening" | "epoch" | "ending">;

/** What is known when the search begins. */
export interface Prepared {
  readonly space: Space;
  /** Its file. */
  readonly text: string;
  readonly expected: Expected;
  /** Seconds that finding it out took. */
  readonly used: number;
}

/** How a tuning is prepared. */
export interface PrepareOptions extends Pick<RunOptions, "backend" | "builtins" | "signal"> {
  /** Gives seconds, and what it gave when the program was asked. */
  readonly clock: () => number;
  readonly started: number;
  /** Seconds that the search may take, and the whole tuning. */
  readonly seconds: { readonly search: number; readonly whole: number };
  /** How it is searched: what one way has found another one does not go on with. */
  readonly search: string;
  /** A space file of the user's. */
  readonly space: string | null;
  readonly folder: string;
  /** Goes on with a tuning in the folder. */
  readonly goesOn: boolean;
  /** Nothing is written. */
  readonly dryRun: boolean;
  readonly tell: (line: string) => void;
}

/** The space of a tuning, as it was found and may be edited. */
export const SPACE = "space.yaml";
const RECORD = "tuning.json";

const recordSchema = z.looseObject({
  recipe: z.string(),
  /** Missing in a tuning that an older version began. */
  search: z.string().optional(),
  opening: z.number(),
  epoch: z.number(),
  /** Missing in a tuning that an older version began. */
  ending: z.number().default(0),
  /** The largest so far, in seconds. */
  budget: z.number().default(0),
  used: z.number(),
});

/**
 * A whole training may take such a part of the search: of longer ones there would be too few to choose from, and yet
 * length is what students gain most by (tasks/recipes, budgets).
 */
const LONGEST = 1 / 4;
/** How much longer than the recipe's a training may be. */
const LONGER = [2, 4];

/** Whether a folder has a tuning in it. */
export async function isBegun(folder: string): Promise<boolean> {
  return await readTextIfThere(join(folder, RECORD), "the tuning") !== null;
}

/**
 * Measures how long a run takes, and finds what can be changed of the recipe.
 *
 * @throws UserError for a mistake in recipe or space, or if the time does not do
 */
export async function prepare(tuned: TunedRecipe, options: PrepareOptions): Promise<Prepared> {
  const { seconds, folder, goesOn, dryRun, tell, backend, builtins, signal } = options;
  const opening = { backend, builtins, signal };
  const probing = join(folder, "probe");
  const recipe = tuned.row.recipe([{ path: ["output"], value: probing, label: "--output" }]);
  const id = await sha256(new TextEncoder().encode(JSON.stringify(comparable(recipe.value))));
  const recordFile = join(folder, RECORD);
  const stored = goesOn
    ? await readOwnJson(recordFile, "the tuning", recordSchema, `name another folder with --output`)
    : null;
  if (stored && (stored.recipe !== id || (stored.search ?? options.search) !== options.search)) {
    throw new UserError(
      `Cannot resume the tuning in "${folder}" as it is of another recipe, or with other flags: name another folder with ` +
        "--output",
    );
  }
  if (stored && seconds.whole < stored.budget) {
    tell(
      `--budget ${exactTime(seconds.whole)} is less than the ${
        exactTime(stored.budget)
      } that this tuning had: trials that ` +
        "it had time for then, though they are done, are left aside",
    );
  }
  const resolve = async (recipe: Checked<Recipe>) => void await resolvePlugins(recipe, builtins);
  await resolve(recipe);
  const base = { written: tuned.written, value: recipe.value };
  const own = options.space ?? (stored ? join(folder, SPACE) : null);
  const made = (space: Space) => (configuration: Configuration) =>
    configured(tuned, space, configuration, recipe.value.seed, probing);
  // What a user has written is looked at before anything is opened.
  const given = own === null ? null : await readText(own, "the space");
  const givenSpace = given === null ? null : readSpace(given, own!, base);
  if (givenSpace && options.space !== null) refuseAny(own!, await unfit(givenSpace, made(givenSpace), resolve));
  const measured = await probe(recipe, opening, options.clock);
  const hashes = new InputHashes();
  if (stored) {
    const changed = await hashes.changed(recipe, await readInputs(folder), () => Promise.resolve(measured.sha256));
    if (changed) {
      throw new UserError(
        `Cannot resume the tuning in "${folder}" as ${changed} has changed since: name another folder with --output`,
      );
    }
  }
  const { opening: opened, epoch, ending }: Expected = stored ?? measured;
  const expected = { opening: opened, epoch, ending };
  const { epochs } = recipe.value.train;
  const whole = expected.opening + epochs * expected.epoch;
  tell(
    `A run of the recipe takes about ${showSeconds(whole)} here: ${epochs} epochs of ${showSeconds(expected.epoch)}, ` +
      `${showSeconds(expected.opening)} before them`,
  );
  if (seconds.search < 2 * whole) {
    const share = seconds.search / seconds.whole;
    throw new UserError(
      `--budget ${exactTime(seconds.whole)}: Cannot tune "${recipe.value.name}" in it: a run of it takes about ${
        showSeconds(whole)
      } here, and the search, which has ${showTime(seconds.search)} of that, needs the time of two: expected at least ${
        showTime(2 * whole / share)
      }`,
    );
  }
  const trained = (length: number) => expected.opening + length * expected.epoch;
  const lengths = LONGER.map((factor) => factor * epochs).filter((length) =>
    trained(length) <= LONGEST * seconds.search
  );
  if (lengths.length === 0 && !givenSpace) {
    const longer = LONGER[0] * epochs;
    const enough = trained(longer) / LONGEST * seconds.whole / seconds.search;
    const [one, budget] = [showTime(trained(longer)), exactTime(Math.ceil(enough))];
    tell(
      `Trainings of ${longer} epochs are not tried, as one takes about ${one} here, more than a quarter of the search: ` +
        `--budget ${budget} has them`,
    );
  }
  let [space, text] = [givenSpace, given];
  if (space && options.space !== null) refuseAny(own!, await refusals(space, made(space), opening));
  if (space === null || text === null) {
    const file = defaultSpace(recipe.value, { data: measured.data, lengths });
    const written = (refused: readonly Refusal[]) => stringifyRecipe(withoutRefused(file, refused));
    const read = (refused: readonly Refusal[]) => readSpace(written(refused), "the default space", base);
    const whole = read([]);
    const refused = await unfit(whole, made(whole), resolve);
    const rest = read(refused);
    refused.push(...await refusals(rest, made(rest), opening));
    for (const refusal of refused) tell(`Left out, ${sentence(refusal)}`);
    [space, text] = [read(refused), written(refused)];
  }
  if (stored && options.space === null) {
    const tried = optionsOf(space).map((option) => made(space!)(option).value.train.epochs);
    const missing = lengths.filter((length) => !tried.includes(length));
    if (missing.length > 0) {
      tell(
        `There is time for trainings of ${
          missing.join(" and ")
        } epochs, which are not tried, as the space stays that ` +
          `of "${join(folder, SPACE)}": what is written there may be changed, and is read by --space`,
      );
    }
  }
  const used = stored?.used ?? options.clock() - options.started;
  if (!dryRun) {
    await writeFileAtomically(join(folder, SPACE), text);
    // What an earlier space named is still what trials of it were trained by.
    const [before, now] = [stored ? await readInputs(folder) : {}, await inputsOf(space, made(space), hashes)];
    await writeInputs(folder, {
      data: measured.sha256,
      weights: { ...before.weights, ...now.weights },
      "plug-in": { ...before["plug-in"], ...now["plug-in"] },
    });
    const record = {
      recipe: id,
      search: options.search,
      ...expected,
      used,
      budget: Math.max(seconds.whole, stored?.budget ?? 0),
    };
    await writeFileAtomically(recordFile, await sealJson(record));
  }
  return { space, text, expected, used };
}

/** What the recipe names, and each option of a lever. */
async function inputsOf(
  space: Space,
  recipe: (configuration: Configuration) => Checked<Recipe>,
  hashes: InputHashes,
): Promise<Inputs> {
  const all = await Promise.all([{}, ...optionsOf(space)].map((option) => hashes.named(recipe(option))));
  const merged = (kind: keyof Inputs) => Object.assign({}, ...all.map((inputs) => inputs[kind]));
  return { weights: merged("weights"), "plug-in": merged("plug-in") };
}

const sentence = ({ lever, option, reason }: Refusal) =>
  `lever "${lever}"${option === null ? "" : ` at "${option}"`}: ${reason}`;

/** @throws UserError for the first of some refusals */
function refuseAny(file: string, refused: readonly Refusal[]): void {
  if (refused.length > 0) throw new UserError(`${file}: ${sentence(refused[0])}`);
}

const showSeconds = (seconds: number) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
