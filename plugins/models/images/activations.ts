import type { Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";

/** The activations that layers of image models may have. */
export const ACTIVATIONS = ["relu", "relu6", "hard-swish", "silu", "gelu", "tanh", "none"] as const;

/** One of {@link ACTIVATIONS}. */
export type Activation = typeof ACTIVATIONS[number];

/** Applies an activation. */
export function activate(ops: Ops, activation: Activation, x: Tensor): Tensor {
  switch (activation) {
    case "relu":
      return ops.relu(x);
    case "relu6":
      return ops.relu6(x);
    case "hard-swish":
      return ops.hardSwish(x);
    case "silu":
      return ops.silu(x);
    case "gelu":
      return ops.gelu(x);
    case "tanh":
      return ops.tanh(x);
    case "none":
      return x;
  }
}

/** An activation as what batch norm has in its pass, and what is left to be applied behind it. */
export function behindNorm(activation: Activation): { fused?: "relu" | "relu6"; left: Activation } {
  return activation === "relu" || activation === "relu6" ? { fused: activation, left: "none" } : { left: activation };
}
