import type { Device } from "../device.ts";
import { maskedSoftmaxKernel } from "../kernels/masked_softmax.ts";
import { softmaxGradientKernel } from "../kernels/softmax.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/**
 * Softmax over the last dimension that leaves out what a mask hides: `x [batch, ..., columns]` and `mask [batch,
 * columns]` of 1 (seen) and 0 (hidden), the same for all rows between. What is hidden gets exactly 0, and so does
 * everything in a row of which nothing is seen. The mask has no gradient.
 */
export const maskedSoftmax: Op<[x: Tensor, mask: Tensor]> = defineOp({
  forward(device: Device, x: Tensor, mask: Tensor) {
    const [batch, columns] = [x.shape[0], x.shape.at(-1)!];
    if (x.shape.length < 2 || showShape(mask.shape) !== showShape([batch, columns])) {
      throw new RangeError(
        `Cannot mask ${showShape(x.shape)} by ${showShape(mask.shape)}: expected the first and the last extent`,
      );
    }
    const output = device.empty(x.shape, device.formatOf(x));
    const rows = x.size / columns;
    device.run(maskedSoftmaxKernel, { input: x, mask, output }, { rows, columns, rowsPerMask: rows / batch });
    return { output, saved: null };
  },
  backward(device, { output: y, gradient }, x) {
    const output = device.empty(x.shape, x.format);
    const columns = x.shape.at(-1)!;
    device.run(softmaxGradientKernel, { y, gradient, output }, { rows: x.size / columns, columns });
    return [output, null];
  },
});
