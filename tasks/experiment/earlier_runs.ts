import { Random } from "../../core/data/random.ts";
import { closeData } from "../../core/distill/close_data.ts";
import { loadData, type RunData } from "../../core/distill/load_data.ts";
import { type Resolved, resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { startingTokenizer } from "../../core/distill/student/starting_inputs.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { RunReporter } from "../support/progress.ts";
import { InputHashes, readInputs } from "./inputs.ts";
import type { Outcome } from "./outcome.ts";
import { outcomeIn } from "./run_folder.ts";

/** What a run folder holds of a run that is to be done. */
export interface EarlierRun {
  /** The outcome of the same recipe; `null` if there is none. */
  readonly done: Outcome | null;
  /** The first thing that was read and is another now, in words; `null` if nothing is. */
  readonly changed: string | null;
  /** SHA-256 of the data as they are now. */
  data(): Promise<Readonly<Record<string, string>>>;
}

/** Finds out which runs are done. Each file is read once, however many runs name it. */
export class EarlierRuns {
  /** Hashes of what recipes name. */
  readonly hashes: InputHashes = new InputHashes();
  readonly #known = new Map<string, ReturnType<typeof dataHashes>>();

  constructor(private readonly builtins: Builtins, private readonly reporter: RunReporter) {}

  /** Looks into the recipe's run folder, and fills in the options of its plug-ins. */
  async look(recipe: Checked<Recipe>): Promise<EarlierRun> {
    // Fills in the plug-ins' options, as in the resolved recipe of the run folder.
    const plugins = await resolvePlugins(recipe, this.builtins);
    const done = await outcomeIn(recipe);
    const data = async () => {
      const tokenizer = await startingTokenizer(recipe);
      // A base is relative to its recipe's file.
      const key = JSON.stringify([resolveFile(recipe, "."), recipe.value.dataset, tokenizer]);
      const warn = (line: string) => this.reporter.warning(line);
      const own = this.#known.get(key) ?? dataHashes(recipe, plugins.dataset, tokenizer, warn);
      this.#known.set(key, own);
      return await own;
    };
    const changed = await this.hashes.changed(recipe, await inputsOf(recipe.value.output, done), data);
    return { done, changed, data };
  }
}

/** SHA-256 of what the data set of a recipe reads. */
async function dataHashes(
  recipe: Checked<Recipe>,
  dataset: Resolved<"dataset">,
  tokenizer: string | null,
  warn: (line: string) => void,
): Promise<RunData["sha256"]> {
  const data = await loadData(recipe, dataset, new Random(recipe.value.seed), tokenizer);
  await closeData(data.dataset, warn);
  return data.sha256;
}

/** What the run of a folder read, as far as is known. */
async function inputsOf(folder: string, done: Outcome | null) {
  const written = await readInputs(folder);
  return done && "summary" in done ? { ...written, data: done.summary.dataSha256 } : written;
}
