import { Run } from "../../core/distill/run.ts";
import type { RunOptions } from "../../core/distill/open_run.ts";
import { type Reporter, silent } from "../../core/distill/progress.ts";
import type { Student } from "../../core/distill/student/student.ts";
import { StoppedEarly } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import { currentFiles, useFiles } from "../../core/files/current.ts";
import { memoryWithin } from "../../core/files/memory_within.ts";
import { kindOfPath, makeFolder } from "../../core/files.ts";
import { dirname } from "../../core/paths.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import { countTrained } from "../../core/plugin/parameters.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { showBytes } from "../../core/show_bytes.ts";
import { counted, grouped } from "./format.ts";
import { alignColumns } from "./table.ts";
import { showTime } from "./time.ts";

/** Steps before the clock: they compile shaders, and record what later ones replay. */
const WARM_UP = 3;
/** Steps that are timed, fewer where they take longer than {@link MOST_SECONDS} together. */
const TIMED = 10;
const MOST_SECONDS = 20;
/** What a dry run's folder has behind the name of the run's. */
const SUFFIX = `.dry-run-${Deno.pid}`;
/** Over-parameterised weights of which the names are printed. */
const NAMED_CHAINS = 3;

/** Changes a recipe so that a dry run leaves nothing: its run folder is one of its own, and each step is timed. */
export function dryOverrides({ value: { output } }: Checked<Recipe>): Override[] {
  const label = "--dry-run";
  return [
    { path: ["output"], value: `${output}${SUFFIX}`, label },
    { path: ["train", "logEvery"], value: 1, label },
    { path: ["train", "checkpointEvery"], value: null, label },
  ];
}

/** What a few steps of a run tell. */
export interface DryTrial {
  /** What the run would do and what it would take, for people. */
  readonly lines: readonly string[];
  /** Seconds that the training steps of an epoch take. */
  readonly secondsAnEpoch: number;
}

/** What {@link dryTrial} tells people. */
export async function dryRun(recipe: Checked<Recipe>, options: RunOptions): Promise<readonly string[]> {
  return (await dryTrial(recipe, options)).lines;
}

/** Opens a run and takes a few steps, as {@link withoutFiles} says. */
export async function dryTrial(recipe: Checked<Recipe>, options: RunOptions): Promise<DryTrial> {
  return await withoutFiles(recipe, () => trial(recipe, { ...options, dry: true }));
}

/** Opens a run and closes it, as {@link withoutFiles} says. */
export async function dryOpening(recipe: Checked<Recipe>, options: RunOptions): Promise<void> {
  await withoutFiles(recipe, async () => {
    using _run = await Run.open(recipe, { ...options, dry: true, unprepared: true });
  });
}

/**
 * What a run writes meanwhile is in memory alone, so that nothing of it is left, however it ends.
 *
 * @param recipe changed by {@link dryOverrides}
 */
async function withoutFiles<Result>(
  { value: { output } }: Checked<Recipe>,
  body: () => Promise<Result>,
): Promise<Result> {
  const meant = output.slice(0, -SUFFIX.length);
  if (await kindOfPath(meant) === "file") {
    throw new UserError(`Cannot make the run folder "${meant}" as there is a file of this name`);
  }
  const files = currentFiles();
  try {
    await expectFolder(output);
    useFiles(memoryWithin(output, files));
    return await body();
  } catch (error) {
    // The folder of the trial is not the user's, who is to read of their own.
    if (error instanceof UserError) error.message = error.message.replaceAll(output, meant);
    throw error;
  } finally {
    useFiles(files);
  }
}

/** Looks whether the run's folder could be made, and leaves none. @throws UserError if not */
async function expectFolder(output: string): Promise<void> {
  const around = dirname(output);
  let there = around;
  while (await kindOfPath(there) === null) there = dirname(there);
  // A confined run could not remove what it makes around its own folder.
  if (there !== around && await kindOfPath(there) === "folder") return;
  await makeFolder(output, "the run folder");
  currentFiles().removeEmptyFolder(output);
}

