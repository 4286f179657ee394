import type { Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";

/** One call of an operation, by which its value and gradient are checked on every backend. */
export interface Case {
  /** The differentiable inputs: shapes, and the range of their random values (-1 to 1 by default). */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly low?: number; readonly high?: number }[];
  readonly call: (ops: Ops, tensors: Tensor[]) => Tensor;
  /** Relative tolerance in float32; 1e-5 by default. */
  readonly tolerance?: number;
}
