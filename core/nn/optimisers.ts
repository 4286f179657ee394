import { adamwKernel, clipScaleKernel, sgdKernel } from "../kernels/optimisers.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { ParameterStore } from "./parameter_store.ts";
import { partName } from "./tensor_store.ts";

/** Settings of stochastic gradient descent. */
export interface SgdOptions {
  readonly use: "sgd";
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** Settings of AdamW. */
export interface AdamwOptions {
  readonly use: "adamw";
  readonly betas: readonly [number, number];
  readonly epsilon: number;
}

/** The settings of one step. */
export interface StepSettings {
  readonly rate: number;
  readonly weightDecay: number;
  /** A factor of the gradient, `[1]`. */
  readonly gradientScale: Tensor;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** Updates one store of parameters in place. */
export interface Optimiser {
  /** The tensors beside the parameters that the next step depends on, by name. */
  readonly state: ReadonlyMap<string, Tensor>;
  step(settings: StepSettings): void;
  dispose(): void;
}

/** An optimiser for a store's parameters: one kernel for all of a learning rate in each of its parts. */
export function createOptimiser(ops: Ops, store: ParameterStore, options: SgdOptions | AdamwOptions): Optimiser {
  const names = options.use === "sgd" ? ["velocity"] : ["mean", "square"];
  const state = new Map(
    store.parts.flatMap(({ flat }, part) =>
      names.map((name) => [partName(name, part), ops.keep(ops.full(flat.shape, 0))] as const)
    ),
  );
  const parts = store.parts.flatMap(({ flat, gradient: gradients, segments }, part) => {
    const own = names.map((name) => state.get(partName(name, part))!);
    return segments.map(({ offset, size, rateScale }) => {
      const [parameter, gradient, first, second] = [flat, gradients, ...own].map((whole) =>
        whole.alias([size], offset)
      );
      return { size, rateScale, parameter, gradient, first, second };
    });
  });
  const dispose = () => {
    for (const { parameter, gradient, first, second } of parts) {
      for (const tensor of [parameter, gradient, first, second]) tensor?.dispose();
    }
    state.forEach((tensor) => tensor.dispose());
  };
  if (options.use === "sgd") {
    const { momentum, nesterov } = options;
    const step = ({ rate, weightDecay, gradientScale }: StepSettings) => {
      for (const { size, rateScale, parameter, gradient, first: velocity } of parts) {
        ops.device.run(sgdKernel, { gradient, gradientScale, parameter, velocity }, {
          size,
          rate: rate * rateScale,
          momentum,
          weightDecay,
          nesterov: nesterov ? 1 : 0,
        });
      }
    };
    return { state, step, dispose };
  }
  const { betas: [beta1, beta2], epsilon } = options;
  const step = ({ rate, weightDecay, gradientScale, step }: StepSettings) => {
    for (const { size, rateScale, parameter, gradient, first: mean, second: square } of parts) {
      ops.device.run(adamwKernel, { gradient, gradientScale, parameter, mean, square }, {
        size,
        rate: rate * rateScale,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        correction1: 1 - beta1 ** step,
        correction2: 1 - beta2 ** step,
      });
    }
  };
  return { state, step, dispose };
}

/**
 * The factor that keeps the norm of all gradients together below `bound` (Pascanu et al. 2013), `[1]`; 1 without a
 * bound. It stays on the device.
 */
export function clipScale(ops: Ops, gradients: readonly Tensor[], bound: number | null): Tensor {
  if (bound === null) return ops.full([1], 1);
  const squares = gradients.map((gradient) => ops.scope(() => ops.sum(ops.square(gradient))));
  const squaredNorm = ops.total(squares);
  const output = ops.full([1], 0);
  ops.device.run(clipScaleKernel, { squaredNorm, output }, { bound });
  return output;
}
