import { readUserFile } from "../../core/files.ts";
import { silent } from "../../core/distill/progress.ts";
import { RunFolder, writeRunRecipe } from "../../core/distill/run_folder.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { baseFrom } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { EarlierRuns } from "../experiment/earlier_runs.ts";
import { describe, type Outcome, type PlannedRun } from "../experiment/outcome.ts";
import { outcomeIn } from "../experiment/run_folder.ts";
import type { RunReporter } from "../support/progress.ts";
import { fetchOutcome, keptOutcome, runOf } from "./kept_files.ts";
import { Limit } from "./limit.ts";
import { Manifests } from "./manifest.ts";
import { idOf, keepSpec } from "./spec.ts";
import { hasBlob, keepBlob, type Store } from "./store.ts";

/** Runs that are read, sent and fetched at a time: each has files open. */
const AT_ONCE = 8;

/** What the runs of a grid are sent by. */
export interface Sending {
  readonly store: Store;
  readonly builtins: Builtins;
  readonly reporter: RunReporter;
  /** Called once, before the first result is written. */
  readonly begin: () => Promise<void>;
}

/** A run that is planned, as the store has it. */
export interface Planned {
  readonly id: string;
  readonly title: string;
  /** Whether its outcome is in the run folder here, and whether it is in the store. */
  readonly done: boolean;
  readonly kept: boolean;
}

/** Sends runs to a store for others to do, and fetches what they came to into run folders of this machine. */
export class Sender {
  readonly #earlier: EarlierRuns;
  readonly #manifests: Manifests;
  readonly #limit = new Limit(AT_ONCE);
  #begun: Promise<void> | null = null;

  constructor(private readonly sending: Sending) {
    const { store, builtins, reporter } = sending;
    this.#earlier = new EarlierRuns(builtins, reporter);
    this.#manifests = new Manifests(async (path, hash) => {
      if (!await hasBlob(store, hash)) await keepBlob(store, await readUserFile(path, "the input"));
    });
  }

  /**
   * What a run came to, if that is known here or in the store; else it is in the store for others to do.
   *
   * @returns the outcome, or the id that the store has the run by
   */
  send(recipe: Checked<Recipe>, title: string): Promise<Outcome | string> {
    return this.#limit.run(async () => {
      const { store, reporter } = this.sending;
      const { done, changed } = await this.#earlier.look(recipe);
      if (done && !changed) {
        reporter.line(`${title}: ${describe(done)} (was done)`);
        return done;
      }
      if (done) reporter.line(`${title}: ${changed} has changed since: the run is done anew`);
      const manifest = await this.#manifests.of(recipe);
      const id = await idOf(recipe, manifest);
      const fetched = await this.#fetch(recipe, id);
      if (fetched) {
        reporter.line(`${title}: ${describe(fetched)} (was done, by the store)`);
        return fetched;
      }
      await keepSpec(store, id, title, recipe, manifest);
      return id;
    });
  }

  /** Puts a run into the store for others to do. Gives its id there, and where its outcome is known already. */
  plan({ recipe, title }: PlannedRun): Promise<Planned> {
    return this.#limit.run(async () => {
      const { store } = this.sending;
      const { done, changed } = await this.#earlier.look(recipe);
      const manifest = await this.#manifests.of(recipe);
      const id = await idOf(recipe, manifest);
      const kept = await keptOutcome(store, id) !== null;
      if (!kept) await keepSpec(store, id, title, recipe, manifest);
      return { id, title, done: done !== null && changed === null, kept };
    });
  }

  /** Fetches a run that others did; `null` if nobody has. */
  fetch(recipe: Checked<Recipe>, id: string): Promise<Outcome | null> {
    return this.#limit.run(() => this.#fetch(recipe, id));
  }

  async #fetch(recipe: Checked<Recipe>, id: string): Promise<Outcome | null> {
    const { store, begin } = this.sending;
    const kept = await keptOutcome(store, id);
    if (kept === null) return null;
    await (this.#begun ??= begin());
    const { output } = recipe.value;
    using folder = await RunFolder.open({ folder: output, resume: false });
    const run = await runOf(store, kept);
    await folder.claim(run, { resume: false, goesOn: false }, silent);
    const text = stringifyRecipe({ ...recipe.value, base: baseFrom(recipe, output) });
    await writeRunRecipe(output, run, text);
    await fetchOutcome(store, kept, output);
    const outcome = await outcomeIn(recipe);
    if (outcome) return outcome;
    throw new Error(`The outcome of ${id} in ${store.name} is none of this recipe`);
  }
}
