import { join } from "node:path";
import {
  type Checkpoint,
  CHECKPOINT_FILE,
  checkRecipe,
  comparable,
  readCheckpoint,
} from "../../core/distill/training/checkpoint.ts";
import type { EpochDiagnostics } from "../../core/distill/training/diagnostics.ts";
import type { RunSummary } from "../../core/distill/summary.ts";
import { UserError } from "../../core/errors.ts";
import { writeFileAtomically } from "../../core/files.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import type { Outcome } from "./outcome.ts";

/** The file that records a failed training. */
const FAILURE_FILE = "failure.json";

const read = (file: string) => Deno.readTextFile(file).catch(() => null);

/** The recipe's part that a run's numbers depend on, the backend included as it decides the seconds. */
function content(recipe: Recipe): string {
  return JSON.stringify({ ...comparable(recipe), backend: recipe.backend });
}

/**
 * What a run folder holds of this very recipe: the outcome of a run that came to its end; `null` if there is none, or it
 * is another recipe's.
 *
 * @param recipe with the options of its plug-ins filled in
 */
export async function outcomeIn(recipe: Checked<Recipe>): Promise<Outcome | null> {
  const { output: folder, seed } = recipe.value;
  const [resolved, metrics, failure] = await Promise.all(
    ["recipe.yaml", "metrics.json", FAILURE_FILE].map((name) => read(join(folder, name))),
  );
  if (resolved === null || content(readYaml(resolved).value as Recipe) !== content(recipe.value)) return null;
  if (metrics !== null) {
    const summary = JSON.parse(metrics) as RunSummary;
    return { folder, seed, summary, diagnostics: await diagnosticsIn(folder) };
  }
  return failure === null ? null : { folder, seed, failure: JSON.parse(failure).message };
}

/** Whether a checkpoint in the run folder can be continued by this recipe. */
export async function canResume(recipe: Checked<Recipe>): Promise<boolean> {
  try {
    const checkpoint: Checkpoint = await readCheckpoint(join(recipe.value.output, CHECKPOINT_FILE));
    checkRecipe(checkpoint, recipe.value, "resume from");
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Takes away what would make an unfinished run look like a finished one, its old recipe's results above all. */
export async function forgetOutcome(folder: string): Promise<void> {
  for (const name of ["metrics.json", FAILURE_FILE]) {
    await Deno.remove(join(folder, name)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** Writes down that a run's training failed, so that it is not tried again with the same recipe. */
export async function writeFailure(folder: string, message: string): Promise<void> {
  await writeFileAtomically(join(folder, FAILURE_FILE), JSON.stringify({ message }, null, 2) + "\n");
}

/** The epochs in a run's log. */
export async function diagnosticsIn(folder: string): Promise<EpochDiagnostics[]> {
  const text = await read(join(folder, "metrics.jsonl"));
  return (text ?? "").split("\n").filter((line) => line.includes('"diagnostics"'))
    .map((line) => JSON.parse(line).diagnostics);
}
