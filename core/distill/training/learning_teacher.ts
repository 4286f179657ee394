import { clipScale } from "../../nn/optimisers.ts";
import type { ParameterStore } from "../../nn/parameter_store.ts";
import { namedParts } from "../../nn/tensor_store.ts";
import { type Weights, weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Model } from "../../plugin/model.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";
import { Student } from "../student/student.ts";
import type { AlignedChain } from "../teacher/teacher_chains.ts";
import type { TaughtModel } from "../student/initial_weights.ts";
import { mergedDecay, type ParameterGroups, parameterGroups, stateOf, updateGroups } from "./parameter_group.ts";

/** How a checkpoint names what is the teacher's. */
const ofTeacher = (name: string) => `teacher ${name}`;

/**
 * A teacher whose weights are trained. Those that a loss compares with the student's as chains are chains here, too,
 * and what the loss compares with follows them.
 */
export class LearningTeacher {
  /** Its weights as they are now, chains contracted: for everybody who computes with it. */
  readonly weights: Weights;
  readonly #ops: Ops;
  /** A model in training, as the student is. */
  readonly #learner: Student;
  readonly #groups: ParameterGroups;
  /** The contracted chains, by weight. */
  readonly #merged: ReadonlyMap<string, Tensor>;
  readonly #aligned: ReadonlyMap<string, AlignedChain>;
  readonly #train: Recipe["train"];

  /**
   * @param start the model and its numbers
   * @param aligned the chains that losses compare, by the teacher's weight
   */
  constructor(
    ops: Ops,
    { model, numbers }: TaughtModel,
    aligned: ReadonlyMap<string, AlignedChain>,
    train: Recipe["train"],
  ) {
    this.#train = train;
    const chains = new Map([...aligned].map(([name, { held }]) => [name, held]));
    [this.#ops, this.#aligned] = [ops, aligned];
    this.#learner = new Student(ops, model, chains, numbers);
    this.#groups = parameterGroups(ops, this.#learner.trained, train);
    const shapes = model.parameters.filter(({ name }) => chains.has(name));
    this.#merged = new Map(shapes.map(({ name, shape }) => [name, ops.keep(ops.full(shape, 0))]));
    const { plain, untrained } = this.#learner;
    const tensors = new Map([...plain.tensors, ...untrained.tensors, ...this.#merged]);
    this.weights = weightsFrom(tensors, undefined, [...plain.ranges, ...untrained.ranges]);
    this.refresh();
  }

  /** The model. */
  get model(): Model {
    return this.#learner.model;
  }

  /** The stores of what is trained. */
  get stores(): readonly ParameterStore[] {
    return Object.values(this.#groups).map(({ store }) => store);
  }

  /** Every tensor that its next step depends on, by the name that it has in a checkpoint. */
  get tensors(): ReadonlyMap<string, Tensor> {
    const { plain, cores, untrained } = this.#learner;
    const stores = Object.entries({ plain, cores, untrained }).flatMap(([name, store]) => namedParts(name, store));
    return new Map([...stores, ...stateOf(this.#groups)].map(([name, tensor]) => [ofTeacher(name), tensor]));
  }

  /** Every weight by name, chains contracted within the tape that is to reach their cores. */
  trainedWeights(): Weights {
    return this.#learner.weights();
  }

  /** What decays its chains where that is asked of the merged matrices. @param weights as {@link trainedWeights} */
  decay(weights: Weights): Tensor[] {
    return mergedDecay(this.#ops, this.#train, weights, this.#aligned.keys());
  }

  /**
   * Takes a step along the gradients in its stores.
   *
   * @param step the number of this step, from 1
   * @param clip the bound on the gradient's norm, or `null`
   */
  update({ rate, step, clip }: { readonly rate: number; readonly step: number; readonly clip: number | null }): void {
    const ops = this.#ops;
    const gradients = this.stores.flatMap(({ parts }) => parts.map(({ gradient }) => gradient));
    ops.scope(() => updateGroups(this.#groups, { rate, step, gradientScale: clipScale(ops, gradients, clip) }));
    this.refresh();
  }

  /** Brings what is made of the cores up to them. */
  refresh(): void {
    const ops = this.#ops;
    for (const [name, { held: { provider }, copies }] of this.#aligned) {
      const cores = this.#learner.coresOf(name);
      for (const copy of copies) {
        // A loss frees what it does not compare.
        cores.forEach((core, index) => copy[index].disposed || ops.assign(copy[index], core));
      }
      const merged = this.#merged.get(name)!;
      ops.scope(() => ops.constant(() => ops.assign(merged, provider.weight(ops, cores, null))));
    }
  }

  dispose(): void {
    for (const { optimiser } of Object.values(this.#groups)) optimiser.dispose();
    this.#merged.forEach((tensor) => tensor.dispose());
    this.#learner.dispose();
  }
}
