import { expectArguments } from "../arguments.ts";
import { adamwKernel, clipScaleKernel, scaledAdamwKernel, scaledSgdKernel, sgdKernel } from "../kernels/optimisers.ts";
import type { Ops } from "../ops/ops.ts";
import { squaredNorm } from "../ops/squared_norm.ts";
import type { Tensor } from "../tensor.ts";
import type { ParameterStore } from "./parameter_store.ts";
import { partName } from "./tensor_store.ts";

/** Settings of stochastic gradient descent. */
export interface SgdOptions {
  /** Which optimiser it is. */
  readonly use: "sgd";
  /** How much of the last step goes on; 0 for none. */
  readonly momentum: number;
  /** Nesterov's form of momentum. */
  readonly nesterov: boolean;
}

/** Settings of AdamW. */
export interface AdamwOptions {
  /** Which optimiser it is. */
  readonly use: "adamw";
  /** Decay rates of the two moment averages. */
  readonly betas: readonly [number, number];
  /** Added to the denominator. */
  readonly epsilon: number;
}

/** The settings of one step. */
export interface StepSettings {
  /** The learning rate. */
  readonly rate: number;
  /** Of sgd the L2 penalty's factor, of adamw the decoupled decay, times the learning rate. */
  readonly weightDecay: number;
  /** A factor of the gradient, `[1]`; or of a {@link GradScaler}, `[2]`, which may skip the step. */
  readonly gradientScale: Tensor;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** Updates one store of parameters in place. */
export interface Optimiser {
  /** The tensors beside the parameters that the next step depends on, by name. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** Takes a step along the gradients that the store holds. */
  step(settings: StepSettings): void;
  /** Frees the state. */
  dispose(): void;
}

/**
 * An optimiser for a store's parameters: one kernel for all of a learning rate in each of its parts.
 *
 * @example A training loop of one's own
 * ```ts
 * import { clipScale, createOps, createOptimiser, openBackend, ParameterStore } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const store = new ParameterStore(ops, [{ name: "w", shape: [1] }]);
 * const optimiser = createOptimiser(ops, store, { use: "sgd", momentum: 0.5, nesterov: false });
 * for (let step = 1; step <= 50; step++) {
 *   ops.scope(() => {
 *     const loss = () => ops.sum(ops.square(ops.offset(store.get("w"), -3)));
 *     const { gradients } = ops.differentiate(loss, [store.get("w")]);
 *     store.gather(gradients);
 *     optimiser.step({ rate: 0.1, weightDecay: 0, gradientScale: clipScale(ops, [], null), step });
 *   });
 * }
 * console.log(await store.read()); // Map { "w" => [ about 3 ] }
 * await backend.close();
 * ```
 */
export function createOptimiser(
  ops: Ops,
  store: Pick<ParameterStore, "parts">,
  options: SgdOptions | AdamwOptions,
): Optimiser {
  expectArguments("createOptimiser", {
    ops: [ops, "operations (see createOps)"],
    store: [store, "a map"],
    options: [options, "a map"],
  });
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
        ops.device.run(isScaled(gradientScale) ? scaledSgdKernel : sgdKernel, {
          gradient,
          gradientScale,
          parameter,
          velocity,
        }, {
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
      const tensors = { gradient, gradientScale, parameter, mean, square };
      const settings = { size, rate: rate * rateScale, beta1, beta2, epsilon, weightDecay };
      if (isScaled(gradientScale)) {
        ops.device.run(scaledAdamwKernel, tensors, { ...settings, step, logBeta1: log(beta1), logBeta2: log(beta2) });
      } else {
        const corrections = { correction1: 1 - beta1 ** step, correction2: 1 - beta2 ** step };
        ops.device.run(adamwKernel, tensors, { ...settings, ...corrections });
      }
    }
  };
  return { state, step, dispose };
}

/** Whether a factor of gradients is a {@link GradScaler}'s. */
const isScaled = ({ size }: Tensor) => size === 2;

/** The logarithm of a decay rate; of 0 one that is finite, as a shader wants it, and whose power is still 0. */
const log = (beta: number) => Math.max(Math.log(beta), -1e4);

/**
 * The factor that keeps the norm of all gradients together below `bound` (Pascanu et al. 2013), `[1]`; 1 without a
 * bound. It stays on the device.
 */
export function clipScale(ops: Ops, gradients: readonly Tensor[], bound: number | null): Tensor {
  expectArguments("clipScale", {
    ops: [ops, "operations (see createOps)"],
    gradients: [gradients, "a list of tensors"],
  });
  if (bound === null) return ops.full([1], 1);
  const output = ops.device.empty([1]);
  ops.scope(() =>
    ops.device.run(clipScaleKernel, { squaredNorm: squaredNorm(ops.device, gradients), output }, { bound })
  );
  return output;
}
