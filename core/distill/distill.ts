import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { RunOptions } from "./open_run.ts";
import { Run } from "./run.ts";
import type { RunSummary } from "./summary/summary.ts";

/** How a recipe is run; the signal stops training at the next step, with a checkpoint. */
export type DistillOptions = RunOptions;

/**
 * Runs a recipe (OPDF, arXiv 2411.06448): load data and teacher, build the student, over-parameterise it, train, merge,
 * verify, export, and write the run folder. Without a teacher in the recipe the student learns alone.
 *
 * @returns the content of `metrics.json`
 * @throws UserError for a mistake in the recipe or in a file it names
 * @throws Interrupted when `signal` fires; the checkpoint is in the run folder
 * @throws TrainingFailure when a loss or the weights become NaN or infinite, or merging changed the student
 *
 * @example
 * ```ts no-run
 * import { builtins, distill, openBackend, readRecipe } from "@opdf/opdf";
 *
 * const recipe = await readRecipe("tasks/recipes/quickstart.yaml");
 * const { backend } = await openBackend("auto");
 * const summary = await distill(recipe, { backend, builtins });
 * ```
 */
export async function distill(
  recipe: Checked<Recipe>,
  options: DistillOptions,
): Promise<RunSummary> {
  // Load data and teacher; decompose the student's matrices into chains with more parameters; build the losses.
  using run = await Run.open(recipe, options);
  // Train the chains against the teacher, with the distillation loss and the alignment of auxiliary tensors.
  await run.train(options.signal);
  // Contract each chain back, write the student, and check that it computes what the factored one did.
  await run.export();
  // Measure what was exported.
  return await run.summary();
}
