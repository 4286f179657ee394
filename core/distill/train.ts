import { join } from "node:path";
import { BatchLoader } from "../data/loader.ts";
import type { ParameterStore } from "../nn/parameter_store.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Tensor } from "../tensor.ts";
import { type Best, monitored, updateBest } from "./best_epoch.ts";
import { breathe } from "./breathe.ts";
import { CHECKPOINT_FILE, type Position, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { Interrupted, NonFiniteLoss } from "./stops.ts";
import { evaluate } from "./evaluate.ts";
import type { Reporter } from "./progress.ts";
import { type LoggedSteps, MetricsLog, readSteps } from "./step_log.ts";
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
  readonly folder: string;
  readonly fingerprint: string;
  readonly reporter: Reporter;
  readonly resume: boolean;
  readonly signal?: AbortSignal;
}

/** What came of a training. */
export interface TrainingResult {
  readonly steps: number;
  readonly epochs: number;
  readonly seconds: number;
  /** Mean of each loss over the last log line. */
  readonly losses: Readonly<Record<string, number>>;
  readonly best: Best | null;
}

/** How much a matrix's norm may grow before a warning says so. */
const GROWTH_WARNING = 10;

/** Trains the student in place: the loop over epochs and steps, with log, validation, checkpoints and early stopping. */
export async function train(setup: TrainingSetup): Promise<TrainingResult> {
  const { ops, recipe, student, step: trainingStep, reporter, folder } = setup;
  const options = recipe.train;
  const loader = new BatchLoader(setup.train.length, { batchSize: options.batchSize, shuffleSeed: recipe.seed });
  const stepsPerEpoch = loader.batchesPerEpoch;
  const totalSteps = Math.min(options.epochs * stepsPerEpoch, options.maxSteps ?? Infinity);
  const keepsBest = options.restoreBest && setup.validation !== null;
  const best = new BestCopy(ops, setup, keepsBest);
  const saved = new Map([...liveTensors(setup), ...best.tensors]);
  const checkpointFile = join(folder, CHECKPOINT_FILE);
  const log = new MetricsLog(folder);

  let position: Position = { step: 0, seconds: 0, best: null, initialNorms: {}, fingerprint: setup.fingerprint };
  if (setup.resume) {
    position = await readCheckpoint(ops, checkpointFile, saved, setup.fingerprint);
    reporter.line(`resumed after step ${position.step} of ${totalSteps}`);
  }
  await log.open(position.step);

  const started = performance.now() - position.seconds * 1000;
  const secondsSoFar = () => (performance.now() - started) / 1000;
  const firstStep = position.step;
  let lastCheckpoint = setup.resume ? position.step : null;
  let pending: StepRecord[] = [];
  let last: LoggedSteps | null = null;
  let intervalStart = performance.now();
  const warned = new Set<string>();

  const checkpoint = async () => {
    position = { ...position, seconds: secondsSoFar() };
    await writeCheckpoint(ops, checkpointFile, saved, position);
    lastCheckpoint = position.step;
  };

  const flush = async () => {
    if (pending.length === 0) return;
    const logged = await readSteps(ops, pending);
    pending = [];
    if (logged.firstNonFinite !== null) {
      const [epoch, batch] = [Math.floor(logged.firstNonFinite / stepsPerEpoch), logged.firstNonFinite % stepsPerEpoch];
      const kept = lastCheckpoint === null ? null : { file: checkpointFile, step: lastCheckpoint };
      throw new NonFiniteLoss(logged.firstNonFinite + 1, loader.indices(epoch, batch), kept);
    }
    last = logged;
    const names = [...student.chains.keys()];
    const norms = Object.fromEntries(names.map((name, index) => [name, logged.norms[index]]));
    if (logged.norms.length > 0) {
      if (Object.keys(position.initialNorms).length === 0) position = { ...position, initialNorms: norms };
      warnOfGrowth(norms, position.initialNorms, warned, trainingStep.clip, reporter);
    }
    const seconds = (performance.now() - intervalStart) / 1000;
    intervalStart = performance.now();
    const perStep = secondsSoFar() / logged.step;
    await log.write({
      step: logged.step,
      epoch: logged.step / stepsPerEpoch,
      loss: logged.loss,
      losses: Object.fromEntries(setup.lossNames.map((name, index) => [name, logged.terms[index]])),
      accuracy: logged.accuracy,
      norms,
      examplesPerSecond: logged.examples / seconds,
    });
    reporter.progress({
      step: logged.step,
      totalSteps,
      epoch: Math.ceil(logged.step / stepsPerEpoch),
      epochs: Math.ceil(totalSteps / stepsPerEpoch),
      loss: logged.loss,
      accuracy: logged.accuracy,
      examplesPerSecond: logged.examples / seconds,
      secondsLeft: perStep * (totalSteps - logged.step),
    });
  };

  /** After each epoch: validation, the best weights, whether to stop early, the checkpoint. */
  const endEpoch = async (epoch: number): Promise<boolean> => {
    await flush();
    let stop = false;
    if (setup.validation) {
      const weights = () => ops.constant(() => student.weights());
      const result = await evaluate(ops, student.model, weights, setup.validation, recipe.evaluate.batchSize);
      const value = monitored(options.monitor, result);
      const next = updateBest(position.best, options.monitor, value, epoch, options.earlyStopping?.minDelta ?? 0);
      position = { ...position, best: next };
      if (next.epoch === epoch) best.take();
      await log.write({ step: position.step, epoch, validation: { accuracy: result.accuracy, loss: result.loss } });
      reporter.line(
        `epoch ${epoch}: validation accuracy ${(100 * result.accuracy).toFixed(2)} %, loss ${result.loss.toFixed(4)}`,
      );
      stop = options.earlyStopping !== null && next.waited >= options.earlyStopping.patience;
      if (stop) reporter.line(`stopped early: no better ${options.monitor} for ${next.waited} epochs`);
    }
    if (options.checkpointEvery !== null && epoch % options.checkpointEvery === 0) await checkpoint();
    intervalStart = performance.now();
    return stop;
  };

  training: for (let epoch = Math.floor(firstStep / stepsPerEpoch); position.step < totalSteps; epoch++) {
    for (const { indices } of loader.epoch(epoch, position.step - epoch * stepsPerEpoch)) {
      await breathe();
      if (setup.signal?.aborted) {
        await flush();
        await checkpoint();
        throw new Interrupted(position.step, totalSteps, checkpointFile);
      }
      const batch = setup.train.batch(indices, { ...recipe.augment, seed: recipe.seed, epoch });
      const progress = { step: position.step, totalSteps, stepsPerEpoch };
      const logs = (position.step + 1) % options.logEvery === 0 || position.step === 0;
      pending.push(trainingStep.run(batch, progress, logs));
      position = { ...position, step: position.step + 1 };
      if (position.step % options.logEvery === 0) await flush();
      if (position.step === totalSteps) break;
    }
    const stop = await endEpoch(epoch + 1);
    if (stop) break training;
  }
  const seconds = secondsSoFar();
  if (keepsBest && position.best) {
    best.restore();
    reporter.line(`restored the weights of epoch ${position.best.epoch}`);
  }
  best.dispose();
  const losses = (last as LoggedSteps | null)?.terms ?? [];
  return {
    steps: position.step,
    epochs: position.step / stepsPerEpoch,
    seconds,
    losses: Object.fromEntries(losses.map((value, index) => [setup.lossNames[index], value])),
    best: position.best,
  };
}

