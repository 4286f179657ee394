import { join } from "node:path";
import { BatchLoader } from "../../data/loader.ts";
import type { Random } from "../../data/random.ts";
import type { Progress } from "../../nn/schedules.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, InputDescription } from "../../plugin/dataset.ts";
import { valueAt } from "../../recipe/scheduled.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { listWords } from "../../recipe/words.ts";
import type { Tensor } from "../../tensor.ts";
import { BestCopy } from "./best_weights.ts";
import { type Monitor, monitored, updateBest } from "./monitor.ts";
import { breathe } from "../../evaluate/breathe.ts";
import {
  type Checkpoint,
  CHECKPOINT_FILE,
  type Fingerprint,
  type Position,
  restore,
  writeCheckpoint,
} from "./checkpoint.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { evaluate } from "../../evaluate/evaluate.ts";
import { GrowthWarning } from "./growth_warning.ts";
import { type LiveParts, liveTensors } from "./live_tensors.ts";
import { showMetrics } from "../../evaluate/metrics/show.ts";
import { endLossEpoch, type LossMetrics, metricLines } from "../losses/epoch.ts";
import { lossInputs } from "../losses/inputs.ts";
import type { WeightedLoss } from "../losses/objective.ts";
import type { Reporter } from "../progress.ts";
import { type LoggedSteps, MetricsLog, readSteps } from "./step_log.ts";
import { Interrupted, NonFiniteLoss } from "../stops.ts";
import type { StepRecord } from "./training_step.ts";

/** What a training runs on. */
export interface TrainingSetup extends LiveParts {
  readonly ops: Ops;
  readonly recipe: Recipe;
  readonly losses: readonly WeightedLoss[];
  /** For what losses draw on the host. */
  readonly random: Random;
  readonly train: Examples;
  readonly validation: Examples | null;
  readonly input: InputDescription;
  /** The metric that early stopping and the best weights go by. */
  readonly monitor: Monitor;
  /** The run folder. */
  readonly folder: string;
  readonly fingerprint: Fingerprint;
  readonly reporter: Reporter;
  readonly diagnostics: Diagnostics | null;
  /** Where to go on, or `null` to begin. */
  readonly resume: Checkpoint | null;
  readonly signal?: AbortSignal;
}

/** What came of a training. */
export interface TrainingResult {
  readonly steps: number;
  readonly epochs: number;
  /** Mean of each loss over the last log line. */
  readonly losses: Readonly<Record<string, number>>;
  /** What losses reported at the end of the last epoch. */
  readonly lossMetrics: LossMetrics;
}

/** Trains the student in place: epochs and steps, with log, validation, checkpoints and early stopping. */
export async function train(setup: TrainingSetup): Promise<TrainingResult> {
  const training = new Training(setup);
  try {
    return await training.run();
  } finally {
    training.dispose();
  }
}

class Training {
  #position: Position = { step: 0, seconds: 0, best: null, losses: [], lossMetrics: {} };
  /** Steps whose numbers are still on the device. */
  #pending: StepRecord[] = [];
  #lastCheckpoint: number | null = null;
  #started = 0;
  #intervalStarted = 0;
  readonly #loader: BatchLoader;
  readonly #stepsPerEpoch: number;
  readonly #totalSteps: number;
  readonly #best: BestCopy;
  /** Every tensor that the next step depends on. */
  readonly #state: ReadonlyMap<string, Tensor>;
  readonly #checkpointFile: string;
  readonly #log: MetricsLog;
  readonly #growth: GrowthWarning;

  constructor(private readonly setup: TrainingSetup) {
    const { ops, recipe, student, folder } = setup;
    const { batchSize, dropLast, epochs, maxSteps, restoreBest } = recipe.train;
    const lengths = recipe.train.bucketByLength ? setup.train.lengths : undefined;
    this.#loader = new BatchLoader(setup.train.length, { batchSize, dropLast, shuffleSeed: recipe.seed, lengths });
    this.#stepsPerEpoch = this.#loader.batchesPerEpoch;
    this.#totalSteps = Math.min(epochs * this.#stepsPerEpoch, maxSteps ?? Infinity);
    this.#best = new BestCopy(ops, student, restoreBest && setup.validation !== null);
    this.#state = new Map([...liveTensors(setup), ...this.#best.tensors]);
    this.#checkpointFile = join(folder, CHECKPOINT_FILE);
    this.#log = new MetricsLog(folder);
    this.#growth = new GrowthWarning(student.initialNorms, setup.step.clip, setup.reporter);
  }

