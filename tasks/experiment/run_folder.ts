import { join } from "node:path";
import { z } from "zod";
import { CHECKPOINT_FILE, checkRecipe, comparable, readCheckpoint } from "../../core/distill/training/checkpoint.ts";
import type { EpochDiagnostics } from "../../core/distill/training/diagnostics.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, readTextIfThere, removePath, writeFileAtomically } from "../../core/files.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { isMap } from "../../core/recipe/paths.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { parseOwnJson, readOwnJson } from "../support/own_json.ts";
import { hasOwnStudent } from "../support/own_student.ts";
import type { Outcome } from "./outcome.ts";

/** The file that records a failed training. */
const FAILURE_FILE = "failure.json";

const numbers = z.record(z.string(), z.number().nullable());

/** What tables and later runs read of a summary. A number that is not finite is null in JSON. */
const summarySchema = z.looseObject({
  dataSha256: z.record(z.string(), z.string()),
  studentSha256: z.string().optional(),
  examples: z.looseObject({ test: z.number() }),
  labelled: z.looseObject({ test: z.number() }).optional(),
  student: z.looseObject({
    accuracy: z.number().nullable(),
    metrics: numbers,
    trainMetrics: numbers.nullable(),
    validationMetrics: numbers.nullable(),
    parametersTraining: z.number(),
    parametersInference: z.number(),
    parameterIncreaseRate: z.number(),
  }),
  seconds: z.looseObject({ train: z.number(), total: z.number() }),
  epochs: z.number(),
  peakBytes: z.number(),
});

const failureSchema = z.looseObject({ message: z.string() });

const diagnosticsSchema = z.looseObject({
  diagnostics: z.looseObject({ matrices: z.record(z.string(), z.looseObject({})), agreement: z.number().nullable() }),
});

const anew = (file: string) => `remove "${file}", and the run is done anew`;

/** The recipe's part that a run's numbers depend on, the backend included as it decides the seconds, as JSON. */
export function content(recipe: Recipe): string {
  // A recipe that was written before there was anything to export, or factors, says nothing of it.
  const { backend, export: said } = recipe as { backend: unknown; export?: Partial<Recipe["export"]> };
  const { onnx = false, manifest, keepFactors = false, rank, parameters } = said ?? {};
  return JSON.stringify({
    ...comparable(recipe),
    backend,
    ...onnx !== false && { export: { onnx, manifest } },
    ...keepFactors !== false && { factors: { keepFactors, rank, parameters } },
  });
}

/**
 * What a run folder holds of this very recipe: the outcome of a run that came to its end; `null` if there is none, or
 * it is another recipe's.
 *
 * @param recipe with the options of its plug-ins filled in
 */
export async function outcomeIn(recipe: Checked<Recipe>): Promise<Outcome | null> {
  const { output: folder, seed } = recipe.value;
  const [resolved, metrics, failed] = ["recipe.yaml", "metrics.json", FAILURE_FILE].map((name) => join(folder, name));
  const text = await readTextIfThere(resolved, "the run's recipe");
  if (text === null || contentOf(text, resolved) !== content(recipe.value)) return null;
  const summary = await readOwnJson(metrics, "the summary", summarySchema, anew(metrics));
  // One whose student was changed or damaged since is not done: its checkpoint has it still.
  if (summary && await hasOwnStudent(folder, summary.studentSha256)) {
    return { folder, seed, summary: summary as unknown as RunSummary, diagnostics: await diagnosticsIn(folder) };
  }
  const failure = await readOwnJson(failed, "the record of a failure", failureSchema, anew(failed));
  return failure && { folder, seed, failure: failure.message };
}

/** The content of a run folder's recipe. @throws UserError if it is no recipe any more */
function contentOf(text: string, file: string): string {
  const { value, problems } = readYaml(text);
  const isRecipe = isMap(value) && isMap(value.train) && isMap(value.student) &&
    Array.isArray(value.student.overParameterise);
  if (problems.length > 0 || !isRecipe) {
    throw new UserError(`Cannot read the run's recipe "${file}" as it is damaged: it is no recipe; ${anew(file)}`);
  }
  return content(value as unknown as Recipe);
}

/**
 * Whether a checkpoint in the run folder can be continued by this recipe.
 *
 * @param tell is told why one that is there cannot be read
 */
export async function canResume(recipe: Checked<Recipe>, tell: (reason: string) => void): Promise<boolean> {
  const file = join(recipe.value.output, CHECKPOINT_FILE);
  if (await kindOfPath(file) === null) return false;
  try {
    const checkpoint = await readCheckpoint(file).catch((error) => {
      if (error instanceof UserError) tell(error.message);
      throw error;
    });
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
    await removePath(join(folder, name));
  }
}

/** Writes down that a run's training failed, so that it is not tried again with the same recipe. */
export async function writeFailure(folder: string, message: string): Promise<void> {
  await writeFileAtomically(join(folder, FAILURE_FILE), await sealJson({ message }));
}

/** The epochs in a run's log. */
export async function diagnosticsIn(folder: string): Promise<EpochDiagnostics[]> {
  const file = join(folder, "metrics.jsonl");
  const text = await readTextIfThere(file, "the log");
  return (text ?? "").split("\n").filter((line) => line.includes('"diagnostics"')).map((line) => {
    const { diagnostics } = parseOwnJson(line, file, "the log", diagnosticsSchema, anew(join(folder, "metrics.json")));
    return diagnostics as unknown as EpochDiagnostics;
  });
}