async function trial(
  recipe: Checked<Recipe>,
  { reporter = silent, signal, ...options }: RunOptions,
): Promise<DryTrial> {
  const speeds: number[] = [];
  const progress: Reporter["progress"] = ({ examplesPerSecond }) => void speeds.push(examplesPerSecond);
  using run = await Run.open(recipe, { ...options, signal, reporter: { ...reporter, progress } });
  let begun = performance.now();
  while (!run.finished && run.steps < WARM_UP + TIMED) {
    if (run.steps === WARM_UP) begun = performance.now();
    if (run.steps > WARM_UP && performance.now() - begun > 1000 * MOST_SECONDS) break;
    if (signal?.aborted) throw new StoppedEarly();
    await run.step();
  }
  return describe(run, speeds.length > WARM_UP ? speeds.slice(WARM_UP) : speeds.slice(-1));
}

/** @param speeds examples a second, by step */
function describe({ parts }: Run, speeds: number[]): DryTrial {
  const { recipe: { value: settings }, data, teacher, student, architecture, ops: { backend }, training } = parts;
  const { totalSteps, stepsPerEpoch } = training.progress;
  const speed = speeds.toSorted((a, b) => a - b)[speeds.length >> 1];
  const { batchSize, accumulate } = settings.train;
  const step = Math.min(batchSize * accumulate, data.train.length) / speed;
  const { train, validation, test } = data;
  const inference = student.inferenceParameters;
  const rows = [
    [
      "examples",
      `${grouped(train.length)} training, ${grouped(validation?.length ?? 0)} validation, ` +
      `${grouped(test.length)} test`,
    ],
    ["input", describeInput(data.dataset.input)],
    [
      "steps",
      `${grouped(totalSteps)}: ${counted(totalSteps / stepsPerEpoch, "epoch")} of ${grouped(stepsPerEpoch)}, ` +
      (accumulate > 1 ? `${accumulate} batches of ${batchSize} each` : `batches of ${batchSize}`),
    ],
    ["teacher", describeTeacher(teacher && countTrained(teacher.model))],
    [
      "student",
      `${architecture}, ${grouped(student.trainingParameters)} parameters in training, ` +
      `${grouped(inference)} at inference (${showBytes(4 * inference)})${
        isCutLater(settings) ? ", before it is cut" : ""
      }`,
    ],
    ["over-parameterised", describeHeld(student.overParameterised)],
    [
      "a step",
      `${step < 1 ? `${(1000 * step).toFixed(0)} ms` : `${step.toFixed(1)} s`}, ${grouped(Math.round(speed))} ` +
      `examples/s: the median of ${speeds.length}`,
    ],
    [
      "training",
      `about ${showTime(step * totalSteps)} on this ${backend.name} backend; validation and tests beside it`,
    ],
    ["memory", `${showBytes(backend.memory().peakBytes)} of tensors at most`],
  ];
  return {
    lines: [`dry run of ${settings.name}: no run was written`, ...alignColumns(rows, ["left"])],
    secondsAnEpoch: step * stepsPerEpoch,
  };
}

/** Whether the student that ships has fewer numbers than the one that is trained. */
function isCutLater({ student: { prune }, export: { rank, parameters } }: Recipe): boolean {
  return (prune?.structure === "channels" && prune.schedule === "cubic") || rank !== null || parameters !== null;
}

/** @param parameters `null` without a teacher */
function describeTeacher(parameters: number | null): string {
  if (parameters === null) return "none";
  // A model has some; a file of its outputs has none.
  return parameters === 0 ? "a file of outputs" : `${grouped(parameters)} parameters`;
}

function describeInput({ task, classes, image, text }: InputDescription): string {
  const kind = image
    ? `images of ${image.size.join(" x ")}`
    : text
    ? `texts of up to ${text.maxLength} tokens, of ${grouped(text.vocabulary)}`
    : "other";
  if (task === "embedding") return `${kind}; vectors of sentences`;
  return task === "regression"
    ? `${kind}; a number`
    : `${kind}; ${classes.length} ${task === "tagging" ? "tags" : "classes"}${
      task === "multi-label" ? ", several an example" : ""
    }`;
}

function describeHeld(overParameterised: Student["overParameterised"]): string {
  if (overParameterised.size === 0) return "none";
  const shown = [...overParameterised].slice(0, NAMED_CHAINS).map(([name, { provider }]) => {
    return `${name} (${provider.heldAs})`;
  });
  const more = overParameterised.size - shown.length;
  const cost = [...overParameterised.values()].reduce((sum, { provider }) => sum + provider.multiplyAdds, 0);
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "") + `; ${grouped(cost)} multiply-adds to make them`;
}
