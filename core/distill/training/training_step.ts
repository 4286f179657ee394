import { GradScaler } from "../../nn/grad_scaler.ts";
import { clipScale, createOptimiser, type Optimiser } from "../../nn/optimisers.ts";
import type { TrainedPart } from "../../nn/parameter_store.ts";
import { learningRateAt, type Progress } from "../../nn/schedules.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Random } from "../../data/random.ts";
import type { Ops } from "../../ops/ops.ts";
import { type BodyCall, Recorder } from "../../replay/recorder.ts";
import { type Scheduled, valueAt } from "../../recipe/scheduled.ts";
import type { Batch, HostTensor, Task } from "../../plugin/dataset.ts";
import { hasClasses } from "../../plugin/inputs.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";
import { scoredIn } from "../../evaluate/predictions.ts";
import type { LossSet } from "../losses/loss_set.ts";
import type { Student } from "../student/student.ts";
import { type Teacher, teacherOutputs } from "../teacher/teacher_outputs.ts";
import { mergedDecay, type ParameterGroups, parameterGroups, updateGroups } from "./parameter_group.ts";
import { inPrecision } from "./precision.ts";
import { PLAIN, type Strategy } from "./strategy.ts";

/** A step's results on the device, to be read together with those of other steps. */
export interface StepRecord {
  /** The number of the step, from 0. */
  readonly step: number;
  /** Examples in its batches. */
  readonly batchSize: number;
  /** How many answers are right or wrong: the examples with a label, the tokens that count, none of a regression. */
  readonly scored: number;
  /** `[]`: the weighted sum. */
  readonly total: Tensor;
  /** `[]` each, in the order of the losses. */
  readonly terms: readonly Tensor[];
  /** `[]`: how many predictions were right. */
  readonly correct: Tensor;
  /** Squared Frobenius norms of the over-parameterised matrices, on steps that are logged; else empty. */
  readonly squaredNorms: readonly Tensor[];
  /**
   * Squared norms of all parameters after the step, on steps that are logged; else empty. A loss may stay finite behind
   * a ReLU while the weights are not.
   */
  readonly squaredParameters: readonly Tensor[];
  /** The state of the loss's scale after the step, `[3]`, on steps that are logged; else empty. */
  readonly lossScale: readonly Tensor[];
}

/** The parts of a training step. */
export interface StepSetup {
  readonly ops: Ops;
  readonly student: Student;
  /** `null`: the student learns alone. */
  readonly teacher: Teacher | null;
  readonly losses: LossSet;
  readonly recipe: Recipe["train"];
  /** Split for each step; for dropout, and for the layers that are replaced. */
  readonly random: Random;
  readonly task: Task;
  /** What is done beside the student's own step; plain training by default. */
  readonly strategy?: Strategy;
}

/** A batch among those of a step. */
interface Part {
  readonly first: boolean;
  readonly last: boolean;
}

/** The name of a batch's part of a step's loss, among what is uploaded with it. */
const SHARE = "share of the step";

/** What the names there begin with of what the step has drawn for weights, the same for all its batches. */
const DRAWN = "drawn for ";

/**
 * One training step: forward, losses, backward, update. It waits for nothing, and is replayed where steps repeat.
 *
 * A step may be of several batches, which are computed one after the other: its loss is the mean of theirs, each
 * counted by its examples (for tagging by the tokens that have a label), and their gradients are added up. That is the
 * loss of them all as one batch where losses are such means; batch norm, and losses that compare examples with each
 * other, see one of the batches at a time.
 */
export class TrainingStep {
  /** @internal */
  readonly groups: ParameterGroups;
  /** Scales the loss; `null` where gradients are float32. @internal */
  readonly scaler: GradScaler | null;
  readonly #clip: number | null;
  readonly #recorder: Recorder;
  /** Adds up the scores of pruning by movement; `null` without it. */
  readonly #scoring: Optimiser | null;
  readonly #unreached: Set<string>;
  /** @internal */
  readonly strategy: Strategy;

