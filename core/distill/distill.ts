import { join } from "node:path";
import type { Backend } from "../backend/backend.ts";
import { Random } from "../data/random.ts";
import { UserError } from "../errors.ts";
import { writeFileAtomically } from "../files.ts";
import type { Weights } from "../nn/weights.ts";
import { createOps, type Ops } from "../ops/ops.ts";
import type { Chain } from "../mpo/chain.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Builtins } from "../plugin/registry.ts";
import type { Checked } from "../recipe/checked.ts";
import { baseFrom } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import { stringifyRecipe } from "../recipe/write_recipe.ts";
import { sha256 } from "../sha256.ts";
import type { Tensor } from "../tensor.ts";
import { VERSION } from "../version.ts";
import { buildLosses } from "./build_losses.ts";
import { chainSpecs, decomposeWeight } from "./chains.ts";
import { fingerprintOf } from "./checkpoint.ts";
import { evaluate } from "./evaluate.ts";
import { loadData } from "./load_data.ts";
import { mergedWeights } from "./merge.ts";
import { readModelWeights, WEIGHTS_FILE, writeModelFolder } from "./model_folder.ts";
import { buildModel, freeze, readRecipeWeights } from "./models.ts";
import { largestLogitDifference, outputShapes } from "./probe.ts";
import { type Reporter, silent } from "./progress.ts";
import { type Resolved, resolvePlugins } from "./resolve_plugins.ts";
import { Stopwatch } from "./stopwatch.ts";
import { countTrainable, freshWeights, Student } from "./student.ts";
import type { RunSummary } from "./summary.ts";
import { chainMap } from "./teacher_chains.ts";
import { train } from "./train.ts";
import { TrainingStep } from "./training_step.ts";

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
 * @throws NonFiniteLoss when the loss becomes NaN or infinite
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

  const data = await watch.time("load", () => loadData(recipe, plugins.dataset, random));
  const { input } = data.dataset;
  const teacher = plugins.teacher && await watch.time("load", () => loadTeacher(ops, recipe, plugins.teacher!, input));
  const model = buildModel(recipe, plugins.student, input);
  const specs = chainSpecs(recipe, model);
  const initial = settings.student.weights === null
    ? freshWeights(model, random.split("student"))
    : await readRecipeWeights(recipe, "student", settings.student.weights, model);

  const chains = new Map<string, Chain>();
  await watch.time("decompose", async () => {
    for (const { name, shape } of model.parameters) {
      const spec = specs.get(name);
      if (spec) chains.set(name, await decomposeWeight(ops.device, initial.get(name)!, shape, spec));
    }
  });
  const student = new Student(ops, model, chains, initial);
  const teacherCores: Tensor[] = [];
  const evaluated = (weights: () => Weights) => () => ops.constant(weights);
  const studentWeights = evaluated(() => student.weights());
  const built = await watch.time("decompose", () =>
    buildLosses(ops, recipe, plugins.losses, {
      ops,
      data: input,
      student: model,
      teacher: teacher?.model ?? null,
      chains: chainMap(ops, specs, model, teacher && { model: teacher.model, weights: teacher.numbers }, teacherCores),
      shapes: {
        student: outputShapes(ops, model, studentWeights, data.test),
        teacher: teacher && outputShapes(ops, teacher.model, () => teacher.weights, data.test),
      },
      report: (line) => reporter.line(line),
    }, random.split("losses")));

  await writeRunRecipe(recipe, folder);
  const batchSize = settings.evaluate.batchSize;
  const teacherResult = teacher && await watch.time(
    "evaluate",
    () => evaluate(ops, teacher.model, () => teacher.weights, data.test, batchSize),
  );
  if (teacherResult) reporter.line(`teacher: test accuracy ${percent(teacherResult.accuracy)}`);
  reporter.line(
    `student: ${student.trainingParameters} parameters in training, ${student.inferenceParameters} at inference`,
  );

  const dropout = random.split("dropout");
  const step = new TrainingStep(ops, student, teacher, built.losses, built.parameters, settings.train, dropout);
  const result = await watch.time("train", () =>
    train({
      ops,
      recipe: settings,
      student,
      step,
      lossNames: built.losses.map(({ name }) => name),
      lossParameters: built.parameters,
      train: data.train,
      validation: data.validation,
      folder,
      fingerprint: fingerprintOf(settings),
      reporter,
      resume,
      signal,
    }));

  const studentFolder = join(folder, "student");
  const merged = await watch.time("merge", async () => {
    const numbers = await mergedWeights(student);
    await writeModelFolder(studentFolder, plugins.student.definition.name, model, input, numbers);
    return numbers;
  });
  // What is verified and evaluated is what was written: read back from the file, axis order and names included.
  const exported = freeze(ops, model, await readModelWeights(studentFolder, model, "student"));
  const difference = await watch.time(
    "verify",
    () => largestLogitDifference(ops, model, studentWeights, () => exported, data.test, settings.verify.probe),
  );
  if (!(difference <= settings.verify.tolerance)) {
    throw new Error(
      `Merging changed the student: logits differ by up to ${difference} on ${settings.verify.probe} examples, ` +
        `more than verify.tolerance ${settings.verify.tolerance}`,
    );
  }
  const [test, validation] = await watch.time("evaluate", async () => [
    await evaluate(ops, model, () => exported, data.test, batchSize),
    data.validation && await evaluate(ops, model, () => exported, data.validation, batchSize),
  ]);
  const norm = (numbers: Float32Array) => Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  const summary: RunSummary = {
    recipe: settings.name,
    version: VERSION,
    backend: backend.name,
    device: backend.description,
    seed: settings.seed,
    examples: { train: data.train.length, validation: data.validation?.length ?? 0, test: data.test.length },
    teacher: teacher && {
      accuracy: teacherResult!.accuracy,
      loss: teacherResult!.loss,
      parameters: countTrainable(teacher.model.parameters),
    },
    student: {
      accuracy: test!.accuracy,
      loss: test!.loss,
      validationAccuracy: validation?.accuracy ?? null,
      parametersTraining: student.trainingParameters,
      parametersInference: student.inferenceParameters,
      parameterIncreaseRate: student.trainingParameters / student.inferenceParameters,
    },
    merge: {
      maxAbsLogitDifference: difference,
      tolerance: settings.verify.tolerance,
      probe: Math.min(settings.verify.probe, data.test.length),
    },
    seconds: watch.seconds,
    steps: result.steps,
    epochs: result.epochs,
    peakBytes: backend.memory().peakBytes,
    losses: result.losses,
    norms: Object.fromEntries([...chains.keys()].map((name) => [name, norm(merged.get(name)!)])),
    studentSha256: await sha256(await Deno.readFile(join(studentFolder, WEIGHTS_FILE))),
  };
  await writeFileAtomically(join(folder, "metrics.json"), JSON.stringify(summary, null, 2) + "\n");

  teacherCores.forEach((core) => core.dispose());
  [student, step, built.parameters].forEach((part) => part.dispose());
  for (const weights of [exported, teacher?.weights]) weights?.dispose();
  return summary;
}

async function loadTeacher(ops: Ops, recipe: Checked<Recipe>, plugin: Resolved<"model">, input: InputDescription) {
  const model = buildModel(recipe, plugin, input);
  const path = recipe.value.teacher!.weights;
  if (path === null) {
    throw recipe.error(["teacher"], "Cannot distil from a teacher without weights: set teacher.weights to its folder");
  }
  const numbers = await readRecipeWeights(recipe, "teacher", path, model);
  return { model, numbers, weights: freeze(ops, model, numbers) };
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

const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
