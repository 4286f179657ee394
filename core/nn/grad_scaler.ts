import { lossScaleKernel } from "../kernels/loss_scale.ts";
import type { Ops } from "../ops/ops.ts";
import { squaredNorm } from "../ops/squared_norm.ts";
import type { Tensor } from "../tensor.ts";

/** How a loss is scaled at first, and how its scale grows. */
export interface GradScalerOptions {
  /** The scale of the first step: 2^15. */
  readonly scale?: number;
  /** Steps with finite gradients after which it is doubled: 2000. */
  readonly growthInterval?: number;
}

/** Where a loss's scale stands. */
export interface LossScale {
  /** What the loss of the next step is multiplied by; below 1 no step changes anything any more. */
  readonly scale: number;
  /** Steps whose gradients were not finite, which changed nothing. */
  readonly skippedSteps: number;
}

/** A loss's scale at which a product with the largest number of float16 is far from those of float32. */
const MOST = 2 ** 24;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, Mixed Precision Training, arXiv 1710.03740): gradients that are kept
 * in float16 are those of the loss times a scale, so that small ones do not become zero. A step with gradients that are
 * not finite is skipped and halves the scale; many finite ones in a row double it. All of it stays on the device.
 *
 * @example A training loop of one's own with activations in float16
 * ```ts no-run
 * import { createOps, createOptimiser, GradScaler, openBackend, ParameterStore } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("webgpu", { f16: true });
 * const ops = createOps(backend);
 * const { device } = ops;
 * const store = new ParameterStore(ops, [{ name: "w", shape: [4, 4] }]);
 * const optimiser = createOptimiser(ops, store, { use: "sgd", momentum: 0.5, nesterov: false });
 * const scaler = new GradScaler(ops);
 * for (let step = 1; step <= 50; step++) {
 *   ops.scope(() => {
 *     const x = device.inFormat(ops.full([8, 4], 1), "f16");
 *     const loss = () => {
 *       const y = device.storeActivations("f16", () => ops.linear(x, store.get("w")));
 *       return ops.mean(ops.square(ops.offset(y, -1)));
 *     };
 *     ops.differentiate(loss, [store.get("w")], (i, gradient) => store.takeGradient(i, gradient), scaler.scale());
 *     const gradientScale = scaler.unscale(store.parts.map(({ gradient }) => gradient), null);
 *     optimiser.step({ rate: 0.1, weightDecay: 0, gradientScale, step });
 *   });
 * }
 * await backend.close();
 * ```
 */
export class GradScaler {
  /** `[3]`: scale, finite steps since it last changed, skipped steps. The next step depends on it. */
  readonly state: Tensor;
  readonly #interval: number;

  /**
   * A scale that no step has changed yet.
   *
   * @param options where the usual numbers are not wanted
   */
  constructor(private readonly ops: Ops, { scale = 2 ** 15, growthInterval = 2000 }: GradScalerOptions = {}) {
    this.#interval = growthInterval;
    this.state = ops.keep(ops.tensor([scale, 0, 0]));
  }

  /** What the loss is multiplied by, `[1]`. */
  scale(): Tensor {
    return this.ops.device.alias(this.state, [1]);
  }

  /**
   * Ends a step's backward pass: `[2]`, for an optimiser's `gradientScale`.
   *
   * @param gradients of the scaled loss, all that there are
   * @param bound of their norm, unscaled; `null` for none
   */
  unscale(gradients: readonly Tensor[], bound: number | null): Tensor {
    const { device } = this.ops;
    const gradientScale = device.empty([2]);
    const parameters = { bound: bound ?? 0, interval: this.#interval, most: MOST };
    this.ops.scope(() =>
      device.run(
        lossScaleKernel,
        { squaredNorm: squaredNorm(device, gradients), state: this.state, gradientScale },
        parameters,
      )
    );
    return gradientScale;
  }

  /** Frees the state. */
  dispose(): void {
    this.state.dispose();
  }
}
