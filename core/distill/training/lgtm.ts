import { BatchLoader } from "../../data/loader.ts";
import type { Random } from "../../data/random.ts";
import type { ParameterStore } from "../../nn/parameter_store.ts";
import { clipScale } from "../../nn/optimisers.ts";
import { learningRateAt, type Progress } from "../../nn/schedules.ts";
import type { Ops } from "../../ops/ops.ts";
import { squaredNorm } from "../../ops/squared_norm.ts";
import type { Batch, Examples, HostTensor, Task } from "../../plugin/dataset.ts";
import type { ModelOutputs } from "../../plugin/model.ts";
import { mapOutputs } from "../../plugin/output_tree.ts";
import { type Scheduled, valueAt } from "../../recipe/scheduled.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { BodyCall, Outputs } from "../../replay/recorder.ts";
import type { Tensor } from "../../tensor.ts";
import type { LossSet } from "../losses/loss_set.ts";
import type { Student } from "../student/student.ts";
import type { LearningTeacher } from "./learning_teacher.ts";
import type { StepAhead, Strategy } from "./strategy.ts";
import { labelLoss, softDivergence } from "./supervision.ts";
import { withoutDrawn } from "./training_step.ts";
import { VirtualStudent } from "./virtual_student.ts";

/** The parts of a training in which the teacher learns. */
export interface LgtmSetup {
  readonly ops: Ops;
  readonly student: Student;
  readonly teacher: LearningTeacher;
  readonly losses: LossSet;
  readonly train: Recipe["train"];
  readonly options: NonNullable<Recipe["train"]["lgtm"]>;
  readonly task: Task;
  /** Training examples on which the student does not train. */
  readonly heldOut: Examples;
  /** Seed of their order. */
  readonly seed: number;
}

/** How far the student's tensors are moved along its gradient on held-out examples, all together. */
const RADIUS = 0.01;

/** The shortest gradient that is divided by. */
const SHORTEST = 1e-12;

/** The name of the learning rate among what is uploaded with a batch. */
const RATE = "the teacher's rate";

const NOTHING: ReadonlySet<string> = new Set();

/**
 * LGTM (Ren et al. 2023, "Tailoring Instructions to Student's Learning Levels Boosts Knowledge Distillation"): the
 * teacher learns, too. Before each step of the student it takes one along
 *
 *     d L_T(theta) - eta (d L_T(theta + e v) - d L_T(theta - e v)) / 2 e,   d = gradient by the teacher's weights,
 *     L_T = alpha KL(student || teacher) + (1 - alpha) CE(teacher)
 *
 * with the student's weights theta, the teacher's learning rate eta, v the gradient of the student's cross-entropy on
 * held-out examples once it has taken its step (virtually), and e = 0.01 / |v|: examples that help the student there
 * count more. As in the published code dropout is on in the first term and off in the second. That code takes held-out
 * examples from the set that the student is chosen by; here they are a part of the training examples, on which the
 * student itself does not train. Both gradients of the second term are of the same teacher, so they are one backward
 * pass of the difference of two losses, in which the cross-entropy falls away.
 */
export class Lgtm implements Strategy {
  readonly #virtual: VirtualStudent;
  readonly #loader: BatchLoader;
  #heldOut: Batch<HostTensor> | null = null;

  constructor(private readonly setup: LgtmSetup) {
    const { ops, student, train: { optimiser, batchSize, bucketByLength }, heldOut: { length, ...heldOut }, seed } =
      setup;
    const lengths = bucketByLength ? heldOut.lengths : undefined;
    // A smaller batch at the end would count for as much as the others.
    const options = { batchSize: Math.min(batchSize, length), dropLast: true, shuffleSeed: seed, lengths };
    this.#loader = new BatchLoader(length, options);
    this.#virtual = new VirtualStudent(ops, student, optimiser);
  }

  get tensors(): ReadonlyMap<string, Tensor> {
    return this.setup.teacher.tensors;
  }

  async fetch({ step }: Progress): Promise<void> {
    const { heldOut } = this.setup;
    const { batchesPerEpoch } = this.#loader;
    const indices = this.#loader.indices(Math.floor(step / batchesPerEpoch), step % batchesPerEpoch);
    await heldOut.fetch?.(indices);
    this.#heldOut = heldOut.batch(indices);
  }

  before(ahead: StepAhead): void {
    const { ops, teacher, train: { schedule, optimiser }, options } = this.setup;
    const { progress, random, groups, clip } = ahead;
    if (!this.#heldOut) throw new Error("Cannot let the teacher learn: no held-out examples were fetched");
    const { step, totalSteps, stepsPerEpoch } = progress;
    const rateOf = (base: number) => learningRateAt(schedule, step, totalSteps, stepsPerEpoch, base);
    const rate = rateOf(options.teacherRate);
    const [batch] = ahead.batches;
    this.#run(ahead, "lesson", random, { ...batch, ...ahead.drawn }, (call) => this.#lesson(call, ahead));
    const gradients = Object.values(groups).flatMap(({ store }) => store.parts.map(({ gradient }) => gradient));
    const gradientScale = clipScale(ops, gradients, clip);
    this.#virtual.stepFrom(groups, { rate: rateOf(optimiser.learningRate), gradientScale, step: step + 1 });
    this.#run(ahead, "feedback", random, this.#heldOut, (call) => this.#feedback(call));
    const inputs = { ...batch, [RATE]: { data: Float32Array.of(rate), shape: [1] } };
    this.#run(ahead, "influence", random, inputs, (call) => this.#influence(call));
    teacher.update({ rate, step: step + 1, clip });
  }

  restored(): void {
    this.setup.teacher.refresh();
  }

  /** Frees what it made; the teacher is its owner's. */
  dispose(): void {
    this.#virtual.dispose();
  }

  #run(
    { recorder, progress }: StepAhead,
    name: string,
    random: Random,
    inputs: Batch<HostTensor>,
    body: (call: BodyCall<Scheduled>) => Outputs<string>,
  ): void {
    const seeds = random.split(name);
    const at = (value: Scheduled) => valueAt(value, progress);
    recorder.run({ key: `lgtm ${name}`, inputs, randomSeed: () => seeds.uint32(), at, body });
  }

