import { join } from "node:path";
import type { Backend } from "../backend/backend.ts";
import { Random } from "../data/random.ts";
import { UserError } from "../errors.ts";
import { writeFileAtomically } from "../files.ts";
import { createOps } from "../ops/ops.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Builtins } from "../plugin/registry.ts";
import type { Checked } from "../recipe/checked.ts";
import { baseFrom } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import { stringifyRecipe } from "../recipe/write_recipe.ts";
import { VERSION } from "../version.ts";
import { type Monitor, monitorOf } from "./training/monitor.ts";
import { checkInputs, CHECKPOINT_FILE, checkRecipe, comparable, readCheckpoint } from "./training/checkpoint.ts";
import { Diagnostics } from "./training/diagnostics.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { showMetrics } from "../evaluate/metrics/show.ts";
import { exportStudent } from "./student/export_student.ts";
import { prepareRun } from "./prepare.ts";
import { type Reporter, silent } from "./progress.ts";
import { resolvePlugins } from "./resolve_plugins.ts";
import { Stopwatch } from "./stopwatch.ts";
import { countTrained } from "../plugin/parameters.ts";
import type { RunSummary } from "./summary.ts";
import { train } from "./training/training.ts";
import { TrainingStep } from "./training/training_step.ts";

/** How a run is started. */
export interface DistillOptions {
  /** Where to compute; it stays open. */
  readonly backend: Backend;
  /** The plug-ins that a recipe can name without a file. */
  readonly builtins: Builtins;
  /** Continue from the checkpoint in the run folder. */
  readonly resume?: boolean;
  /** Where progress goes; nowhere by default. */
  readonly reporter?: Reporter;
  /** Stops training at the next step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a recipe: load data and teacher, build the student, over-parameterise it, train, merge, verify, export, and
 * write the run folder. Without a teacher in the recipe the student learns alone.
 *
 * @returns the content of `metrics.json`
 * @throws UserError for a mistake in the recipe or in a file it names
 * @throws Interrupted when `signal` fires; the checkpoint is in the run folder
 * @throws TrainingFailure when a loss or the weights become NaN or infinite, or merging changed the student
 *
 * @example
 * ```ts
 * const recipe = await readRecipe("tasks/recipes/quickstart.yaml");
 * const { backend } = await openBackend("auto");
 * const summary = await distill(recipe, { backend, builtins });
 * ```
 */
export async function distill(
  recipe: Checked<Recipe>,
  { backend, builtins, resume = false, reporter = silent, signal }: DistillOptions,
): Promise<RunSummary> {
  const watch = new Stopwatch();
  const ops = createOps(backend);
  const random = new Random(recipe.value.seed);
  const plugins = await resolvePlugins(recipe, builtins);
  const settings = recipe.value;
  const folder = settings.output;
  // Before anything is loaded or written: a refused checkpoint must stay usable with the recipe that it was made by.
  const checkpoint = resume ? await readCheckpoint(join(folder, CHECKPOINT_FILE)) : null;
  if (checkpoint) checkRecipe(checkpoint, settings, "resume from");

  using owned = new DisposableStack();
  const run = await prepareRun(ops, recipe, plugins, random, watch, reporter);
  owned.defer(run.dispose);
  const { data, teacher, student, losses, lossParameters, lossState, theseus } = run;
  const inputs = { ...data.sha256, ...(teacher && { "the teacher": teacher.sha256 }) };
  if (checkpoint) {
    checkInputs(checkpoint, inputs);
    watch.carry("train", checkpoint.seconds);
  }
  await writeRunRecipe(recipe, folder);
  const batchSize = settings.evaluate.batchSize;
  const { task } = data.dataset.input;
  const monitor = monitorOfRecipe(recipe, data.dataset.input);
  const taught = teacher && await watch.time("evaluate", () => {
    return evaluate(ops, { ...teacher, examples: data.test, input: data.dataset.input, batchSize });
  });
  if (taught) reporter.line(`teacher: test ${showMetrics(taught)}`);
  const [training, inference] = [student.trainingParameters, student.inferenceParameters];
  reporter.line(`student: ${count(training)} parameters in training, ${count(inference)} at inference`);

  const diagnostics = settings.train.diagnostics &&
    new Diagnostics({ ops, student, teacher, validation: data.validation, recipe, task });
  const step = new TrainingStep({
    ops,
    student,
    teacher,
    losses,
    lossParameters,
    recipe: settings.train,
    random: random.split("dropout"),
    task,
    theseus,
  });
  owned.defer(() => step.dispose());
  const result = await watch.time("train", () =>
    train({
      ops,
      recipe: settings,
      student,
      step,
      losses,
      lossParameters,
      lossState,
      random: random.split("loss inputs"),
      train: data.train,
      validation: data.validation,
      input: data.dataset.input,
      monitor,
      folder,
      fingerprint: { recipe: comparable(settings), inputs },
      reporter,
      diagnostics,
      resume: checkpoint,
      signal,
    }));

  const architecture = plugins.student.definition.name;
  const exported = await exportStudent(ops, student, settings, data, folder, architecture, watch);
  owned.defer(() => exported.weights.dispose());
  const measure = (examples: typeof data.test) =>
    watch.time(
      "evaluate",
      () =>
        evaluate(ops, {
          model: student.model,
          weights: exported.weights,
          examples,
          input: data.dataset.input,
          batchSize,
        }),
    );
  const test = await measure(data.test);
  const validation = data.validation && await measure(data.validation);
  const seen = settings.evaluate.train ? await measure(data.train) : null;

  const summary: RunSummary = {
    recipe: settings.name,
    version: VERSION,
    backend: backend.name,
    device: backend.description,
    seed: settings.seed,
    examples: { train: data.train.length, validation: data.validation?.length ?? 0, test: data.test.length },
    dataSha256: data.sha256,
    teacher: teacher && {
      accuracy: taught!.accuracy,
      loss: taught!.loss,
      metrics: taught!.metrics,
      parameters: countTrained(teacher.model),
    },
    student: {
      accuracy: test.accuracy,
      loss: test.loss,
      metrics: test.metrics,
      validationAccuracy: validation?.accuracy ?? null,
      trainMetrics: seen?.metrics ?? null,
      validationMetrics: validation?.metrics ?? null,
      parametersTraining: training,
      parametersInference: inference,
      parameterIncreaseRate: training / inference,
    },
    merge: {
      maxAbsLogitDifference: exported.difference,
      tolerance: settings.verify.tolerance,
      probe: Math.min(settings.verify.probe, data.test.length),
    },
    seconds: watch.seconds,
    steps: result.steps,
    epochs: result.epochs,
    peakBytes: backend.memory().peakBytes,
    losses: result.losses,
    lossMetrics: result.lossMetrics,
    norms: exported.norms,
    studentSha256: exported.sha256,
  };
  await writeFileAtomically(join(folder, "metrics.json"), JSON.stringify(summary, null, 2) + "\n");
  return summary;
}

/** @throws UserError with line and column if the task has no such metric */
function monitorOfRecipe(recipe: Checked<Recipe>, data: InputDescription): Monitor {
  try {
    return monitorOf(recipe.value.train.monitor, data);
  } catch (error) {
    throw error instanceof UserError ? recipe.error(["train", "monitor"], error.message) : error;
  }
}

/** The recipe as it was resolved, in the run folder; it runs again from there. */
async function writeRunRecipe(recipe: Checked<Recipe>, folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`Cannot make the run folder "${folder}": ${(error as Error).message}`);
  }
  const text = stringifyRecipe({ ...recipe.value, base: baseFrom(recipe, folder) });
  await writeFileAtomically(join(folder, "recipe.yaml"), text);
}

const count = (number: number) => number.toLocaleString("en");
