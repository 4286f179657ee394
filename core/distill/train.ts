import { join } from "node:path";
import { BatchLoader } from "../data/loader.ts";
import type { ParameterStore } from "../nn/parameter_store.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Tensor } from "../tensor.ts";
import { BestCopy } from "./best_copy.ts";
import { monitored, updateBest } from "./best_epoch.ts";
import { breathe } from "./breathe.ts";
import {
  type Checkpoint,
  CHECKPOINT_FILE,
  type Fingerprint,
  type Position,
  restore,
  writeCheckpoint,
} from "./checkpoint.ts";
import { evaluate } from "./evaluate.ts";
import type { Reporter } from "./progress.ts";
import { type LoggedSteps, MetricsLog, readSteps } from "./step_log.ts";
import { Interrupted, NonFiniteLoss } from "./stops.ts";
import type { Student } from "./student.ts";
import type { StepRecord, TrainingStep } from "./training_step.ts";

/** What a training runs on. */
export interface TrainingSetup {
  readonly ops: Ops;
  readonly recipe: Recipe;
  readonly student: Student;
  readonly step: TrainingStep;
  /** Names of the losses, in their order. */
  readonly lossNames: readonly string[];
  readonly lossParameters: ParameterStore;
  readonly train: Examples;
  readonly validation: Examples | null;
  /** The run folder. */
  readonly folder: string;
  readonly fingerprint: Fingerprint;
  readonly reporter: Reporter;
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
}