  /** Both gradients on the step's batch: of the student's loss in its stores, of the teacher's in its own. */
  #lesson({ inputs, randomSeed, at }: BodyCall<Scheduled>, { groups, regularised }: StepAhead) {
    const { batch, drawn } = withoutDrawn(inputs);
    const { ops, student, teacher, losses, task, options: { alpha, temperature } } = this.setup;
    const { wanted } = losses;
    const constant = (x: Tensor) => ops.device.alias(x, x.shape);
    const stores = [...Object.values(groups).map(({ store }) => store), ...teacher.stores];
    differentiateInto(ops, stores, () => {
      const call = { ops, batch, randomSeed, training: true };
      const taughtBy = teacher.trainedWeights();
      const taught = teacher.model.forward({ ...call, weights: taughtBy, wanted });
      const seen = Object.fromEntries(Object.entries(taught).filter(([key]) => wanted.has(key)));
      const weights = student.rehearsalWeights(undefined, drawn);
      const own = student.model.forward({ ...call, weights });
      const lesson = wanted.size === 0 ? null : mapOutputs(seen as unknown as ModelOutputs, constant);
      const studentLoss = losses.tentative({ student: own, teacher: lesson, batch, weights, at });
      const pull = softDivergence(
        ops,
        task,
        { reference: constant(own.logits), logits: taught.logits, temperature },
        batch,
      );
      const hard = labelLoss(ops, task, taught.logits, batch);
      return ops.total([
        regularised(studentLoss, weights),
        ops.scale(pull, alpha),
        ops.scale(hard, 1 - alpha),
        ...teacher.decay(taughtBy),
      ]);
    });
    return {};
  }

  /** v: the gradient of the cross-entropy of the student one step ahead, on held-out examples. */
  #feedback({ inputs: batch, randomSeed }: BodyCall<Scheduled>) {
    const { ops, student, task } = this.setup;
    differentiateInto(ops, this.#virtual.stores, () => {
      const weights = student.rehearsalWeights(this.#virtual.tensors);
      const { logits } = student.model.forward({ ops, weights, batch, training: true, randomSeed, wanted: NOTHING });
      return labelLoss(ops, task, logits, batch);
    });
    return {};
  }

  /** Adds to the teacher's gradient what its loss changes by where the student moves along v. */
  #influence({ inputs, randomSeed }: BodyCall<Scheduled>) {
    const { ops, student, teacher, task, options: { alpha, temperature } } = this.setup;
    const { [RATE]: rate, ...batch } = inputs;
    const call = { ops, batch, randomSeed, training: false, wanted: NOTHING };
    const gradients = this.#virtual.stores.flatMap(({ parts }) => parts.map(({ gradient }) => gradient));
    const length = ops.clampMinimum(ops.sqrt(squaredNorm(ops.device, gradients)), SHORTEST);
    const epsilon = ops.scale(ops.reciprocal(length), RADIUS); // [1]
    const logitsAt = (direction: 1 | -1): Tensor => {
      const weights = student.rehearsalWeights(this.#moved(ops.scale(epsilon, direction)));
      return student.model.forward({ ...call, weights }).logits;
    };
    const [ahead, behind] = ([1, -1] as const).map((direction) => ops.scope(() => logitsAt(direction)));
    const seed = ops.scale(ops.multiply(rate, length), -alpha / (2 * RADIUS)); // -eta alpha / 2 e
    differentiateInto(
      ops,
      teacher.stores,
      () => {
        const { logits } = teacher.model.forward({ ...call, weights: teacher.trainedWeights() });
        const pullTo = (reference: Tensor) => softDivergence(ops, task, { reference, logits, temperature }, batch);
        return ops.subtract(pullTo(ahead), pullTo(behind));
      },
      seed,
    );
    return {};
  }

  /** The student's trained tensors, moved along v. @param factor `[1]` */
  #moved(factor: Tensor): ReadonlyMap<string, Tensor> {
    const { ops, student: { trained: { plain, cores } } } = this.setup;
    const { gradients } = this.#virtual;
    return new Map([...plain.tensors, ...cores.tensors].map(([name, tensor]) => {
      return [name, ops.add(tensor, ops.multiply(gradients.get(name)!, factor))];
    }));
  }
}

/**
 * Differentiates a loss by all tensors of some stores, whose gradients it replaces.
 *
 * @param seed what the gradients are multiplied by, `[1]`: they are then added to those that are there
 */
function differentiateInto(ops: Ops, stores: readonly ParameterStore[], body: () => Tensor, seed?: Tensor): void {
  const homes = stores.flatMap((store) => store.ranges.map((_, index) => ({ store, index })));
  const targets = stores.flatMap((store) => [...store.tensors.values()]);
  ops.differentiate(body, targets, (target, gradient) => {
    const { store, index } = homes[target];
    if (!seed) store.takeGradient(index, gradient);
    else if (gradient) store.addGradient(index, gradient);
  }, seed);
}
