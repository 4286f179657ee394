import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";

/** The arguments of an operation's backward pass. */
export interface BackwardCall<Saved> {
  /** The result of the forward pass. */
  readonly output: Tensor;
  /** d loss / d output, in the output's shape. */
  readonly gradient: Tensor;
  /** The forward pass's notes for the backward pass. */
  readonly saved: Saved;
  /** Whether the gradient of the i-th tensor argument is wanted; others may be answered with `null`. */
  readonly needs: readonly boolean[];
}

/** The result of a forward pass, with what the backward pass will want of it. */
export interface Forward<Saved> {
  /** The result. */
  readonly output: Tensor;
  /** Notes for `backward`. */
  readonly saved: Saved;
}

/**
 * A differentiable operation. `Arguments` may mix tensors, lists of tensors and options; the gradients that `backward`
 * returns are those of the tensors in their order.
 */
// deno-lint-ignore no-explicit-any
export interface Op<Arguments extends any[] = any[], Saved = any> {
  /** Computes the result. */
  forward(device: Device, ...args: Arguments): Forward<Saved>;
  /** The gradients of the tensor arguments; `null` for one that is not needed or has none. */
  backward(device: Device, call: BackwardCall<Saved>, ...args: Arguments): (Tensor | null)[];
}

/** Gives the types of an operation's arguments and of what it saves. */
export function defineOp<Arguments extends unknown[], Saved>(op: Op<Arguments, Saved>): Op<Arguments, Saved> {
  return op;
}