/** Every tensor that the next step depends on. */
function liveTensors({ student, step, lossParameters }: TrainingSetup): Map<string, Tensor> {
  const stores = { ...student.stores(), losses: lossParameters };
  const entries = Object.entries(stores).filter(([, store]) => store.specs.length > 0)
    .map(([name, store]): [string, Tensor] => [name, store.flat]);
  const states = Object.entries(step.groups).flatMap(([name, { optimiser }]) =>
    [...optimiser.state].map(([part, tensor]): [string, Tensor] => [`${name}.${part}`, tensor])
  );
  return new Map([...entries, ...states]);
}

/** A second copy of the student's weights: those of the best epoch. */
class BestCopy {
  readonly tensors = new Map<string, Tensor>();
  readonly #originals = new Map<string, Tensor>();

  constructor(private readonly ops: Ops, { student }: TrainingSetup, active: boolean) {
    if (!active) return;
    for (const [name, store] of Object.entries(student.stores())) {
      if (store.specs.length === 0) continue;
      this.#originals.set(`best.${name}`, store.flat);
      this.tensors.set(`best.${name}`, ops.keep(ops.full(store.flat.shape, 0)));
    }
  }

  take(): void {
    for (const [name, copy] of this.tensors) this.ops.device.copy(this.#originals.get(name)!, copy);
  }

  restore(): void {
    for (const [name, copy] of this.tensors) this.ops.device.copy(copy, this.#originals.get(name)!);
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
  }
}

function warnOfGrowth(
  norms: Readonly<Record<string, number>>,
  initial: Readonly<Record<string, number>>,
  warned: Set<string>,
  clip: number | null,
  reporter: Reporter,
): void {
  for (const [name, norm] of Object.entries(norms)) {
    if (warned.has(name) || !(norm > GROWTH_WARNING * initial[name])) continue;
    warned.add(name);
    const advice = clip === null
      ? "set train.clipGradientNorm to 1, or lower train.optimiser.learningRate"
      : "lower train.optimiser.learningRate or train.cores.learningRateScale";
    reporter.warning(
      `the norm of ${name} grew from ${initial[name].toPrecision(3)} to ${norm.toPrecision(3)}, ` +
        `and a weight this large before batch norm learns no more: ${advice}`,
    );
  }
}
