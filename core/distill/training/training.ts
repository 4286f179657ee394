import { BatchLoader } from "../../data/loader.ts";
import { Random } from "../../data/random.ts";
import { decidedIn } from "../../evaluate/answers.ts";
import { batchesOf } from "../../evaluate/batches.ts";
import type { Evaluation } from "../../evaluate/evaluate.ts";
import { breathe } from "../../evaluate/breathe.ts";
import { showMetrics } from "../../evaluate/metrics/show.ts";
import type { LossScale } from "../../nn/grad_scaler.ts";
import type { Progress } from "../../nn/schedules.ts";
import type { Ops } from "../../ops/ops.ts";
import { join } from "../../paths.ts";
import type { Batch, Examples, HostTensor, InputDescription } from "../../plugin/dataset.ts";
import { mixImages } from "../../plugin/mix_images.ts";
import { valueAt } from "../../recipe/scheduled.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { listWords } from "../../recipe/words.ts";
import { stringifyRecipe } from "../../recipe/write_recipe.ts";
import type { EventLog } from "../../tensorboard/event_log.ts";
import type { Tensor } from "../../tensor.ts";
import { type LossMetrics, metricLines } from "../losses/epoch.ts";
import type { LossSet } from "../losses/loss_set.ts";
import type { Reporter } from "../progress.ts";
import { Interrupted, type KeptCheckpoint, LossScaleTooSmall, NonFiniteLoss } from "../stops.ts";
import type { MaskPlan } from "../student/pruning/mask_plan.ts";
import type { Student } from "../student/student.ts";
import type { Taught } from "../teacher/decisions.ts";
import { type Checkpoint, CHECKPOINT_FILE, type Origin, restore, writeCheckpoint } from "./checkpoint.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { liveTensors } from "./live_tensors.ts";
import type { Monitor } from "./monitor.ts";
import { type Position, START } from "./position.ts";
import { Pruning } from "./pruning.ts";
import { MetricsLog } from "./step_log.ts";
import { matricesToShow, type Spectra, spectraOf } from "./spectra.ts";
import { StepTeller } from "./step_teller.ts";
import type { TrainingStep } from "./training_step.ts";
import { measuredStudent } from "./measured_student.ts";
import { Validation } from "./validation.ts";

/** The parts of a training. */
export interface TrainingSetup {
  readonly ops: Ops;
  readonly recipe: Recipe;
  readonly student: Student;
  readonly losses: LossSet;
  readonly step: TrainingStep;
  /** For what losses draw on the host. */
  readonly random: Random;
  readonly train: Examples;
  readonly validation: Examples | null;
  readonly input: InputDescription;
  /** The metric that early stopping and the best weights go by. */
  readonly monitor: Monitor;
  /** Gives what the teacher decides about examples; `null` if nobody asks how far the student agrees with it. */
  readonly taught: Taught | null;
  /** The run folder. */
  readonly folder: string;
  /** What its checkpoints are of. */
  readonly origin: Origin;
  readonly reporter: Reporter;
  readonly diagnostics: Diagnostics | null;
  /** How the student's weights are masked; `null`: none is. */
  readonly prune: { readonly plan: MaskPlan; readonly random: Random } | null;
  /** TensorBoard's file, if the recipe wants one. */
  readonly events: EventLog | null;
  /** The checkpoint to continue from, or `null` to begin. */
  readonly resume: Checkpoint | null;
}

/** The result of a training. */
export interface TrainingResult {
  /** Steps done. */
  readonly steps: number;
  /** Epochs done, fractions counted. */
  readonly epochs: number;
  /** Mean of each loss over the last log line. */
  readonly losses: Readonly<Record<string, number>>;
  /** The metrics that losses reported at the end of the last epoch. */
  readonly lossMetrics: LossMetrics;
  /** Where the loss's scale stood at the last log line; `null` if nothing was scaled or logged. */
  readonly lossScale: LossScale | null;
}

/** Trains a student in place, step by step, with log, validation, checkpoints and early stopping. */
export class Training {
  #position: Position = START;
  #lastCheckpoint: number | null = null;
  #started = 0;
  #begun = false;
  #ended = false;
  #lookedAtReach = false;
  readonly #loader: BatchLoader;
  readonly #totalSteps: number;
  readonly #validation: Validation;
  /** Every tensor that the next step depends on. */
  readonly #state: ReadonlyMap<string, Tensor>;
  readonly #checkpointFile: string;
  readonly #log: MetricsLog;
  readonly #teller: StepTeller;
  readonly #pruning: Pruning | null;