  async run(): Promise<TrainingResult> {
    const { reporter } = this.setup;
    await this.#begin();
    for (let epoch = Math.floor(this.#position.step / this.#stepsPerEpoch); !this.#finished; epoch++) {
      for (const { batch, indices } of this.#loader.epoch(epoch, this.#position.step % this.#stepsPerEpoch)) {
        await this.#step(epoch, batch, indices);
        if (this.#position.step === this.#totalSteps) break;
      }
      await this.#endEpoch(epoch + 1);
    }
    const { step, best, losses, lossMetrics } = this.#position;
    if (this.#stoppedEarly) {
      reporter.line(`stopped early: no better validation.${this.setup.monitor} for ${best!.waited} epochs`);
    }
    if (best && this.#best.restore()) reporter.line(`restored the weights of epoch ${best.epoch}`);
    return {
      steps: step,
      epochs: step / this.#stepsPerEpoch,
      losses: this.#byLoss(losses),
      lossMetrics,
    };
  }

  dispose(): void {
    for (const { total, correct, terms, squaredNorms, squaredParameters } of this.#pending) {
      for (const tensor of [total, correct, ...terms, ...squaredNorms, ...squaredParameters]) tensor.dispose();
    }
    this.#best.dispose();
  }

  get #stoppedEarly(): boolean {
    const { earlyStopping } = this.setup.recipe.train;
    return earlyStopping !== null && (this.#position.best?.waited ?? 0) >= earlyStopping.patience;
  }

  get #finished(): boolean {
    return this.#position.step >= this.#totalSteps || this.#stoppedEarly;
  }

  get #progress(): Progress {
    return { step: this.#position.step, totalSteps: this.#totalSteps, stepsPerEpoch: this.#stepsPerEpoch };
  }

  get #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  async #begin(): Promise<void> {
    const { ops, resume, reporter } = this.setup;
    if (resume) {
      restore(ops, resume, this.#state);
      const { step, seconds, best, losses, lossMetrics } = resume;
      this.#position = { step, seconds, best, losses, lossMetrics };
      this.#lastCheckpoint = step;
      reporter.line(`resumed after step ${step} of ${this.#totalSteps}`);
    }
    await this.#log.open(this.#position.step);
    await this.setup.diagnostics?.begin(this.#position.step % this.#stepsPerEpoch === 0);
    this.#started = performance.now() - this.#position.seconds * 1000;
    this.#intervalStarted = performance.now();
  }

  async #step(epoch: number, batch: number, indices: Uint32Array): Promise<void> {
    const { recipe, step: trainingStep, train, losses, random, signal } = this.setup;
    const { logEvery } = recipe.train;
    await breathe();
    const { step } = this.#position;
    if (signal?.aborted) {
      await this.#flush();
      await this.#checkpoint();
      throw new Interrupted(step, this.#totalSteps, this.#checkpointFile);
    }
    const examples = {
      ...train.batch(indices, { ...recipe.augment, seed: recipe.seed, epoch }),
      ...lossInputs(losses, indices, random.split(step)),
    };
    const progress = this.#progress;
    const done = step + 1;
    const last = done === this.#totalSteps || batch === this.#stepsPerEpoch - 1;
    this.#pending.push(trainingStep.run(examples, progress, last || done % logEvery === 0));
    this.#position = { ...this.#position, step: done };
    if (done % logEvery === 0) await this.#flush();
  }

  /** The losses' own end of an epoch, validation, the best weights, the checkpoint. */
  async #endEpoch(epoch: number): Promise<void> {
    const { ops, recipe, student, validation, reporter } = this.setup;
    const { earlyStopping, checkpointEvery } = recipe.train;
    const { monitor } = this.setup;
    await this.#flush();
    if (epoch === 1) this.#warnOfUnreached();
    await this.#endLossEpoch(epoch);
    if (validation) {
      // So that evaluation adds nothing to the most memory that a run takes.
      this.setup.step.rest();
      const weights = student.frozenWeights();
      const result = await evaluate(ops, {
        model: student.model,
        weights,
        examples: validation,
        input: this.setup.input,
        batchSize: recipe.evaluate.batchSize,
      }).finally(weights.dispose);
      const { metrics, loss } = result;
      const best = updateBest(
        this.#position.best,
        monitor,
        monitored(monitor, result),
        epoch,
        earlyStopping?.minDelta ?? 0,
      );
      this.#position = { ...this.#position, best };
      if (best.epoch === epoch) this.#best.take();
      await this.#log.write({ step: this.#position.step, epoch, validation: { ...metrics, loss } });
      reporter.line(`epoch ${epoch}: validation ${showMetrics(result)}, loss ${loss.toFixed(4)}`);
    }
    await this.setup.diagnostics?.endEpoch(this.#log, this.#position.step, epoch);
    if (checkpointEvery !== null && epoch % checkpointEvery === 0) await this.#checkpoint();
    this.#intervalStarted = performance.now();
  }

  /** Says what is trained in name only, once every loss has had its part; layers that are replaced may have theirs later. */
  #warnOfUnreached(): void {
    const { losses, step: { unreached }, recipe, reporter } = this.setup;
    if (recipe.train.theseus) return;
    if (unreached.length === 0 || losses.some(({ weight }) => valueAt(weight, this.#progress) === 0)) return;
    const shown = unreached.length > 4 ? [...unreached.slice(0, 3), `${unreached.length - 3} more`] : unreached;
    reporter.warning(`no loss depends on ${listWords(shown, "and")}: nothing is learned there`);
  }

  async #endLossEpoch(epoch: number): Promise<void> {
    const { ops, losses, reporter } = this.setup;
    const lossMetrics = await endLossEpoch(ops, losses, epoch);
    this.#position = { ...this.#position, lossMetrics };
    if (Object.keys(lossMetrics).length === 0) return;
    await this.#log.write({ step: this.#position.step, epoch, lossMetrics });
    metricLines(epoch, lossMetrics).forEach((line) => reporter.line(line));
  }

  #byLoss(values: readonly number[]): Record<string, number> {
    return Object.fromEntries(this.setup.losses.map(({ name }, index) => [name, values[index]]));
  }

  async #checkpoint(): Promise<void> {
    const { ops, fingerprint } = this.setup;
    this.#position = { ...this.#position, seconds: this.#seconds };
    await writeCheckpoint(ops, this.#checkpointFile, this.#state, this.#position, fingerprint);
    this.#lastCheckpoint = this.#position.step;
  }

  /** Reads the pending steps and tells what they came to. @throws NonFiniteLoss */
  async #flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const records = this.#pending;
    this.#pending = [];
    const logged = await readSteps(this.setup.ops, records);
    if (logged.nonFinite) {
      const { step, what } = logged.nonFinite;
      const indices = this.#loader.indices(Math.floor(step / this.#stepsPerEpoch), step % this.#stepsPerEpoch);
      const kept = this.#lastCheckpoint === null ? null : { file: this.#checkpointFile, step: this.#lastCheckpoint };
      throw new NonFiniteLoss(what, step + 1, indices, kept);
    }
    this.#position = { ...this.#position, losses: logged.terms };
    await this.#tell(logged);
  }

  async #tell({ step, loss, terms, accuracy, examples, norms: values }: LoggedSteps): Promise<void> {
    const { student, reporter } = this.setup;
    const norms = Object.fromEntries([...student.chains.keys()].map((name, index) => [name, values[index]]));
    if (values.length > 0) this.#growth.check(norms);
    const examplesPerSecond = examples / ((performance.now() - this.#intervalStarted) / 1000);
    this.#intervalStarted = performance.now();
    await this.#log.write({
      step,
      epoch: step / this.#stepsPerEpoch,
      loss,
      losses: this.#byLoss(terms),
      accuracy,
      norms,
      examplesPerSecond,
    });
    reporter.progress({
      step,
      totalSteps: this.#totalSteps,
      epoch: Math.ceil(step / this.#stepsPerEpoch),
      epochs: Math.ceil(this.#totalSteps / this.#stepsPerEpoch),
      loss,
      accuracy,
      examplesPerSecond,
      secondsLeft: this.#seconds / step * (this.#totalSteps - step),
    });
  }
}
