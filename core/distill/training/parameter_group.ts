import { createOptimiser, type Optimiser } from "../../nn/optimisers.ts";
import type { ParameterStore } from "../../nn/parameter_store.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";

/** A group of parameters that one optimiser updates. */
export interface ParameterGroup {
  readonly store: ParameterStore;
  readonly optimiser: Optimiser;
  /** Its learning rate as a multiple of the others'. */
  readonly rateScale: number;
  readonly weightDecay: number;
}

/** Groups by the names that their state has in a checkpoint. */
export type ParameterGroups = Readonly<Record<string, ParameterGroup>>;

/** What is trained, each kind with settings of its own. */
export interface TrainedStores {
  /** Tensors that are stored as they are. */
  readonly plain: ParameterStore;
  /** Cores of over-parameterised weights. */
  readonly cores: ParameterStore;
  /** What losses learn themselves. */
  readonly losses?: ParameterStore;
}

/** A group with a fresh optimiser for each of some stores that hold anything. */
export function parameterGroups(
  ops: Ops,
  { plain, cores, losses }: TrainedStores,
  { optimiser, cores: settings }: Recipe["train"],
): ParameterGroups {
  const { weightDecay } = optimiser;
  const all = {
    plain: { store: plain, rateScale: 1, weightDecay },
    cores: {
      store: cores,
      rateScale: settings.learningRateScale,
      weightDecay: settings.weightDecayTarget === "cores" ? settings.weightDecay ?? weightDecay : 0,
    },
    ...(losses && { losses: { store: losses, rateScale: 1, weightDecay } }),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, { store }]) => store.specs.length > 0)
      .map(([name, group]) => [name, { ...group, optimiser: createOptimiser(ops, group.store, optimiser) }]),
  );
}

/**
 * Weight decay of merged matrices, where `train.cores.weightDecayTarget` asks for it: lambda / 2 ||W||^2 of each, whose
 * gradients go through what it is made of.
 *
 * @param names of the over-parameterised weights
 */
export function mergedDecay(
  ops: Ops,
  { optimiser, cores }: Recipe["train"],
  weights: Weights,
  names: Iterable<string>,
): Tensor[] {
  const decay = cores.weightDecayTarget === "merged" ? cores.weightDecay ?? optimiser.weightDecay : 0;
  if (decay === 0) return [];
  return Array.from(names, (name) => ops.scale(ops.sum(ops.square(weights.get(name))), decay / 2));
}

/** One step of all groups along the gradients that their stores hold. */
export function updateGroups(
  groups: ParameterGroups,
  { rate, gradientScale, step }: {
    /** The learning rate of groups whose own is not scaled. */
    readonly rate: number;
    /** A factor of the gradients, as in the optimisers. */
    readonly gradientScale: Tensor;
    /** The number of this step, from 1. */
    readonly step: number;
  },
): void {
  for (const { optimiser, rateScale, weightDecay } of Object.values(groups)) {
    optimiser.step({ rate: rate * rateScale, weightDecay, gradientScale, step });
  }
}

/** The optimisers' state by the names that it has in a checkpoint. */
export function stateOf(groups: ParameterGroups): [name: string, tensor: Tensor][] {
  return Object.entries(groups).flatMap(([name, { optimiser }]) =>
    [...optimiser.state].map(([part, tensor]): [string, Tensor] => [`${name}.${part}`, tensor])
  );
}
