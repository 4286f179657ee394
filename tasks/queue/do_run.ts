import { join, relative } from "node:path";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { Interrupted, StoppedEarly } from "../../core/distill/stops.ts";
import { makeFolder } from "../../core/files.ts";
import { lockFolder } from "../../core/lock.ts";
import { Owned } from "../../core/owned.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { VERSION } from "../../core/version.ts";
import { trainingRunner } from "../experiment/runner.ts";
import type { RunReporter } from "../support/progress.ts";
import { fetchState, keepOutcome, keepState, keptOutcome } from "./kept_files.ts";
import { layOut, rootIn } from "./layout.ts";
import { asRecipeMistake, type Tried } from "./recipe_mistake.ts";
import { type AllowedCode, refuseCode, Refused } from "./refused.ts";
import { readManifest, readSpec } from "./spec.ts";
import type { Store } from "./store.ts";

/** What a worker does runs by. */
export interface Workplace {
  readonly store: Store;
  /** Its folder. */
  readonly folder: string;
  /** Who it is, for people. */
  readonly name: string;
  /** Where runs are computed whose recipes say `auto`; left out: wherever is best. */
  readonly backend?: string;
  readonly code: AllowedCode;
  readonly builtins: Builtins;
  readonly reporter: RunReporter;
  /** Milliseconds between two times that the checkpoint of a run is brought to the store, at least. */
  readonly keepEvery: number;
}

/**
 * Does a run of the store, from where another worker may have left it, and keeps its outcome there. One that is done is
 * not done again.
 *
 * @returns whether there was anything to do
 * @throws Refused if it is nothing for this worker
 * @throws FolderHeld if another worker with this folder does it
 * @throws RecipeMistake if it is nothing for any
 * @throws Interrupted | StoppedEarly if the signal fires; what was done is kept
 */
export async function doRun(place: Workplace, id: string, signal: AbortSignal): Promise<boolean> {
  const { store, name, builtins, reporter } = place;
  if (await keptOutcome(store, id)) return false;
  using opened = await openWork(place, id);
  const { title, folder, recipe, keeping, tried } = opened;
  try {
    await trainingRunner(builtins, reporter, signal)(recipe, title);
  } catch (error) {
    await keeping.end();
    if (error instanceof Interrupted) await keepState(store, id, folder, name);
    throw asRecipeMistake(error, tried);
  }
  await keeping.end();
  await keepOutcome(store, id, folder, name);
  return true;
}

/**
 * Lays out in a worker's folder what a run of the store reads, and where another worker left it. From then on its
 * checkpoints are brought to the store, until that is ended, and no other worker touches what is laid out, until this
 * is disposed of.
 *
 * @throws Refused if it is nothing for this worker
 * @throws FolderHeld if another worker with this folder does it
 */
export async function openWork(place: Workplace, id: string) {
  const { store, folder: own, name, reporter, keepEvery } = place;
  const spec = await readSpec(store, id);
  expectVersion(spec.version);
  const manifest = await readManifest(store, spec);
  // Not the run's own lock, which is in the folder that is emptied. A worker that lost the queue for a while still does
  // a run that the queue gives away.
  const held = join(own, "work", id);
  await makeFolder(held, "the folder of runs");
  using owned = new Owned();
  owned.use(await lockFolder(held, "another worker does the run there"));
  const folder = join(held, "run");
  const earlier = await fetchState(store, id, folder, reporter.warning);
  if (earlier !== null && earlier !== name) reporter.line(`${spec.title}: goes on from what ${earlier} left`);
  const base = await layOut(store, own, spec.manifest, manifest);
  const { recipe, backend } = recipeIn(place, spec.recipe, folder, base);
  await refuseCode(recipe, place.code);
  const keeping = keepingState(folder, keepEvery, () => keepState(store, id, folder, name), reporter);
  const tried: Tried = { recipe, backend, root: rootIn(own, spec.manifest) };
  const lock = owned.move();
  return { title: spec.title, folder, recipe, keeping, tried, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

/** @throws Refused if a run is for another version of the program */
export function expectVersion(version: string): void {
  if (version === VERSION) return;
  throw new Refused(`the run is for version ${version} of the program, and this worker has ${VERSION}`);
}

/** Whether an error says that somebody stopped this worker, and not that the run cannot be done. */
export function isStop(error: unknown): boolean {
  return error instanceof Interrupted || error instanceof StoppedEarly;
}

/** A run's recipe as a worker has it, and the backend that it was sent with. */
function recipeIn({ backend }: Workplace, text: string, folder: string, base: string) {
  const file = join(folder, "recipe.yaml");
  const parse = (more: readonly Override[]) =>
    parseChecked(text, file, recipeSchema, {
      overrides: [
        { path: ["base"], value: relative(folder, base).replaceAll("\\", "/"), label: "worker" },
        { path: ["output"], value: folder, label: "worker" },
        ...more,
      ],
    });
  const sent = parse([]);
  const isOurs = backend !== undefined && sent.value.backend === "auto";
  const recipe = isOurs ? parse([{ path: ["backend"], value: backend, label: `--backend ${backend}` }]) : sent;
  return { recipe, backend: sent.value.backend };
}

/** Brings the checkpoint of a run to the store whenever there is a new one, at most every so often. */
function keepingState(folder: string, every: number, keep: () => Promise<void>, reporter: RunReporter) {
  const file = join(folder, CHECKPOINT_FILE);
  let known: string | null = null;
  let under = Promise.resolve();
  let busy = false;
  const look = async () => {
    const info = await Deno.stat(file).catch(() => null);
    const state = info && `${info.mtime?.getTime()} ${info.size} ${info.ino}`;
    if (state === null || state === known) return;
    await keep();
    known = state;
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    under = look().catch((error) => {
      // The run itself goes on: where it ends, its outcome is kept or the error is told.
      reporter.warning(`the checkpoint was not kept: ${(error as Error).message}`);
    }).finally(() => busy = false);
  }, every);
  return {
    async end(): Promise<void> {
      clearInterval(timer);
      await under;
    },
  };
}
