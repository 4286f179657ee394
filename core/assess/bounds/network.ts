import { UserError } from "../../errors.ts";
import { fixedSize, type Step, type Value } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import type { PoolOptions } from "../../ops/pool2d.ts";
import type { Curve } from "./curves.ts";

/** Numbers that a linear step multiplies by, on the host. */
export interface Factors {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** What a linear step computes with. */
export interface LinearCall {
  readonly ops: Ops;
  /** A tensor for each of its inputs. */
  readonly inputs: readonly Tensor[];
  /** Its factors, or their absolute values; `null` for a step without. */
  readonly factors: Tensor | null;
  /** Examples in the tensors. */
  readonly batch: number;
  /** Whether every factor counts by its absolute value: the sum of |L_ij| x_j in place of that of L_ij x_j. */
  readonly absolute: boolean;
}

/** A linear map of what the inputs change by; what is added to all examples alike has no part in it. */
export interface LinearStep {
  readonly kind: "linear";
  /** Name of the operation. */
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly factors: Factors | null;
  /** The most products that a number of the result is the sum of; 0 for a step that moves numbers alone. */
  readonly terms: number;
  /** The same of the transposed map. */
  readonly transposedTerms: number;
  /**
   * What the factors are: of each number by itself, or of rows of numbers, whose first dimension is that of the
   * result.
   */
  readonly form: "each" | "rows" | "none";
  run(call: LinearCall): Tensor;
}

/** A function of each number by itself. */
export interface CurvedStep {
  readonly kind: "curved";
  readonly name: string;
  readonly inputs: readonly [Value];
  readonly output: Value;
  readonly curve: Curve;
}

/** The largest number of each window. */
export interface MaxPoolStep {
  readonly kind: "max-pool";
  readonly name: string;
  readonly inputs: readonly [Value];
  readonly output: Value;
  readonly options: Required<PoolOptions>;
}

/** What happens to a change of the input on its way to the logits. */
export type NetworkStep = LinearStep | CurvedStep | MaxPoolStep;

/** A model's forward pass, as far as it depends on the image. */
export interface Network {
  readonly steps: readonly NetworkStep[];
  /** Images `[batch, height, width, channels]`. */
  readonly input: Value;
  /** `[batch, classes]` */
  readonly logits: Value;
  /** The same pass, everything included, to be run. */
  readonly pass: readonly Step[];
}

/** What can be bounded, for messages. */
export const COVERED = "convolution and linear layers, batch norm with its running statistics, ReLU, ReLU6, " +
  "hard-swish and hard sigmoid, pooling, residual sums, and what moves numbers";

/** A model of which nothing is bounded, as it does something that bounds are not known for. */
export class NotCovered extends UserError {
  static {
    this.prototype.name = "NotCovered";
  }

  /** @param what it does: `uses layerNorm` */
  constructor(what: string) {
    super(`Cannot bound the model's logits as it ${what}: covered are ${COVERED}`);
  }
}

/** How many numbers a value has for one example. */
export function sizeOfOne({ shape: [, ...rest] }: Value): number {
  const size = fixedSize(rest);
  if (size === null) throw new NotCovered("has values whose size for one example follows the batch");
  return size;
}