  /** @internal */
  constructor(private readonly setup: TrainingSetup) {
    const { recipe: { train, seed }, folder } = setup;
    const { batchSize: partSize, accumulate, dropLast, epochs, maxSteps } = train;
    const batchSize = partSize * accumulate;
    const lengths = train.bucketByLength ? setup.train.lengths : undefined;
    const balance = train.sampler === "balanced" ? setup.train.labels ?? undefined : undefined;
    this.#loader = new BatchLoader(setup.train.length, { batchSize, dropLast, shuffleSeed: seed, lengths, balance });
    this.#totalSteps = Math.min(epochs * this.#stepsPerEpoch, maxSteps ?? Infinity);
    const answers = setup.diagnostics?.looksAtAnswers ?? false;
    this.#validation = new Validation({ ...setup, examples: setup.validation, answers });
    this.#state = new Map([...liveTensors(setup), ...this.#validation.tensors]);
    this.#checkpointFile = join(folder, CHECKPOINT_FILE);
    this.#log = new MetricsLog(folder, setup.origin.run, setup.events);
    const report = (line: string) => setup.reporter.line(line);
    this.#pruning = setup.prune && new Pruning({ ...setup, ...setup.prune, totalSteps: this.#totalSteps, report });
    const schedule = { totalSteps: this.#totalSteps, stepsPerEpoch: this.#stepsPerEpoch };
    this.#teller = new StepTeller({ ...setup, ...schedule, log: this.#log });
    if (setup.resume) this.#restore(setup.resume);
  }

  /** Whether all steps are done, or training stopped early. */
  get finished(): boolean {
    return this.#position.step >= this.#totalSteps || this.#validation.stopped;
  }

  /** Whether it goes on from a checkpoint. */
  get resumed(): boolean {
    return this.setup.resume !== null;
  }

  /** The last checkpoint that was written or continued from. */
  get kept(): KeptCheckpoint | null {
    return this.#lastCheckpoint === null ? null : { file: this.#checkpointFile, step: this.#lastCheckpoint };
  }

  /** Writes a checkpoint, save where the last one is of the same step. */
  async keep(): Promise<void> {
    if (this.#lastCheckpoint !== this.#position.step) await this.#checkpoint();
  }

  /** What the validation examples showed of the student as it is; `null` where that is not known. */
  get validated(): Evaluation | null {
    return this.#validation.measured;
  }

  /** Steps done and in all, and how many an epoch has. */
  get progress(): Progress {
    return { step: this.#position.step, totalSteps: this.#totalSteps, stepsPerEpoch: this.#stepsPerEpoch };
  }

  /**
   * Trains to the end.
   *
   * @throws Interrupted when `signal` fires; a checkpoint was written
   * @throws NonFiniteLoss if a loss or the weights become NaN or infinite
   * @throws NonFiniteStudent if its outputs for the validation examples are
   */
  async run(signal?: AbortSignal): Promise<TrainingResult> {
    await this.#begin();
    while (!this.finished) {
      await breathe();
      if (signal?.aborted) await this.#interrupt();
      await this.step();
    }
    this.#finish();
    return this.result;
  }

  /** The result so far. */
  get result(): TrainingResult {
    const { step, losses, lossMetrics, lossScale } = this.#position;
    const epochs = step / this.#stepsPerEpoch;
    return { steps: step, epochs, losses: this.setup.losses.byName(losses), lossMetrics, lossScale };
  }

  /**
   * One step on the next batch; the last of an epoch ends the epoch.
   *
   * @throws NonFiniteLoss if the log is due and a loss or the weights are NaN or infinite
   */
  async step(): Promise<void> {
    await this.#begin();
    const { recipe: { train: { logEvery, batchSize } }, step: trainingStep, train } = this.setup;
    await breathe();
    const { step } = this.#position;
    const epoch = Math.floor(step / this.#stepsPerEpoch);
    const indices = this.#loader.indices(epoch, step % this.#stepsPerEpoch);
    // Before the batch, which has to be in memory when it is made.
    await trainingStep.fetch(this.progress);
    await train.fetch?.(indices);
    const batches = batchesOf(indices, batchSize).map((own, part) => this.#batch(own, { epoch, step, part }));
    const done = step + 1;
    if (train.ahead && done < this.#totalSteps) {
      const [nextEpoch, place] = [Math.floor(done / this.#stepsPerEpoch), done % this.#stepsPerEpoch];
      await train.ahead(this.#loader.indices(nextEpoch, place));
    }
    const isLast = done === this.#totalSteps || done % this.#stepsPerEpoch === 0;
    this.#validation.measured = null;
    this.#teller.add(trainingStep.run(batches, this.progress, isLast || done % logEvery === 0));
    this.#move({ step: done });
    await this.#pruning?.after(done);
    if (done % logEvery === 0) await this.#flush();
    if (isLast) await this.#endEpoch(epoch + 1);
    if (this.finished) this.#finish();
  }

  /** @internal */
  dispose(): void {
    this.#teller.dispose();
    this.#validation.dispose();
  }

  /** One of a step's batches: examples, changed and mixed as the recipe says, and what losses draw for them. */
  #batch(
    indices: Uint32Array,
    { epoch, step, part }: { epoch: number; step: number; part: number },
  ): Batch<HostTensor> {
    const { recipe: { augment, seed, train: { sampler, accumulate } }, train, losses, random } = this.setup;
    // Of a small class's examples, which come several times in an epoch, each time is to be another.
    const time = sampler === "balanced" ? step * accumulate + part : epoch;
    const drawn = train.batch(indices, { ...augment, seed, epoch: time });
    const mixes = augment.mixup > 0 || augment.cutmix > 0;
    const draws = (stream: Random) => part === 0 ? stream.split(step) : stream.split(step).split(part);
    return {
      ...(mixes ? mixImages(drawn, augment, draws(new Random(seed).split("mix"))) : drawn),
      ...losses.inputs(indices, draws(random)),
    };
  }

  get #stepsPerEpoch(): number {
    return this.#loader.batchesPerEpoch;
  }

  get #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #move(change: Partial<Position>): void {
    this.#position = { ...this.#position, ...change };
  }

  #restore(checkpoint: Checkpoint): void {
    restore(this.setup.ops, checkpoint, this.#state);
    this.setup.step.strategy.restored?.();
    const { step, seconds, best, losses, lossMetrics, lossScale } = checkpoint;
    this.#position = { step, seconds, best, losses, lossMetrics, lossScale };
    this.#validation.best = best;
    this.#lastCheckpoint = step;
    // No step comes after which the best weights would come back, and they may be exported as they are.
    if (this.finished) this.#validation.restore();
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const { resume, reporter, diagnostics } = this.setup;
    if (resume) reporter.line(`resumed after step ${resume.step} of ${this.#totalSteps}`);
    await this.#log.open(this.#position.step);
    await this.#openEvents();
    if (this.#pruning && !resume) {
      reporter.line(this.#pruning.describe());
      await this.#pruning.after(0);
    }
    await diagnostics?.begin(this.#position.step % this.#stepsPerEpoch === 0);
    this.#started = performance.now() - this.#position.seconds * 1000;
    this.#teller.startInterval();
  }

  /** The losses' own end of an epoch, validation, the best weights, the checkpoint. */
  async #endEpoch(epoch: number): Promise<void> {
    const { recipe, step, diagnostics, reporter } = this.setup;
    const { checkpointEvery } = recipe.train;
    await this.#flush();
    // While no loss has reached any weight, none has begun either: some need epochs to look at the data first.
    if (!this.#lookedAtReach && (this.finished || step.reached && this.#allLossesBegan)) this.#warnOfUnreached();
    await this.#endLossEpoch(epoch);
    // So that evaluation adds nothing to the most memory that a run takes.
    if (this.setup.validation) step.rest();
    const result = await measuredStudent(this.kept, () => {
      // A student that is still too large is none to go back to.
      return this.#validation.endEpoch(epoch, this.#pruning?.isFinal(this.#position.step) ?? true);
    });
    if (result) {
      this.#move({ best: this.#validation.best });
      const { metrics, loss } = result;
      await this.#log.write({ step: this.#position.step, epoch, validation: { ...metrics, loss } });
      const shown = [showMetrics(result, [this.setup.monitor]), ...(loss === null ? [] : [`loss ${loss.toFixed(4)}`])];
      reporter.line(`epoch ${epoch}: validation ${shown.join(", ")}`);
    }
    const decided = result?.answers ? decidedIn(result.answers) : null;
    await this.#writeSpectra(await diagnostics?.endEpoch(this.#log, { step: this.#position.step, epoch, decided }));
    if (checkpointEvery !== null && epoch % checkpointEvery === 0) await this.#checkpoint();
    this.#teller.startInterval();
  }

  async #openEvents(): Promise<void> {
    const { events, recipe, resume, reporter, student: { overParameterised } } = this.setup;
    if (!events) return;
    const text = stringifyRecipe(recipe).replaceAll(/^/gm, "    "); // four spaces: Markdown shows it as it is
    await events.open(this.#position.step, { recipe: text });
    const shown = matricesToShow(this.setup.student).length;
    const { size } = overParameterised;
    if (shown < size) {
      reporter.line(`TensorBoard: singular values of ${shown} of ${size} matrices, as all would take long`);
    }
    if (!resume) await this.#writeSpectra();
  }

  /** @param known what was computed of the weights as they are now */
  async #writeSpectra(known?: Spectra): Promise<void> {
    const { events, ops, student } = this.setup;
    if (!events) return;
    const spectra = await spectraOf(ops, student, matricesToShow(student), known);
    const tagged = [...spectra].map(([name, values]) => [`singular_values/${name}`, values] as const);
    await events.histograms(this.#position.step, Object.fromEntries(tagged));
  }

  async #endLossEpoch(epoch: number): Promise<void> {
    const { losses, reporter } = this.setup;
    const lossMetrics = await losses.endEpoch(epoch);
    this.#move({ lossMetrics });
    if (Object.keys(lossMetrics).length === 0) return;
    await this.#log.write({ step: this.#position.step, epoch, lossMetrics });
    metricLines(epoch, lossMetrics).forEach((line) => reporter.line(line));
  }

  /** The last step that was done. */
  get #lastStep(): Progress {
    return { ...this.progress, step: this.#position.step - 1 };
  }

  /** Whether every loss had a part in the last step. */
  get #allLossesBegan(): boolean {
    const last = this.#lastStep;
    return this.setup.losses.all.every(({ weight, loss: { begins = 0 } }) =>
      valueAt(weight, last) !== 0 && last.step >= begins * last.stepsPerEpoch
    );
  }

  /** Warns of what is trained in name only, once every loss has had its part; replaced layers may have theirs later. */
  #warnOfUnreached(): void {
    this.#lookedAtReach = true;
    const { step: { unreached }, recipe, reporter } = this.setup;
    if (recipe.train.theseus || unreached.length === 0) return;
    // What a loss that is over had reached before the run was stopped nobody knows any more.
    const last = this.#lastStep;
    const isOver = this.resumed &&
      this.setup.losses.all.some(({ weight }) =>
        typeof weight === "object" && weight.from !== 0 && valueAt(weight, last) === 0
      );
    if (isOver) return;
    const shown = unreached.length > 4 ? [...unreached.slice(0, 3), `${unreached.length - 3} more`] : unreached;
    reporter.warning(`no loss depends on ${listWords(shown, "and")}: nothing is learned there`);
  }

  /** After the last step: says why it was the last, and gives the best weights back. */
  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { reporter, monitor } = this.setup;
    const { best } = this.#position;
    if (this.#validation.stopped) {
      reporter.line(`stopped early: no better validation.${monitor} for ${best!.waited} epochs`);
    }
    const restored = this.#validation.restore();
    if (restored !== null) reporter.line(`restored the weights of epoch ${restored}`);
  }

  async #interrupt(): Promise<never> {
    await this.#flush();
    await this.#checkpoint();
    throw new Interrupted(this.#position.step, this.#totalSteps, this.#checkpointFile);
  }

  /** @throws NonFiniteLoss before the last checkpoint is lost, if the weights are not finite */
  async #checkpoint(): Promise<void> {
    const { ops, origin, step } = this.setup;
    // Only steps that are logged show their weights, and one that is stopped after need not be.
    if (!await step.isFinite()) throw this.#nonFinite("the weights are", this.#position.step - 1);
    this.#move({ seconds: this.#seconds });
    await writeCheckpoint(ops, this.#checkpointFile, this.#state, this.#position, origin);
    this.#lastCheckpoint = this.#position.step;
  }

  /** Reads the pending steps and tells what they came to. @throws NonFiniteLoss @throws LossScaleTooSmall */
  async #flush(): Promise<void> {
    const logged = await this.#teller.read();
    if (!logged) return;
    const { nonFinite } = logged;
    if (nonFinite) throw this.#nonFinite(nonFinite.what, nonFinite.step);
    const { lossScale } = logged;
    if (lossScale && lossScale.scale < 1) throw new LossScaleTooSmall(logged.step, lossScale.skippedSteps, this.kept);
    this.#move({ losses: logged.terms, ...lossScale && { lossScale } });
    await this.#teller.tell(logged, this.#seconds);
  }

  /** @param step the first that shows it, from 0 */
  #nonFinite(what: string, step: number): NonFiniteLoss {
    const indices = this.#loader.indices(Math.floor(step / this.#stepsPerEpoch), step % this.#stepsPerEpoch);
    return new NonFiniteLoss(what, step + 1, indices, this.kept, this.setup.recipe.train.precision);
  }
}
