import { norm } from "../../linalg/vector.ts";
import { ParameterStore } from "../../nn/parameter_store.ts";
import type { NamedShape } from "../../nn/row_ranges.ts";
import { TensorStore } from "../../nn/tensor_store.ts";
import { type Weights, weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Model, ParameterSpec } from "../../plugin/model.ts";
import { countTrainable } from "../../plugin/parameters.ts";
import { type Chain, coreShape } from "../../mpo/chain.ts";
import { mergeChain } from "../../mpo/merge_chain.ts";
import type { Tensor } from "../../tensor.ts";
import type { FrozenWeights } from "../../nn/frozen_weights.ts";

/** The name of a core in stores and checkpoints. */
const coreName = (weight: string, index: number) => `${weight}#${index}`;

/**
 * The weights of a model in training. Those that are over-parameterised are held as chains of cores and rebuilt by
 * contraction once a step; the model asks for weights by name and cannot tell the difference.
 */
export class Student {
  /** Trained tensors that are stored as they are. */
  readonly plain: ParameterStore;
  /** Trained cores. */
  readonly cores: ParameterStore;
  /** Tensors that no optimiser changes: running statistics, which the forward pass updates, and frozen weights. */
  readonly untrained: TensorStore;
  /** Frobenius norm of each over-parameterised matrix before training. */
  readonly initialNorms: Readonly<Record<string, number>>;

  /** @internal */
  constructor(
    private readonly ops: Ops,
    /** The model that asks for the weights. */
    readonly model: Model,
    /** Cores by weight, decomposed from the initial weights. */
    readonly chains: ReadonlyMap<string, Chain>,
    initial: ReadonlyMap<string, Float32Array>,
    /** Learning rates by weight, as multiples of the others'; a chain's are its cores'. 0 freezes a plain weight. */
    rateScales: ReadonlyMap<string, number> = new Map(),
  ) {
    const rated = <Part extends NamedShape>(part: Part, weight: string) => ({
      ...part,
      rateScale: rateScales.get(weight),
    });
    const isTrained = ({ name, trainable }: ParameterSpec) => trainable && rateScales.get(name) !== 0;
    const plain = model.parameters.filter(({ name }) => !chains.has(name));
    const trained = plain.filter(isTrained).map((spec) => rated(spec, spec.name));
    const untrained = plain.filter((spec) => !isTrained(spec));
    const cores = [...chains].flatMap(([weight, chain]) =>
      chain.cores.map((_, index): NamedShape =>
        rated({ name: coreName(weight, index), shape: coreShape(chain, index) }, weight)
      )
    );
    this.plain = new ParameterStore(ops, trained);
    this.untrained = new TensorStore(ops, untrained);
    this.cores = new ParameterStore(ops, cores);
    this.initialNorms = Object.fromEntries(
      [...chains.keys()].map((name) => [name, norm(Float64Array.from(initial.get(name)!))]),
    );
    for (const { name } of trained) this.plain.set(name, initial.get(name)!);
    for (const { name } of untrained) this.untrained.set(name, initial.get(name)!);
    for (const [weight, chain] of chains) {
      chain.cores.forEach((core, index) => this.cores.set(coreName(weight, index), core));
    }
  }

  /** Numbers that the model consists of in training, running statistics left out as usual. */
  get trainingParameters(): number {
    const untrained = new Set(this.untrained.specs.map(({ name }) => name));
    const frozen = this.model.parameters.filter(({ name, trainable }) => trainable && untrained.has(name));
    return this.plain.count + countTrainable(frozen) + this.cores.count;
  }

  /** Numbers of the merged model, running statistics left out as usual. */
  get inferenceParameters(): number {
    return countTrainable(this.model.parameters);
  }

  /** Names of one weight's cores in the store. */
  coreNames(weight: string): string[] {
    return this.chains.get(weight)!.cores.map((_, index) => coreName(weight, index));
  }

  /** The cores of one weight on the device. */
  coresOf(weight: string): Tensor[] {
    return this.coreNames(weight).map((name) => this.cores.get(name));
  }

  /** Every weight by name, chains contracted; call it once a step, within the tape that is to reach the cores. */
  weights(): Weights {
    return this.#with(this.#contracted());
  }

  /** As {@link weights}, for a training pass that is not to count: it updates copies of running statistics. */
  rehearsalWeights(): Weights {
    const copies = [...this.untrained.tensors].map(([name, tensor]) => [name, this.ops.scale(tensor, 1)] as const);
    return this.#with(new Map([...copies, ...this.#contracted()]));
  }

  /** The weights of now as constants that live until they are disposed of, for many forward passes. */
  frozenWeights(): FrozenWeights {
    const contracted = this.ops.scope(() => this.ops.constant(() => this.#contracted()));
    for (const tensor of contracted.values()) this.ops.keep(tensor);
    return { ...this.#with(contracted), dispose: () => contracted.forEach((tensor) => tensor.dispose()) };
  }

  /** The matrix of every chain, in its weight's shape. */
  #contracted(): Map<string, Tensor> {
    const shapes = new Map(this.model.parameters.map(({ name, shape }) => [name, shape]));
    return new Map([...this.chains].map(([name, { rows, cols }]) => {
      const matrix = mergeChain(this.ops, this.coresOf(name), rows, cols);
      return [name, this.ops.reshape(matrix, shapes.get(name)!)];
    }));
  }

  #with(contracted: ReadonlyMap<string, Tensor>): Weights {
    const tensors = new Map([...this.plain.tensors, ...this.untrained.tensors, ...contracted]);
    const cores = new Map([...this.chains.keys()].map((name) => [name, this.coresOf(name)]));
    return weightsFrom(tensors, cores, [...this.plain.ranges, ...this.untrained.ranges]);
  }

  /** Everything that the student consists of, by name. */
  stores(): Readonly<Record<"plain" | "cores" | "untrained", TensorStore>> {
    return { plain: this.plain, cores: this.cores, untrained: this.untrained };
  }

  /** @internal */
  dispose(): void {
    for (const store of Object.values(this.stores())) store.dispose();
  }
}