  /** @internal */
  constructor(private readonly setup: StepSetup) {
    const { ops, student, teacher, losses, recipe } = setup;
    this.strategy = setup.strategy ?? PLAIN;
    this.groups = parameterGroups(ops, { ...student.trained, losses: losses.parameters }, recipe);
    this.#scoring = scoring(ops, student);
    this.scaler = recipe.precision === "f16" ? new GradScaler(ops) : null;
    this.#unreached = new Set(Object.values(this.groups).flatMap(({ store }) => store.specs.map(({ name }) => name)));
    const taught = teacher?.cached === undefined ? teacher?.model : undefined;
    const parts = [student.model, taught, ...losses.all.map(({ loss }) => loss)];
    this.#recorder = new Recorder(ops.device, recipe.replay && parts.every((part) => part?.replay !== false));
    this.#clip = recipe.clipGradientNorm === "auto" ? automaticClip(setup) : recipe.clipGradientNorm;
  }

  /** The bound on the gradient's norm, or `null`. */
  get clip(): number | null {
    return this.#clip;
  }

  /** Whether a loss has depended on any trained tensor in some step so far. */
  get reached(): boolean {
    return this.#unreached.size < Object.values(this.groups).reduce((sum, { store }) => sum + store.specs.length, 0);
  }

  /** Names of the trained tensors on which no loss has depended in any step so far. */
  get unreached(): string[] {
    return [...this.#unreached];
  }

  /** How many steps were computed by running models and losses, and how many by replaying an earlier step. */
  get counts(): { readonly runs: number; readonly replays: number } {
    return this.#recorder.counts;
  }

  /** Brings what the next step needs beside its batches into memory. */
  async fetch(progress: Progress): Promise<void> {
    await this.strategy.fetch?.(progress);
  }

  /** Takes a step on some batches, usually one. `withNorms` also measures the weights. */
  run(batches: readonly Batch<HostTensor>[], progress: Progress, withNorms: boolean): StepRecord {
    const { ops, student, random, task } = this.setup;
    const seeds = random.split(progress.step);
    const choice = this.strategy.draw?.(progress, seeds.split("theseus")) ?? "";
    const scoredBy = batches.map(({ label, labelled }) => scoredIn(task, { label, labelled }));
    const sizes = batches.map(({ label: { shape: [size] } }) => size);
    const shares = sharesOf(task === "tagging" ? scoredBy : sizes);
    const drawn = Object.fromEntries(
      [...student.draw(seeds.split("weights"))].map(([name, data]) => [DRAWN + name, { data, shape: [data.length] }]),
    );
    return ops.scope(() => {
      this.strategy.before?.({
        batches,
        drawn,
        progress,
        random: seeds.split("before"),
        recorder: this.#recorder,
        groups: this.groups,
        clip: this.#clip,
        regularised: (loss, weights) => this.#withMergedDecay(loss, weights),
      });
      const parts = batches.map((batch, index) => {
        const part: Part = { first: index === 0, last: index === batches.length - 1 };
        const share = batches.length > 1 && { [SHARE]: { data: Float32Array.of(shares[index]), shape: [1] } };
        return this.#recorder.run({
          key: `${withNorms ? "norms" : ""} ${choice} ${part.first} ${part.last}`,
          inputs: { ...batch, ...share, ...drawn },
          randomSeed: () => seeds.uint32(),
          at: (value: Scheduled) => valueAt(value, progress),
          body: (call) => this.#compute(call, choice, withNorms, part),
        });
      });
      const [{ squaredNorms }] = parts;
      const sum = (of: (part: typeof parts[number]) => Tensor) =>
        parts.length === 1 ? of(parts[0]) : ops.total(parts.map(of));
      const total = sum(({ total: [total] }) => total);
      const correct = sum(({ correct: [correct] }) => correct);
      const terms = parts[0].terms.map((_, index) => sum(({ terms }) => terms[index]));
      this.#update(progress, parts.at(-1)!.gradientScale[0]);
      const squaredParameters = withNorms ? this.#squaredParameters() : [];
      const lossScale = withNorms && this.scaler ? [ops.scale(this.scaler.state, 1)] : [];
      const batchSize = sizes.reduce((sum, size) => sum + size);
      const isScored = hasClasses(task) && task !== "multi-label";
      const scored = isScored ? scoredBy.reduce((sum, count) => sum + count) : 0;
      const norms = { squaredNorms, squaredParameters };
      return { step: progress.step, batchSize, scored, total, terms, correct, ...norms, lossScale };
    });
  }

  /** Whether all that is trained is finite, as it is now. */
  async isFinite(): Promise<boolean> {
    const { ops } = this.setup;
    const squares = ops.scope(() => this.#squaredParameters());
    const numbers = await ops.read(squares).finally(() => squares.forEach((square) => square.dispose()));
    return numbers.every(([square]) => Number.isFinite(square));
  }

  /** Gives back memory that only steps need, before something else that needs much. */
  rest(): void {
    this.#recorder.rest();
  }

  /** @internal */
  dispose(): void {
    this.#recorder.dispose();
    this.scaler?.dispose();
    this.#scoring?.dispose();
    for (const { optimiser } of Object.values(this.groups)) optimiser.dispose();
  }

  /** The recorded part: outputs, losses, and the gradients in their stores. */
  #compute({ inputs, randomSeed, at }: BodyCall<Scheduled>, choice: string, withNorms: boolean, part: Part) {
    const { ops, student, teacher, losses, recipe } = this.setup;
    const { [SHARE]: share, ...others } = inputs;
    const { batch, drawn } = withoutDrawn(others);
    const taught = teacher && inPrecision(ops, recipe.precision, teacher.model, batch, (batch) => {
      return teacherOutputs(ops, teacher, losses.wanted, batch, randomSeed);
    });
    const stores = [
      ...Object.values(this.groups).map(({ store }) => store),
      ...(student.learnedMasks ? [student.learnedMasks] : []),
    ];
    const homes = stores.flatMap((store) => store.ranges.map((_, index) => ({ store, index })));
    const targets = stores.flatMap((store) => [...store.tensors.values()]);
    let terms: Tensor[] = [];
    let total: Tensor | undefined;
    let logits: Tensor | undefined;
    let weights: Weights | undefined;
    ops.differentiate(
      () => {
        weights = student.weights(drawn);
        const replaceLayer = this.strategy.replaceLayer?.(choice, { ops, batch, randomSeed });
        const call = { ops, weights, training: true, randomSeed, replaceLayer };
        const outputs = inPrecision(ops, recipe.precision, student.model, batch, (batch) => {
          return student.model.forward({ ...call, batch });
        });
        logits = outputs.logits;
        const result = losses.objective({ student: outputs, teacher: taught, batch, weights, at });
        ({ total, terms } = result);
        return this.#withMergedDecay(total, weights);
      },
      targets,
      (target, gradient) => {
        const { store, index } = homes[target];
        if (part.first) store.takeGradient(index, gradient);
        else if (gradient) store.addGradient(index, gradient);
        if (gradient) this.#unreached.delete(store.ranges[index].whole);
      },
      this.#seed(share),
    );
    const gradients = this.#parts().map(({ gradient }) => gradient);
    const shared = (term: Tensor) => share ? ops.multiply(term, ops.reshape(share, [])) : term;
    return {
      total: [shared(total!)],
      terms: terms.map(shared),
      correct: [isDecided(this.setup.task) ? ops.sum(ops.argmaxIs(logits!, batch.label)) : ops.scalar(0)],
      gradientScale: part.last
        ? [this.scaler?.unscale(gradients, this.#clip) ?? clipScale(ops, gradients, this.#clip)]
        : [],
      // The norms of the weights that this step computes with, before they change.
      squaredNorms: withNorms && part.first ? this.#squaredNorms(weights!) : [],
    };
  }

  /** What the backward pass begins with, `[1]`: the loss's scale times the batch's share; left out, 1. */
  #seed(share: Tensor | undefined): Tensor | undefined {
    const scale = this.scaler?.scale();
    return scale && share ? this.setup.ops.multiply(scale, share) : scale ?? share;
  }

  #parts(): TrainedPart[] {
    return Object.values(this.groups).flatMap(({ store }) => store.parts);
  }

  /** The learning rate of a step, of weights whose own is not scaled. */
  learningRate({ step, totalSteps, stepsPerEpoch }: Progress): number {
    const { schedule, optimiser: { learningRate } } = this.setup.recipe;
    return learningRateAt(schedule, step, totalSteps, stepsPerEpoch, learningRate);
  }

  /** Not recorded, as its numbers change from step to step. */
  #update(progress: Progress, gradientScale: Tensor): void {
    const { step } = progress;
    const rate = this.learningRate(progress);
    updateGroups(this.groups, { rate, gradientScale, step: step + 1 });
    this.#scoring?.step({ rate: 1, weightDecay: 0, gradientScale, step: step + 1 });
  }

  #withMergedDecay(loss: Tensor, weights: Weights): Tensor {
    const { ops, student, recipe } = this.setup;
    const penalties = mergedDecay(ops, recipe, weights, student.overParameterised.keys());
    return penalties.length === 0 ? loss : ops.total([loss, ...penalties]);
  }

  #squaredParameters(): Tensor[] {
    const { ops } = this.setup;
    return this.#parts().map(({ flat }) => ops.scope(() => ops.sum(ops.square(flat))));
  }

  #squaredNorms(weights: Weights): Tensor[] {
    const { ops } = this.setup;
    return [...this.setup.student.overParameterised.keys()].map((name) => ops.sum(ops.square(weights.get(name))));
  }
}

