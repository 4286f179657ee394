import { BATCH_NORM_EPSILON } from "../ops/batch_norm.ts";
import { type Argument, isValue, type Step, type Value } from "./trace.ts";

/** A batch norm of a forward pass that was written down. */
export interface TracedNorm {
  readonly x: Value;
  /** `[channels]` each: what is multiplied by and added, and the running statistics. */
  readonly weight: Value;
  readonly bias: Value;
  readonly mean: Value;
  readonly variance: Value;
  /** Added to the variance. */
  readonly epsilon: number;
  /** Whether it takes the statistics of the batch. */
  readonly training: boolean;
  /** What is added behind it; `null`: nothing. */
  readonly residual: Value | null;
  /** What follows then. */
  readonly activation: "none" | "relu" | "relu6";
}

/** What a step of the name `batchNorm` was given. */
export function tracedNorm(step: Step): TracedNorm {
  const [x, weight, bias, options, residual] = step.arguments as readonly [
    Value,
    Value,
    Value,
    Readonly<Record<string, Argument>>,
    Argument,
  ];
  const { runningMean, runningVariance, epsilon, training, activation = "none" } = options;
  return {
    ...{ x, weight, bias, mean: runningMean as Value, variance: runningVariance as Value },
    epsilon: typeof epsilon === "number" ? epsilon : BATCH_NORM_EPSILON,
    training: training === true,
    residual: isValue(residual) ? residual : null,
    activation: activation as TracedNorm["activation"],
  };
}

/** What batch norm with running statistics multiplies each channel by, in float64. */
export function normFactors(weight: ArrayLike<number>, variance: ArrayLike<number>, epsilon: number): Float64Array {
  return Float64Array.from(weight, (factor, channel) => factor / Math.sqrt(variance[channel] + epsilon));
}
