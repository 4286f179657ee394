import { join } from "node:path";
import type { Backend } from "../../core/backend/backend.ts";
import { distill } from "../../core/distill/distill.ts";
import type { Reporter } from "../../core/distill/progress.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { kindOfPath, makeFolder, makeFolderWithin, readUserFile, writeFileAtomically } from "../../core/files.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { dirname } from "../../core/paths.ts";
import { baseFrom } from "../../core/recipe/recipe.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { canResume, forgetOutcome, outcomeIn } from "../experiment/run_folder.ts";
import { drawReport } from "../support/draw_report.ts";
import { type Configuration, describeConfiguration, type Space } from "./space.ts";
import { configured, type TunedRecipe } from "./tuned_recipe.ts";

/** The best recipe, and the folder of its run, in a tuning's folder. */
export const [BEST_RECIPE, BEST_RUN] = ["best.yaml", "best"];

/** Which run is the best, and how it is ended. */
export interface BestOptions {
  readonly folder: string;
  readonly configuration: Configuration;
  readonly seed: number;
  /** The folder of its trial. */
  readonly trial: string;
  readonly report: boolean;
  readonly backend: Backend;
  readonly builtins: Builtins;
  readonly signal: AbortSignal;
}

/**
 * Writes the best recipe, and makes of its trial a run as `distill` leaves one: the training is done, so that the
 * student is exported and for the first time measured on the test examples.
 */
export async function finishBest(
  tuned: TunedRecipe,
  space: Space,
  { folder, configuration, seed, trial, report, backend, builtins, signal }: BestOptions,
  reporter: Reporter,
): Promise<RunSummary> {
  const output = join(folder, BEST_RUN);
  const recipe = configured(tuned, space, configuration, seed, output);
  await resolvePlugins(recipe, builtins);
  const heading = [
    `Found by deno task tune: ${describeConfiguration(configuration)}.`,
    `deno task distill ${join(folder, BEST_RECIPE)} makes the student anew.`,
  ];
  const text = stringifyRecipe({ ...recipe.value, base: baseFrom(recipe, folder) });
  await writeFileAtomically(join(folder, BEST_RECIPE), heading.map((line) => `# ${line}\n`).join("") + text);
  const done = await outcomeIn(recipe);
  if (done && "summary" in done) return done.summary;
  await makeFolder(output, "the folder of the best run");
  // What is there of another best must not be taken for this one's, should this be stopped before it is moved aside.
  await forgetOutcome(output);
  for (const name of [CHECKPOINT_FILE, "metrics.jsonl", "recipe.yaml"]) {
    const source = join(trial, name);
    if (await kindOfPath(source) === null) continue;
    await makeFolderWithin(dirname(join(output, name)));
    await writeFileAtomically(join(output, name), await readUserFile(source, "the trial"));
  }
  const resume = await canResume(recipe, () => {});
  const summary = await distill(recipe, { backend, builtins, resume, record: report, reporter, signal });
  if (report) await drawReport(output, reporter.warning);
  return summary;
}
