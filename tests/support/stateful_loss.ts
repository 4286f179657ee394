import { Random } from "../../core/data/random.ts";
import { initialise, type Initialiser } from "../../core/nn/initialisers.ts";
import { type Weights, weightsFrom } from "../../core/nn/weights.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Loss, LossCall, PrepareCall } from "../../core/plugin/loss.ts";
import { valueAt } from "../../core/recipe/scheduled.ts";
import { sizeOf, type Tensor } from "../../core/tensor.ts";
import type { Models } from "./loss_checks.ts";
import { lossCall } from "./losses.ts";

/** Drives a loss that keeps state as the training loop does. */
export class StatefulLoss {
  readonly state: Weights;
  readonly parameters: Weights;
  #step = 0;
  #epoch = 0;

  /** @param stepsPerEpoch for options that follow a schedule */
  constructor(readonly ops: Ops, readonly loss: Loss, private readonly stepsPerEpoch = 1) {
    this.state = this.#tensors(loss.state ?? [], "state");
    this.parameters = this.#tensors(loss.parameters ?? [], "parameters");
  }

  /** Puts numbers into a tensor of the state. */
  set(name: string, data: ArrayLike<number>): void {
    const target = this.state.get(name);
    this.ops.assign(target, this.ops.tensor(data, target.shape));
  }

  /** Prepares it with these outputs of the teacher over all training examples. */
  async prepare(teacher: Models["teacher"], labels: readonly number[], others: Partial<PrepareCall> = {}) {
    const { ops, state } = this;
    await this.loss.prepare!({
      ops,
      labels,
      overTrainingSet: async (choose) => Float32Array.from(await choose(teacher).read()),
      overTrainingBatches: () => {
        throw new Error("These outputs are of no model that could be run");
      },
      teacherWeights: weightsFrom(new Map()),
      state,
      random: new Random(1),
      ...others,
    });
  }

  /** What a step calls the loss with. */
  callOf({ student, teacher }: Models, labels: readonly number[], indices = labels.map((_, i) => i)): LossCall {
    const { ops, state, parameters } = this;
    const random = new Random(7).split(this.#step);
    const inputs = Object.entries(this.loss.inputs?.({ indices: Uint32Array.from(indices), random }) ?? {});
    const batch: Record<string, Tensor> = { label: ops.tensor(labels) };
    for (const [name, { data, shape }] of inputs) batch[name] = ops.tensor(data, shape);
    const progress = { step: this.#step, totalSteps: 100, stepsPerEpoch: this.stepsPerEpoch };
    return lossCall(ops, student, teacher, { batch, state, parameters, at: (value) => valueAt(value, progress) });
  }

  /** One step. @returns the loss */
  async step(models: Models, labels: readonly number[], indices?: number[]): Promise<number> {
    const call = this.callOf(models, labels, indices);
    const value = this.loss.compute(call);
    this.loss.observe?.(call);
    this.#step++;
    return (await value.read())[0];
  }

  /** The end of an epoch. @returns what the loss reports */
  async endEpoch(): Promise<Record<string, number>> {
    const { ops, state } = this;
    const metrics = Object.entries(this.loss.endEpoch?.({ ops, state, epoch: ++this.#epoch }) ?? {});
    return Object.fromEntries(await Promise.all(metrics.map(async ([name, x]) => [name, (await x.read())[0]])));
  }

  #tensors(
    specs: readonly { name: string; shape: readonly number[]; initialise: Initialiser }[],
    what: string,
  ): Weights {
    return weightsFrom(
      new Map(specs.map(({ name, shape, initialise: how }) => {
        const numbers = sizeOf(shape) > 0 ? initialise(how, shape, new Random(3).split(what).split(name)) : [];
        return [name, this.ops.tensor(numbers, shape)];
      })),
    );
  }
}
