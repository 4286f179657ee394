import type { Device } from "../device.ts";
import { crossEntropyGradientKernel, crossEntropyKernel } from "../kernels/cross_entropy.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** Options of cross-entropy. */
export interface CrossEntropyOptions {
  /** The part e of the target that is spread over all classes, from 0 to below 1; 0 by default. */
  readonly smoothing?: number;
}

/**
 * -(1 - e) log p_y - e / C sum_c log p_c with p = softmax(logits), for each row: `logits [..., classes]` and `labels
 * [...]`, whole numbers in [0, classes), give `[...]`. One kernel each way. The labels have no gradient.
 *
 * @throws RangeError if the shapes do not fit, or the smoothing is not from 0 to below 1
 */
export const crossEntropy: Op<[logits: Tensor, labels: Tensor, options?: CrossEntropyOptions]> = defineOp({
  forward(device: Device, logits: Tensor, labels: Tensor, { smoothing = 0 }: CrossEntropyOptions = {}) {
    const shape = logits.shape.slice(0, -1);
    if (logits.shape.length === 0 || showShape(shape) !== showShape(labels.shape)) {
      throw new RangeError(
        `Cannot compare logits ${showShape(logits.shape)} with labels ${showShape(labels.shape)}: expected ` +
          `[..., classes] and [...]`,
      );
    }
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new RangeError(`Cannot smooth labels by ${smoothing}: expected a number from 0 to below 1`);
    }
    const parameters = { rows: labels.size, columns: logits.shape.at(-1)!, smoothing };
    const [output, notes] = [shape, [labels.size, 2]].map((shape) => device.empty(shape));
    device.run(crossEntropyKernel, { logits, labels, output, notes }, parameters);
    return { output, saved: { notes, parameters } };
  },
  backward(device, { gradient, saved: { notes, parameters } }, logits, labels) {
    const output = device.empty(logits.shape);
    device.run(crossEntropyGradientKernel, { logits, labels, notes, gradient, output }, parameters);
    return [output, null];
  },
});
