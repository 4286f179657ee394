import { join } from "node:path";
import type { Backend } from "../../../core/backend/backend.ts";
import { openBackend } from "../../../core/backend/open_backend.ts";
import { Random } from "../../../core/data/random.ts";
import { evaluate } from "../../../core/evaluate/evaluate.ts";
import { mergedWeights } from "../../../core/distill/student/merged_weights.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { Run } from "../../../core/distill/run.ts";
import { type ResolvedPlugins, resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { readSteps } from "../../../core/distill/training/step_log.ts";
import { freshWeights } from "../../../core/plugin/parameters.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { randomText } from "./random_text.ts";
import type { PipelineCase, Variant } from "./variants.ts";

/** A variant that is ready to be timed, beside others. */
export interface Session {
  /** Seconds of the first step or evaluation, with everything that it prepares. */
  readonly first: number;
  /** Examples of a step or an evaluation. */
  readonly images: number;
  /** Numbers that are trained, or those of the student that is evaluated. */
  readonly parameters: number;
  /** Seconds of one step or evaluation, the mean of a few. */
  sample(): Promise<number>;
  /** Ends it, and tells what memory it used. */
  close(): Promise<Memory>;
}

/** Bytes on the device. */
export interface Memory {
  /** The most at once. */
  readonly peakBytes: number;
  /** After the last step, and before the first sample. */
  readonly liveBytes: number;
  readonly liveBytesBefore: number;
}

const known = { ...builtins, dataset: [...builtins.dataset, randomText] };
/** Steps that are queued before they are waited for: about so many seconds. */
const SAMPLE_SECONDS = 0.3;

/** Opens a backend and prepares one variant of a case on it. */
export async function openSession(own: PipelineCase, variant: Variant, backendName: Backend["name"]): Promise<Session> {
  const folder = await Deno.makeTempDir();
  try {
    const text = own.recipe.replace("TEACHER", join(folder, "teacher"));
    const recipe = parseChecked(text, "bench.yaml", recipeSchema, {
      overrides: [...variant.overrides, { path: ["output"], value: join(folder, "run"), label: "the benchmark" }],
    });
    const plugins = await resolvePlugins(recipe, known);
    const random = new Random(0);
    if (own.randomTeacher) await writeTeacher(join(folder, "teacher"), plugins, random);
    const { backend } = await openBackend(backendName);
    const run = await Run.open(recipe, { backend, builtins: known });
    return own.measures === "step" ? await trainingSession(run) : await evaluationSession(run);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writeTeacher(folder: string, plugins: ResolvedPlugins, random: Random) {
  const unused = () => Promise.reject(new Error("The benchmark's own data set reads no files"));
  const setup = { readFile: unused, readFolder: unused, openFolder: unused, noteInput: unused, random };
  const { input } = await plugins.dataset.definition.load(plugins.dataset.options, setup);
  const { definition, options } = plugins.teacher!;
  const model = definition.build(options, input);
  await writeModelFolder(folder, definition.name, model, input, freshWeights(model, random));
}

async function trainingSession(run: Run): Promise<Session> {
  const { ops, student, trainingStep, data, recipe: { value: { train } } } = run.parts;
  const progress = { totalSteps: 1e6, stepsPerEpoch: 1e6 };
  let done = 0;
  const steps = async (count: number) => {
    const began = performance.now();
    const records = Array.from({ length: count }, () => {
      const indices = Uint32Array.from(
        { length: train.batchSize },
        (_, i) => (done * train.batchSize + i) % data.train.length,
      );
      return trainingStep.run([data.train.batch(indices)], { ...progress, step: done++ }, false);
    });
    await readSteps(ops, records);
    return (performance.now() - began) / 1000 / count;
  };
  const first = await steps(1);
  // Two steps alike are computed before one is replayed.
  await steps(2);
  const count = Math.max(1, Math.min(16, Math.round(SAMPLE_SECONDS / await steps(1))));
  const { bytes: liveBytesBefore } = ops.backend.memory();
  return {
    first,
    images: train.batchSize,
    parameters: student.trainingParameters,
    sample: () => steps(count),
    async close() {
      const { bytes: liveBytes, peakBytes } = ops.backend.memory();
      run[Symbol.dispose]();
      await ops.backend.close();
      return { peakBytes, liveBytes, liveBytesBefore };
    },
  };
}

/** Evaluates the test set with what a user gets: the merged weights, as a file would have them. */
async function evaluationSession(run: Run): Promise<Session> {
  const { ops, student, data, recipe: { value: recipe } } = run.parts;
  const weights = freeze(ops, student.model, await mergedWeights(student));
  const { input } = data.dataset;
  const { batchSize } = recipe.evaluate;
  const sample = async () => {
    const began = performance.now();
    await evaluate(ops, { model: student.model, weights, examples: data.test, input, batchSize });
    return (performance.now() - began) / 1000;
  };
  const first = await sample();
  const { bytes: liveBytesBefore } = ops.backend.memory();
  return {
    first,
    images: data.test.length,
    parameters: student.inferenceParameters,
    sample,
    async close() {
      const { bytes: liveBytes, peakBytes } = ops.backend.memory();
      weights.dispose();
      run[Symbol.dispose]();
      await ops.backend.close();
      return { peakBytes, liveBytes, liveBytesBefore };
    },
  };
}