/** How much a matrix's norm may grow before a warning says so. */
const GROWTH_WARNING = 10;

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
  #position: Position = { step: 0, seconds: 0, best: null, losses: [] };
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
  readonly #warned = new Set<string>();

  constructor(private readonly setup: TrainingSetup) {
    const { ops, recipe, student, folder } = setup;
    const { batchSize, dropLast, epochs, maxSteps, restoreBest } = recipe.train;
    this.#loader = new BatchLoader(setup.train.length, { batchSize, dropLast, shuffleSeed: recipe.seed });
    this.#stepsPerEpoch = this.#loader.batchesPerEpoch;
    this.#totalSteps = Math.min(epochs * this.#stepsPerEpoch, maxSteps ?? Infinity);
    this.#best = new BestCopy(ops, student, restoreBest && setup.validation !== null);
    this.#state = new Map([...liveTensors(setup), ...this.#best.tensors]);
    this.#checkpointFile = join(folder, CHECKPOINT_FILE);
    this.#log = new MetricsLog(folder);
  }

  async run(): Promise<TrainingResult> {
    const { recipe, reporter, lossNames } = this.setup;
    await this.#begin();
    for (let epoch = Math.floor(this.#position.step / this.#stepsPerEpoch); !this.#finished; epoch++) {
      for (const { batch, indices } of this.#loader.epoch(epoch, this.#position.step % this.#stepsPerEpoch)) {
        await this.#step(epoch, batch, indices);
        if (this.#position.step === this.#totalSteps) break;
      }
      await this.#endEpoch(epoch + 1);
    }
    const { step, best, losses } = this.#position;
    if (this.#stoppedEarly) {
      reporter.line(`stopped early: no better ${recipe.train.monitor} for ${best!.waited} epochs`);
    }
    if (best && this.#best.restore()) reporter.line(`restored the weights of epoch ${best.epoch}`);
    return {
      steps: step,
      epochs: step / this.#stepsPerEpoch,
      losses: Object.fromEntries(losses.map((value, index) => [lossNames[index], value])),
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

  get #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  async #begin(): Promise<void> {
    const { ops, resume, reporter } = this.setup;
    if (resume) {
      restore(ops, resume, this.#state);
      const { step, seconds, best, losses } = resume;
      this.#position = { step, seconds, best, losses };
      this.#lastCheckpoint = step;
      reporter.line(`resumed after step ${step} of ${this.#totalSteps}`);
    }
    await this.#log.open(this.#position.step);
    this.#started = performance.now() - this.#position.seconds * 1000;
    this.#intervalStarted = performance.now();
  }

  async #step(epoch: number, batch: number, indices: Uint32Array): Promise<void> {
    const { recipe, step: trainingStep, train, signal } = this.setup;
    const { logEvery } = recipe.train;
    await breathe();
    const { step } = this.#position;
    if (signal?.aborted) {
      await this.#flush();
      await this.#checkpoint();
      throw new Interrupted(step, this.#totalSteps, this.#checkpointFile);
    }
    const examples = train.batch(indices, { ...recipe.augment, seed: recipe.seed, epoch });
    const progress = { step, totalSteps: this.#totalSteps, stepsPerEpoch: this.#stepsPerEpoch };
    const done = step + 1;
    const last = done === this.#totalSteps || batch === this.#stepsPerEpoch - 1;
    this.#pending.push(trainingStep.run(examples, progress, last || done % logEvery === 0));
    this.#position = { ...this.#position, step: done };
    if (done % logEvery === 0) await this.#flush();
  }

  /** Validation, the best weights, the checkpoint. */
  async #endEpoch(epoch: number): Promise<void> {
    const { ops, recipe, student, validation, reporter } = this.setup;
    const { monitor, earlyStopping, checkpointEvery } = recipe.train;
    await this.#flush();
    if (validation) {
      const weights = student.frozenWeights();
      const result = await evaluate(ops, student.model, weights, validation, recipe.evaluate.batchSize)
        .finally(weights.dispose);
      const { accuracy, loss } = result;
      const best = updateBest(
        this.#position.best,
        monitor,
        monitored(monitor, result),
        epoch,
        earlyStopping?.minDelta ?? 0,
      );
      this.#position = { ...this.#position, best };
      if (best.epoch === epoch) this.#best.take();
      await this.#log.write({ step: this.#position.step, epoch, validation: { accuracy, loss } });
      reporter.line(`epoch ${epoch}: validation accuracy ${(100 * accuracy).toFixed(2)} %, loss ${loss.toFixed(4)}`);
    }
    if (checkpointEvery !== null && epoch % checkpointEvery === 0) await this.#checkpoint();
    this.#intervalStarted = performance.now();
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
    const { student, lossNames, reporter } = this.setup;
    const norms = Object.fromEntries([...student.chains.keys()].map((name, index) => [name, values[index]]));
    if (values.length > 0) this.#warnOfGrowth(norms);
    const examplesPerSecond = examples / ((performance.now() - this.#intervalStarted) / 1000);
    this.#intervalStarted = performance.now();
    const losses = Object.fromEntries(lossNames.map((name, index) => [name, terms[index]]));
    await this.#log.write({
      step,
      epoch: step / this.#stepsPerEpoch,
      loss,
      losses,
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

  #warnOfGrowth(norms: Readonly<Record<string, number>>): void {
    const { student: { initialNorms }, step: { clip }, reporter } = this.setup;
    for (const [name, norm] of Object.entries(norms)) {
      if (this.#warned.has(name) || norm <= GROWTH_WARNING * initialNorms[name]) continue;
      this.#warned.add(name);
      const advice = clip === null
        ? "set train.clipGradientNorm to 1, or lower train.optimiser.learningRate"
        : "lower train.optimiser.learningRate or train.cores.learningRateScale";
      reporter.warning(
        `the norm of ${name} grew from ${initialNorms[name].toPrecision(3)} to ${norm.toPrecision(3)}, ` +
          `and a weight this large before batch norm learns no more: ${advice}`,
      );
    }
  }
}

function liveTensors({ student, step, lossParameters }: TrainingSetup): Map<string, Tensor> {
  const stores = { ...student.stores(), losses: lossParameters };
  const entries = Object.entries(stores).filter(([, store]) => store.specs.length > 0)
    .map(([name, store]): [string, Tensor] => [name, store.flat]);
  const states = Object.entries(step.groups).flatMap(([name, { optimiser }]) =>
    [...optimiser.state].map(([part, tensor]): [string, Tensor] => [`${name}.${part}`, tensor])
  );
  return new Map([...entries, ...states]);
}
