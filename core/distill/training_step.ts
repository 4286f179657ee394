import { clipScale, createOptimiser, type Optimiser } from "../nn/optimisers.ts";
import type { ParameterStore } from "../nn/parameter_store.ts";
import { learningRateAt, type Progress } from "../nn/schedules.ts";
import type { Weights } from "../nn/weights.ts";
import type { Random } from "../data/random.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch, HostTensor } from "../plugin/dataset.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Tensor } from "../tensor.ts";
import { correctPredictions } from "./evaluate.ts";
import { objective, type WeightedLoss } from "./objective.ts";
import type { Student } from "./student.ts";
import { type Teacher, teacherOutputs } from "./teacher_outputs.ts";

/** What a step leaves on the device, to be read with those of other steps. */
export interface StepRecord {
  readonly step: number;
  readonly batchSize: number;
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
}

/** A group of parameters that one optimiser updates. */
interface Group {
  readonly store: ParameterStore;
  readonly optimiser: Optimiser;
  readonly rateScale: number;
  readonly weightDecay: number;
}

/** One training step: forward, losses, backward, update. It waits for nothing. */
export class TrainingStep {
  readonly groups: Readonly<Record<string, Group>>;
  readonly #clip: number | null;
  readonly #mergedDecay: number;

  constructor(
    private readonly ops: Ops,
    private readonly student: Student,
    private readonly teacher: Teacher | null,
    private readonly losses: readonly WeightedLoss[],
    lossParameters: ParameterStore,
    private readonly recipe: Recipe["train"],
    private readonly random: Random,
  ) {
    const { optimiser, cores } = recipe;
    const coreDecay = cores.weightDecay ?? optimiser.weightDecay;
    const target = cores.weightDecayTarget;
    const all = {
      plain: { store: student.plain, rateScale: 1, weightDecay: optimiser.weightDecay },
      cores: {
        store: student.cores,
        rateScale: cores.learningRateScale,
        weightDecay: target === "cores" ? coreDecay : 0,
      },
      losses: { store: lossParameters, rateScale: 1, weightDecay: optimiser.weightDecay },
    };
    this.groups = Object.fromEntries(
      Object.entries(all).filter(([, { store }]) => store.specs.length > 0)
        .map(([name, group]) => [name, { ...group, optimiser: createOptimiser(ops, group.store, optimiser) }]),
    );
    this.#mergedDecay = target === "merged" ? coreDecay : 0;
    this.#clip = recipe.clipGradientNorm === "auto" ? automaticClip(student) : recipe.clipGradientNorm;
  }

  /** The bound on the gradient's norm, or `null`. */
  get clip(): number | null {
    return this.#clip;
  }

  run(hostBatch: Batch<HostTensor>, progress: Progress, withNorms: boolean): StepRecord {
    return this.ops.scope(() => this.#run(hostBatch, progress, withNorms));
  }

  dispose(): void {
    for (const { optimiser } of Object.values(this.groups)) optimiser.dispose();
  }

  #run(hostBatch: Batch<HostTensor>, progress: Progress, withNorms: boolean): StepRecord {
    const { ops, student, teacher, losses } = this;
    const batch = Object.fromEntries(
      Object.entries(hostBatch).map(([name, { data, shape }]) => [name, ops.tensor(data, shape)]),
    );
    const seeds = this.random.split(progress.step);
    const randomSeed = () => seeds.uint32();
    const taught = teacher && teacherOutputs(ops, teacher, losses, batch, randomSeed);

    const groups = Object.values(this.groups);
    const targets = groups.flatMap(({ store }) => [...store.tensors.values()]);
    let terms: Tensor[] = [];
    let total: Tensor | undefined;
    let logits: Tensor | undefined;
    let weights: Weights | undefined;
    const { gradients } = ops.differentiate(() => {
      weights = student.weights();
      const outputs = student.model.forward({ ops, weights, batch, training: true, randomSeed });
      logits = outputs.logits;
      const result = objective(losses, { ops, student: outputs, teacher: taught, batch, weights, progress });
      ({ total, terms } = result);
      return this.#withMergedDecay(total, weights);
    }, targets);

    let first = 0;
    for (const { store } of groups) {
      store.gather(gradients.slice(first, first + store.specs.length));
      first += store.specs.length;
    }
    const gradientScale = clipScale(ops, groups.map(({ store }) => store.gradient), this.#clip);
    const { schedule, optimiser: { learningRate } } = this.recipe;
    const rate = learningRateAt(schedule, progress.step, progress.totalSteps, progress.stepsPerEpoch, learningRate);
    // The norms of the weights that this step computed with, before they change.
    const squaredNorms = withNorms ? this.#squaredNorms(weights!) : [];
    for (const { optimiser, rateScale, weightDecay } of groups) {
      optimiser.step({ rate: rate * rateScale, weightDecay, gradientScale, step: progress.step + 1 });
    }
    const squaredParameters = withNorms ? groups.map(({ store }) => ops.sum(ops.square(store.flat))) : [];
    return {
      step: progress.step,
      batchSize: logits!.shape[0],
      total: total!,
      terms,
      correct: ops.sum(correctPredictions(ops, logits!, batch.label)),
      squaredNorms,
      squaredParameters,
    };
  }

  /** Weight decay of the merged matrices: lambda / 2 ||W||^2, whose gradient goes through the chain. */
  #withMergedDecay(loss: Tensor, weights: Weights): Tensor {
    if (this.#mergedDecay === 0) return loss;
    const { ops } = this;
    const penalties = this.#squaredNorms(weights).map((norm) => ops.scale(norm, this.#mergedDecay / 2));
    return penalties.reduce((sum, penalty) => ops.add(sum, penalty), loss);
  }

  #squaredNorms(weights: Weights): Tensor[] {
    const { ops } = this;
    return [...this.student.chains.keys()].map((name) => ops.sum(ops.square(weights.get(name))));
  }
}

/** Chains of three cores or more can throw a weight's norm up in the first steps; a bound of 1 keeps them. */
function automaticClip(student: Student): number | null {
  return [...student.chains.values()].some(({ cores }) => cores.length >= 3) ? 1 : null;
}
