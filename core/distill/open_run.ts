import { Owned } from "../owned.ts";
import type { Backend } from "../backend/backend.ts";
import { Random } from "../data/random.ts";
import { breathe } from "../evaluate/breathe.ts";
import { positiveClassOf } from "../evaluate/metrics/metrics.ts";
import { describeTags } from "../evaluate/metrics/spans.ts";
import { createOps, type Ops } from "../ops/ops.ts";
import { join } from "../paths.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { KeptChannels } from "../plugin/inner_widths.ts";
import type { Model } from "../plugin/model.ts";
import type { Builtins } from "../plugin/registry.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { checkAugmentation, expectMixable } from "./check_augmentation.ts";
import { describeCopies, repeatedValidation } from "./copies.ts";
import { withHeldOut } from "./held_out.ts";
import { describeLabelNoise } from "./label_noise.ts";
import { describeLabels, describeSkipped, describeValidation, type RunData } from "./load_data.ts";
import { loadTaughtData } from "./load_taught_data.ts";
import { expectLgtm, openLgtm } from "./open_lgtm.ts";
import { freed, lookBefore, type Opening, openLosses, openStudent, openTheseus } from "./open_stages.ts";
import { idleExamples } from "./losses/idle_examples.ts";
import { lateLosses } from "./losses/late_losses.ts";
import { LossSet } from "./losses/loss_set.ts";
import { unequalMeans } from "./losses/shared_means.ts";
import { type Reporter, silent } from "./progress.ts";
import { resolvePlugins } from "./resolve_plugins.ts";
import { expectCheckpoint, RunFolder } from "./run_folder.ts";
import { runInputs } from "./run_inputs.ts";
import { StoppedEarly } from "./stops.ts";
import { Stopwatch } from "./stopwatch.ts";
import { expectExportable } from "./student/export_onnx.ts";
import { checkStart, startingTokenizer } from "./student/starting_inputs.ts";
import type { FactorPlan } from "./student/factors/factor_plan.ts";
import { Student } from "./student/student.ts";
import { weakChains } from "./student/weak_chains.ts";
import { type Taught, taughtBy } from "./teacher/decisions.ts";
import { type LoadedTeacher, loadTeacher } from "./teacher/load_teacher.ts";
import { sameTokens } from "./teacher/own_inputs.ts";
import { taughtOnHost } from "./teacher/taught_on_host.ts";
import { useTeacherCache } from "./teacher/use_cache.ts";
import { lateSchedules } from "./training/late_schedules.ts";
import {
  CHECKPOINT_FILE,
  checkRecipe,
  checkWidths,
  comparable,
  otherDevice,
  readCheckpoint,
} from "./training/checkpoint.ts";
import { Diagnostics } from "./training/diagnostics.ts";
import { monitorOf } from "./training/monitor.ts";
import { expectPrecision } from "./training/precision.ts";
import { expectSampler } from "./training/sampler.ts";
import { rehearse } from "./training/rehearsal.ts";
import { expectStepFits } from "./training/size_check.ts";
import { Training } from "./training/training.ts";
import { TrainingStep } from "./training/training_step.ts";

