import type { Random } from "../../data/random.ts";
import { norm } from "../../linalg/vector.ts";
import { ParameterStore } from "../../nn/parameter_store.ts";
import type { NamedShape } from "../../nn/row_ranges.ts";
import { TensorStore } from "../../nn/tensor_store.ts";
import { type Weights, weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { OverParameterised } from "../../overparameterise/weight_provider.ts";
import type { Model, ParameterSpec } from "../../plugin/model.ts";
import { countTrainable } from "../../plugin/parameters.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import type { FrozenWeights } from "../../nn/frozen_weights.ts";

/** The name of a core in stores and checkpoints: of any tensor that is trained in a weight's place. */
const coreName = (weight: string, index: number) => `${weight}#${index}`;

const NOTHING_DRAWN: ReadonlyMap<string, Tensor> = new Map();

/** Weights of a student that have masks. */
export interface Pruned {
  readonly weights: { has(name: string): boolean };
  /** Whether scores are learned by which masks are chosen. */
  readonly learnsScores: boolean;
}

/** No weight has one. */
export const NOTHING_PRUNED: Pruned = { weights: new Set(), learnsScores: false };

/**
 * The weights of a model in training. Those that are over-parameterised are held by providers, as chains of cores are,
 * and rebuilt once a step; the model asks for weights by name and cannot tell the difference.
 */
export class Student {
  /** Trained tensors that are stored as they are. */
  readonly plain: ParameterStore;
  /** Trained cores, and whatever else is trained in the place of over-parameterised weights. */
  readonly cores: ParameterStore;
  /** Tensors that no optimiser changes: running statistics, which the forward pass updates, and frozen weights. */
  readonly untrained: TensorStore;
  /** Of weights that are pruned 1 where a number counts and 0 where it does not. */
  readonly masks: TensorStore;
  /** The same with their gradients, where these are asked for; see {@link scores}. */
  readonly learnedMasks: ParameterStore | null;
  /** Of pruning by movement: minus the sum of the masks' gradients, w dL/dw, laid out as the masks are. */
  readonly scores: TensorStore;
  /** Frobenius norm of each over-parameterised matrix before training. */
  readonly initialNorms: Readonly<Record<string, number>>;

  /** @internal */
  constructor(
    private readonly ops: Ops,
    /** The model that asks for the weights. */
    readonly model: Model,
    /** The over-parameterised weights by name, made of the initial ones. */
    readonly overParameterised: ReadonlyMap<string, OverParameterised>,
    initial: ReadonlyMap<string, Float32Array>,
    /** Learning rates by weight, as multiples of the others', for all that is trained for it. 0 freezes a plain one. */
    rateScales: ReadonlyMap<string, number> = new Map(),
    /** Weights that have masks, and whether these learn what counts. */
    pruned: Pruned = NOTHING_PRUNED,
  ) {
    const rated = <Part extends NamedShape>(part: Part, weight: string) => ({
      ...part,
      rateScale: rateScales.get(weight),
    });
    const isTrained = ({ name, trainable }: ParameterSpec) => trainable && rateScales.get(name) !== 0;
    const plain = model.parameters.filter(({ name }) => !overParameterised.has(name));
    const trained = plain.filter(isTrained).map((spec) => rated(spec, spec.name));
    const untrained = plain.filter((spec) => !isTrained(spec));
    const cores = [...overParameterised].flatMap(([weight, { provider }]) =>
      provider.shapes.map((shape, index): NamedShape => rated({ name: coreName(weight, index), shape }, weight))
    );
    this.plain = new ParameterStore(ops, trained);
    this.untrained = new TensorStore(ops, untrained);
    this.cores = new ParameterStore(ops, cores);
    const masks = model.parameters.filter(({ name }) => pruned.weights.has(name)).map(({ name, shape }) => ({
      name,
      shape,
    }));
    this.learnedMasks = pruned.learnsScores ? new ParameterStore(ops, masks) : null;
    this.masks = this.learnedMasks ?? new TensorStore(ops, masks);
    this.scores = new TensorStore(ops, pruned.learnsScores ? masks : []);
    for (const { name, shape } of masks) this.masks.set(name, new Float32Array(sizeOf(shape)).fill(1));
    this.initialNorms = Object.fromEntries(
      [...overParameterised.keys()].map((name) => [name, norm(Float64Array.from(initial.get(name)!))]),
    );
    for (const { name } of trained) this.plain.set(name, initial.get(name)!);
    for (const { name } of untrained) this.untrained.set(name, initial.get(name)!);
    for (const [weight, { start }] of overParameterised) {
      start.forEach((core, index) => this.cores.set(coreName(weight, index), core));
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

  /** What is trained of it. */
  get trained(): { readonly plain: ParameterStore; readonly cores: ParameterStore } {
    return { plain: this.plain, cores: this.cores };
  }

  /** Names in the store of what is trained in one weight's place. */
  coreNames(weight: string): string[] {
    return this.overParameterised.get(weight)!.provider.shapes.map((_, index) => coreName(weight, index));
  }

  /** The same on the device. */
  coresOf(weight: string): Tensor[] {
    return this.#coresAmong(weight, this.cores.tensors);
  }

  /** What one training step draws at random, by weight; nothing where every weight is the same in all steps. */
  draw(random: Random): Map<string, Float32Array> {
    return new Map(
      [...this.overParameterised].flatMap(([name, { provider }]) =>
        provider.draw ? [[name, provider.draw(random.split(name))] as const] : []
      ),
    );
  }

  /**
   * Every weight by name, chains contracted and masks applied; call it once a step, within the tape that is to reach
   * the cores.
   *
   * @param drawn what {@link draw} gave for the step, of a training step
   */
  weights(drawn: ReadonlyMap<string, Tensor> = NOTHING_DRAWN): Weights {
    return this.#with(this.#rebuilt(drawn));
  }

  /**
   * As {@link weights}, for a training pass that is not to count: it updates copies of running statistics.
   *
   * @param trained tensors in the place of all trained ones, by the names that these have in their stores
   * @param drawn what {@link draw} gave, of a step that is about to be taken
   */
  rehearsalWeights(
    trained: ReadonlyMap<string, Tensor> = this.#trained,
    drawn: ReadonlyMap<string, Tensor> = NOTHING_DRAWN,
  ): Weights {
    const copies = [...this.untrained.tensors].map(([name, tensor]) => [name, this.ops.scale(tensor, 1)] as const);
    return this.#with(new Map([...copies, ...this.#rebuilt(drawn, trained)]), trained);
  }

  /** The weights of now as constants that live until they are disposed of, for many forward passes. */
  frozenWeights(): FrozenWeights {
    const rebuilt = this.ops.scope(() => this.ops.constant(() => this.#rebuilt()));
    for (const tensor of rebuilt.values()) this.ops.keep(tensor);
    return { ...this.#with(rebuilt), dispose: () => rebuilt.forEach((tensor) => tensor.dispose()) };
  }

  /** What masks are applied to, on the host, by weight. */
  async beneathMasks(): Promise<Map<string, Float32Array>> {
    const names = [...this.masks.tensors.keys()];
    const tensors = this.ops.scope(() =>
      this.ops.constant(() => {
        const contracted = this.#contracted(NOTHING_DRAWN);
        return names.map((name) => this.ops.scale(this.#whole(name, contracted), 1));
      })
    );
    const numbers = await this.ops.read(tensors);
    tensors.forEach((tensor) => tensor.dispose());
    return new Map(names.map((name, index) => [name, Float32Array.from(numbers[index])]));
  }

  /** Everything that is trained, by its name in the stores: no weight has the name of a core. */
  get #trained(): ReadonlyMap<string, Tensor> {
    return new Map([...this.plain.tensors, ...this.cores.tensors]);
  }

  #coresAmong(weight: string, trained: ReadonlyMap<string, Tensor>): Tensor[] {
    return this.coreNames(weight).map((name) => trained.get(name)!);
  }

  /** What is not stored as the model asks for it: over-parameterised weights, and weights times their masks. */
  #rebuilt(drawn = NOTHING_DRAWN, trained: ReadonlyMap<string, Tensor> = this.#trained): Map<string, Tensor> {
    const contracted = this.#contracted(drawn, trained);
    const masked = [...this.masks.tensors].map(([name, mask]) =>
      [name, this.ops.multiply(this.#whole(name, contracted, trained), mask)] as const
    );
    return new Map([...contracted, ...masked]);
  }

  /** A weight without its mask. */
  #whole(name: string, contracted: ReadonlyMap<string, Tensor>, trained = this.#trained): Tensor {
    return contracted.get(name) ?? trained.get(name) ?? this.untrained.get(name);
  }

  /** Every over-parameterised weight. */
  #contracted(drawn = NOTHING_DRAWN, trained: ReadonlyMap<string, Tensor> = this.#trained): Map<string, Tensor> {
    return new Map(
      [...this.overParameterised].map(([name, { provider }]) =>
        [name, provider.weight(this.ops, this.#coresAmong(name, trained), drawn.get(name) ?? null)] as const
      ),
    );
  }

  #with(rebuilt: ReadonlyMap<string, Tensor>, trained: ReadonlyMap<string, Tensor> = this.#trained): Weights {
    const plain = [...this.plain.tensors.keys()].map((name) => [name, trained.get(name)!] as const);
    const tensors = new Map([...plain, ...this.untrained.tensors, ...rebuilt]);
    const chains = [...this.overParameterised].filter(([, { provider }]) => provider.chain !== null);
    const cores = new Map(chains.map(([name]) => [name, this.#coresAmong(name, trained)]));
    return weightsFrom(tensors, cores, [...this.plain.ranges, ...this.untrained.ranges]);
  }

  /** Everything that the student consists of, by name. */
  stores(): Readonly<Record<"plain" | "cores" | "untrained" | "masks" | "scores", TensorStore>> {
    const { plain, cores, untrained, masks, scores } = this;
    return { plain, cores, untrained, masks, scores };
  }

  /** @internal */
  dispose(): void {
    for (const store of Object.values(this.stores())) store.dispose();
  }
}
