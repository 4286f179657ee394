import { join } from "node:path";
import type { Backend } from "../../../core/backend/backend.ts";
import { Random } from "../../../core/data/random.ts";
import { evaluate } from "../../../core/distill/evaluate.ts";
import { mergedWeights } from "../../../core/distill/merge.ts";
import { writeModelFolder } from "../../../core/distill/model_folder.ts";
import { freeze } from "../../../core/distill/models.ts";
import { type PreparedRun, prepareRun } from "../../../core/distill/prepare.ts";
import { silent } from "../../../core/distill/progress.ts";
import { type ResolvedPlugins, resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { readSteps } from "../../../core/distill/step_log.ts";
import { Stopwatch } from "../../../core/distill/stopwatch.ts";
import { freshWeights } from "../../../core/distill/student.ts";
import { TrainingStep } from "../../../core/distill/training_step.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { type Checked, parseChecked } from "../../../core/recipe/checked.ts";
import { type Recipe, recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { randomText } from "./random_text.ts";
import type { PipelineCase, Variant } from "./variants.ts";

/** What one variant took. */
export interface Measured {
  /** Seconds of the first step or evaluation, with everything that it prepares. */
  readonly first: number;
  /** Seconds of one after that, a number a sample. */
  readonly seconds: number[];
  readonly images: number;
  readonly parameters: number;
  /** The most bytes on the device at once, and those that are there after the last step, and after half of the steps. */
  readonly peakBytes: number;
  readonly liveBytes: number;
  readonly liveBytesBefore: number;
}

const known = { ...builtins, dataset: [...builtins.dataset, randomText] };
/** Steps that are queued before they are waited for: about so many seconds. */
const SAMPLE_SECONDS = 0.3;

/** Runs one variant of a case: a few samples of steps or evaluations. */
export async function measureVariant(
  { recipe: text, randomTeacher, measures }: PipelineCase,
  { overrides }: Variant,
  backend: Backend,
  samples: number,
): Promise<Measured> {
  const folder = await Deno.makeTempDir();
  try {
    const recipe = parseChecked(text.replace("TEACHER", join(folder, "teacher")), "bench.yaml", recipeSchema, {
      overrides,
    });
    const plugins = await resolvePlugins(recipe, known);
    const random = new Random(0);
    if (randomTeacher) await writeTeacher(join(folder, "teacher"), recipe, plugins, random);
    const ops = createOps(backend);
    const run = await prepareRun(ops, recipe, plugins, random, new Stopwatch(), silent);
    try {
      return measures === "step"
        ? await measureSteps(ops, run, recipe.value, samples)
        : await measureEvaluation(ops, run, recipe.value, samples);
    } finally {
      run.dispose();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writeTeacher(folder: string, recipe: Checked<Recipe>, plugins: ResolvedPlugins, random: Random) {
  const unused = () => Promise.reject(new Error("The benchmark's own data set reads no files"));
  const setup = { readFile: unused, readFolder: unused, noteInput: unused, random };
  const { input } = await plugins.dataset.definition.load(plugins.dataset.options, setup);
  const { definition, options } = plugins.teacher!;
  const model = definition.build(options, input);
  await writeModelFolder(folder, definition.name, model, input, freshWeights(model, random));
}

async function measureSteps(ops: Ops, run: PreparedRun, recipe: Recipe, samples: number): Promise<Measured> {
  const { student, teacher, losses, lossParameters, data } = run;
  const { batchSize } = recipe.train;
  const step = new TrainingStep(
    ops,
    student,
    teacher,
    losses,
    lossParameters,
    recipe.train,
    new Random(1),
    data.dataset.input.task,
  );
  const progress = { totalSteps: 1e6, stepsPerEpoch: 1e6 };
  let done = 0;
  const steps = async (count: number) => {
    const began = performance.now();
    const records = Array.from({ length: count }, () => {
      const indices = Uint32Array.from({ length: batchSize }, (_, i) => (done * batchSize + i) % data.train.length);
      return step.run(data.train.batch(indices), { ...progress, step: done++ }, false);
    });
    await readSteps(ops, records);
    return (performance.now() - began) / 1000 / count;
  };
  const first = await steps(1);
  // Two steps alike are computed before one is replayed.
  await steps(2);
  const count = Math.max(1, Math.min(16, Math.round(SAMPLE_SECONDS / await steps(1))));
  const seconds: number[] = [];
  let liveBytesBefore = 0;
  for (let i = 0; i < samples; i++) {
    seconds.push(await steps(count));
    if (i === samples >> 1) liveBytesBefore = ops.backend.memory().bytes;
  }
  const { bytes: liveBytes, peakBytes } = ops.backend.memory();
  step.dispose();
  const parameters = student.trainingParameters;
  return { first, seconds, images: batchSize, parameters, peakBytes, liveBytes, liveBytesBefore };
}

/** Evaluates the test set with what a user gets: the merged weights, as a file would have them. */
async function measureEvaluation(ops: Ops, run: PreparedRun, recipe: Recipe, samples: number): Promise<Measured> {
  const { student, data } = run;
  const weights = freeze(ops, student.model, await mergedWeights(student));
  const { batchSize } = recipe.evaluate;
  const once = async () => {
    const began = performance.now();
    await evaluate(ops, { model: student.model, weights, examples: data.test, input: data.dataset.input, batchSize });
    return (performance.now() - began) / 1000;
  };
  const first = await once();
  const seconds: number[] = [];
  for (let i = 0; i < samples; i++) seconds.push(await once());
  weights.dispose();
  const { bytes: liveBytes, peakBytes } = ops.backend.memory();
  const { inferenceParameters: parameters } = student;
  const images = data.test.length;
  return { first, seconds, images, parameters, peakBytes, liveBytes, liveBytesBefore: liveBytes };
}
