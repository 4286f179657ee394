import { TensorTooLarge, UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, type Tensor } from "../tensor.ts";

/**
 * A tensor of host numbers that its owner disposes of.
 *
 * @param what it is, for the message: `the weight fc.weight`
 * @param remedy what the user can do where it is larger than a tensor can be: `a smaller model`
 * @throws UserError with both
 */
export function hold(
  ops: Ops,
  numbers: Float32Array,
  shape: readonly number[],
  what: string,
  remedy: string,
): Tensor {
  try {
    return ops.keep(ops.tensor(numbers, shape));
  } catch (error) {
    if (!(error instanceof TensorTooLarge)) throw error;
    throw new UserError(`Cannot hold ${what} ${showShape(shape)}: ${error.sizes}; ${remedy}, or --backend cpu`, {
      cause: error,
    });
  }
}
