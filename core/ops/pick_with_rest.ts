import type { Device } from "../device.ts";
import { pickWithRestGradientKernel, pickWithRestKernel } from "../kernels/pick_with_rest.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/**
 * Some entries of each row, and all the others as one: `logits [..., columns]` and `indices [..., count]`, whole
 * numbers in [0, columns) that ascend, none twice, fewer than there are columns, give `[..., count + 1]`: factor times
 * these entries, and behind them the logarithm of the sum of exp(factor logit) over the others. The softmax of it is
 * that of factor logits with the others' probabilities added up. The factor is one over a temperature, 1 by default;
 * the indices have no gradient.
 *
 * @throws RangeError if the shapes do not fit, nothing is left for the rest, or the factor is not above 0
 */
export const pickWithRest: Op<[logits: Tensor, indices: Tensor, factor?: number]> = defineOp({
  forward(device: Device, logits: Tensor, indices: Tensor, factor = 1) {
    const [columns, count] = [logits.shape.at(-1) ?? 0, indices.shape.at(-1) ?? 0];
    const lead = logits.shape.slice(0, -1);
    if (count === 0 || count >= columns || showShape(lead) !== showShape(indices.shape.slice(0, -1))) {
      throw new RangeError(
        `Cannot pick from ${showShape(logits.shape)} by indices of shape ${showShape(indices.shape)}: expected ` +
          "[..., columns] and [..., fewer than columns]",
      );
    }
    if (!(factor > 0)) throw new RangeError(`Cannot multiply logits by ${factor}: expected a number above 0`);
    const parameters = { rows: logits.size / columns, columns, count, factor };
    const output = device.empty([...lead, count + 1]);
    device.run(pickWithRestKernel, { input: logits, indices, output }, parameters);
    return { output, saved: parameters };
  },
  backward(device, { output: picked, gradient, saved: parameters }, logits, indices) {
    const output = device.empty(logits.shape);
    device.run(pickWithRestGradientKernel, { input: logits, indices, picked, gradient, output }, parameters);
    return [output, null];
  },
});