/** How a run is opened. */
export interface RunOptions {
  /** The backend to compute on; it stays open. */
  readonly backend: Backend;
  /** The plug-ins that a recipe can name without a file. */
  readonly builtins: Builtins;
  /** Continue from the checkpoint in the run folder. */
  readonly resume?: boolean;
  /** Receives progress; left out, nobody does. */
  readonly reporter?: Reporter;
  /** Outputs of the teacher that would be cached are not computed: for a look at what a run would be. */
  readonly dry?: boolean;
  /** Of a dry run that takes no step: what losses compute of all training examples is left out. */
  readonly unprepared?: boolean;
  /** Writes what a report shows beside log and summary into the run folder, as `record.json`. */
  readonly record?: boolean;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/** The parts of a run. */
export interface RunParts {
  /** The run's id: every file in its folder says it. A resumed run keeps it. */
  readonly id: string;
  /** Where it writes. */
  readonly folder: RunFolder;
  /** The operations of the backend. */
  readonly ops: Ops;
  /** The recipe, all defaults filled in. */
  readonly recipe: Checked<Recipe>;
  /** Receives progress. */
  readonly reporter: Reporter;
  /** The time that each stage took. */
  readonly watch: Stopwatch;
  /** Name of the student's plug-in. */
  readonly architecture: string;
  /** What that says of itself, a line; `null` if nothing. */
  readonly description: string | null;
  /** The examples for training, validation and test. */
  readonly data: RunData;
  /** Training examples that a teacher which learns is told of alone; `null`: it is frozen. */
  readonly heldOut: Examples | null;
  /** `null`: the student learns alone. */
  readonly teacher: LoadedTeacher | null;
  /** The model in training, some of its weights over-parameterised. */
  readonly student: Student;
  /** Channels of each of its inner widths, where some were taken away; else `null`. */
  readonly widths: Readonly<Record<string, readonly [before: number, after: number]>> | null;
  /** Builds it without the channels that its masks take away; `null`: they take away none. */
  readonly narrow: ((kept: KeptChannels) => Model) | null;
  /** Which of its weights are exported as factors; `null`: none. */
  readonly factors: FactorPlan | null;
  /** The losses whose weighted sum is minimised. */
  readonly losses: LossSet;
  /** One step on given batches, usually one, without log and validation. */
  readonly trainingStep: TrainingStep;
  /** Gives what the teacher decides about examples, where it is asked how far the student agrees with it. */
  readonly taught: Taught | null;
  /** The steps in their order, with all that comes between them. */
  readonly training: Training;
}

/**
 * Opens a run in stages: data, teacher, student, losses, training. All that they make is on one stack from the first
 * tensor on, so that a refusal in a later stage leaves nothing on the backend.
 *
 * @returns the parts, and the stack that they are freed by
 * @throws UserError for a mistake in the recipe or in a file that it names, or if another run has the run folder
 * @throws StoppedEarly if the signal fires
 */
export async function openRun(
  recipe: Checked<Recipe>,
  { backend, builtins, resume = false, dry = false, unprepared = false, reporter = silent, signal }: RunOptions,
): Promise<RunParts & { readonly owned: Owned }> {
  const [watch, ops, random] = [new Stopwatch(), createOps(backend), new Random(recipe.value.seed)];
  const report = (line: string) => reporter.line(line);
  expectPrecision(recipe.part("train"), ops);
  expectLgtm(recipe);
  const plugins = await resolvePlugins(recipe, builtins);
  const settings = recipe.value;
  using owned = new Owned();
  const breath = async () => {
    await breathe();
    try {
      signal?.throwIfAborted();
    } catch {
      throw new StoppedEarly();
    }
  };
  const folder = owned.use(await RunFolder.open({ folder: settings.output, resume }));
  // Before anything is loaded: a refused checkpoint must stay usable with the recipe that it was made by.
  if (resume) await expectCheckpoint(settings.output);
  const checkpoint = resume ? await readCheckpoint(join(settings.output, CHECKPOINT_FILE)) : null;
  if (checkpoint) checkRecipe(checkpoint, settings, "resume from");
  if (checkpoint && !checkpoint.checked) {
    report(`"${checkpoint.file}" is of an older version and has no checksum: whether it is whole is not known`);
  }
  const id = checkpoint?.run ?? crypto.randomUUID().slice(-12);

  const opening: Opening = { ops, recipe, watch, plugins, random, report, owned, breath };
  const tell = { report, warning: (line: string) => reporter.warning(line) };
  const { data: loaded, heldOut, own, recorded } = await watch.time("load", async () => {
    const tokenizer = await startingTokenizer(recipe);
    const taught = await loadTaughtData(ops, recipe, plugins, random, tokenizer, tell, owned);
    await checkStart(recipe, taught.data, tell.warning);
    return { ...taught, ...withHeldOut(recipe, taught.data, random) };
  });
  const { input } = loaded.dataset;
  const { notes = [], warnings = [] } = loaded.dataset;
  const { from } = settings.validation ?? { from: "train" };
  const said = [
    ...notes,
    ...describeSkipped(loaded.dataset),
    ...describeLabels(loaded),
    describeLabelNoise(settings, loaded.train, input),
    describeCopies(loaded, from),
  ];
  for (const line of said) if (line !== null) report(line);
  const warned = [
    ...warnings,
    describeValidation(loaded),
    repeatedValidation(loaded, from),
    await checkAugmentation(recipe, loaded),
  ];
  for (const line of warned) if (line !== null) reporter.warning(line);
  const { positiveClass } = settings.evaluate;
  recipe.within(["evaluate", "positiveClass"], () => positiveClassOf(input, positiveClass));
  if (input.task === "tagging") report(describeTags(input.classes));
  await breath();
  const frozen = recorded ?? await watch.time("load", () => loadTeacher(ops, recipe, plugins, input, own, report));
  if (frozen) owned.adopt(frozen, freed);
  const opened = await openStudent(opening, loaded, frozen);
  const { student } = opened;
  if (checkpoint) checkWidths(checkpoint, opened.widths);
  await expectExportable(recipe, student.model, input);
  const weak = weakChains(opened.providers, student.model);
  if (weak) reporter.warning(weak);
  await breath();
  const { losses, shapes, aligned } = await openLosses(opening, loaded, frozen, opened, sameTokens(own));
  expectMixable(recipe, losses.all, loaded.train, frozen);
  expectSampler(recipe, loaded.train, losses);
  const idle = idleExamples(loaded.train, losses);
  if (idle) reporter.warning(idle);
  const unequal = unequalMeans(settings, losses, loaded.train, input);
  if (unequal) reporter.warning(unequal);
  const { weightDecay, weightDecayTarget } = settings.train.cores;
  if (weightDecayTarget === "none" && weightDecay) {
    reporter.warning(`train.cores.weightDecay: ${weightDecay} shrinks nothing, as weightDecayTarget is none`);
  }
  if (!checkpoint) await lookBefore(opening, loaded, frozen, reporter);
  const theseus = await openTheseus(opening, loaded, frozen, student, sameTokens(own));
  const lgtm = heldOut && aligned &&
    openLgtm(opening, { data: loaded, heldOut, teacher: frozen, student, losses, aligned });
  const taught = lgtm ? lgtm.teacher : frozen;
  await breath();
  const { data, teacher } = await watch.time("load", async () => {
    const lessons = { data: loaded, teacher: taught };
    const cached = await useTeacherCache(ops, recipe, lessons, { losses, dry, tell });
    return taughtOnHost(cached, losses.wanted);
  });
  const { train, validation } = data;
  const { batchSize } = settings.evaluate;
  const prepares = losses.all.some(({ loss }) => loss.prepare);
  if (prepares && !unprepared) {
    const stepSize = settings.train.batchSize;
    const preparation = {
      teacher,
      train,
      untaught: loaded.train,
      batchSize,
      stepSize,
      random: random.split("prepare"),
    };
    await breath();
    await watch.time("prepare", () => losses.prepare(recipe.part("losses"), preparation));
  }
  const rehearsal = { ops, student, teacher, losses, train, recipe: recipe.part("train"), random };
  // Without what they prepare losses cannot be computed.
  if (!prepares || !unprepared) {
    await expectStepFits({ ...rehearsal, shapes: shapes.student });
    await rehearse(rehearsal);
  }
  const inputs = await runInputs(data, teacher, plugins.student, checkpoint);
  if (checkpoint) watch.carry("train", checkpoint.seconds);
  const { task } = input;
  const dropout = random.split("dropout");
  const strategy = theseus ?? lgtm?.strategy;
  const step = { ops, student, teacher, losses, recipe: settings.train, random: dropout, task, strategy };
  const trainingStep = owned.adopt(new TrainingStep(step), freed);
  const diagnosed = recipe.part("train").part("diagnostics");
  const agrees = teacher !== null && (!validation || teacher.knows?.(validation) !== false);
  const watched = { validation, taught: agrees };
  const monitor = recipe.within(
    ["train", "monitor"],
    () => monitorOf(settings.train.monitor, input, watched, positiveClass),
  );
  const decided = teacher && taughtBy({ ops, teacher, task, batchSize, always: monitor === "agreement" });
  const events = settings.log.tensorboard
    ? new (await import("../tensorboard/event_log.ts")).EventLog(settings.output, id)
    : null;
  const training = new Training({
    ops,
    recipe: settings,
    student,
    losses,
    step: trainingStep,
    random: random.split("loss inputs"),
    train,
    validation,
    input,
    monitor,
    taught: decided,
    folder: settings.output,
    origin: {
      run: id,
      device: backend.description,
      fingerprint: { recipe: comparable(settings), inputs },
      widths: opened.widths,
    },
    reporter,
    diagnostics: diagnosed &&
      new Diagnostics({ ops, student, teacher, validation, recipe: diagnosed, batchSize, task }),
    prune: opened.masks && { plan: opened.masks, random: random.split("prune") },
    events,
    resume: checkpoint,
  });
  owned.adopt(training, freed);
  const elsewhere = checkpoint && !training.finished ? otherDevice(checkpoint, backend.description) : null;
  if (elsewhere) reporter.warning(elsewhere);
  const { progress } = training;
  const late = [...lateLosses(losses, progress), ...lateSchedules(settings.train, progress)];
  late.forEach((text) => reporter.warning(text));
  const { name: architecture, description } = plugins.student.definition;
  // One from outside may have none.
  const model = { architecture, description: typeof description === "string" ? description : null };
  const { widths, narrow, factors } = opened;
  const trained = { student, widths, narrow, factors, losses, trainingStep, training, taught: decided };
  const parts: RunParts = { id, folder, ops, recipe, reporter, watch, ...model, data, heldOut, teacher, ...trained };
  return { ...parts, owned: owned.move() };
}