/**
 * The scores of pruning by movement (Sanh et al. 2020, arXiv 2005.07683, section 4): S = -sum w dL/dw', w' = w * mask,
 * over all steps so far. That is the gradient of the mask, so that a weight which is masked now has a score, too, and
 * may come back. Scores have no learning rate, momentum or decay, as their order is all that counts; gradients are
 * those that the weights are moved by, clipped and unscaled.
 */
function scoring(ops: Ops, { learnedMasks, scores }: Student): Optimiser | null {
  if (!learnedMasks) return null;
  const parts = scores.parts.map((part, index) => ({ ...part, gradient: learnedMasks.parts[index].gradient }));
  return createOptimiser(ops, { parts }, { use: "sgd", momentum: 0, nesterov: false });
}

/** Tells the batch from what was drawn for weights, which goes by their names. */
export function withoutDrawn(
  inputs: Batch<Tensor>,
): { readonly batch: Batch<Tensor>; readonly drawn: Map<string, Tensor> } {
  const entries = Object.entries(inputs);
  const isDrawn = (name: string) => name.startsWith(DRAWN);
  return {
    batch: Object.fromEntries(entries.filter(([name]) => !isDrawn(name))),
    drawn: new Map(
      entries.flatMap(([name, tensor]) => isDrawn(name) ? [[name.slice(DRAWN.length), tensor] as const] : []),
    ),
  };
}

/** Whether logits decide for one class, or are one number, of which the first is the largest. */
const isDecided = (task: Task) => task !== "multi-label" && task !== "embedding";

/** Parts of a whole, by counts; where there is nothing to count all are equal. */
function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total === 0 ? 1 / counts.length : count / total);
}

/**
 * Chains of three cores or more can throw a weight's norm up in the first steps, and so can gradients that come through
 * frozen layers; a bound of 1 keeps them.
 */
function automaticClip({ student, strategy }: StepSetup): number | null {
  const isDeep = [...student.overParameterised.values()].some(({ provider }) => provider.depth >= 3);
  return strategy?.boundsGradient || isDeep ? 1 : null;
}
