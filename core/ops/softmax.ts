import type { Device } from "../device.ts";
import {
  logSoftmaxGradientKernel,
  logSoftmaxKernel,
  softmaxGradientKernel,
  softmaxKernel,
} from "../kernels/softmax.ts";
import type { Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

function normaliser(value: typeof softmaxKernel, gradientKernel: typeof softmaxGradientKernel) {
  const sizes = (x: Tensor) => {
    const columns = x.shape.at(-1);
    if (columns === undefined) throw new RangeError("Cannot normalise a scalar: it has no last dimension");
    return { rows: x.size / columns, columns };
  };
  return defineOp({
    forward(device: Device, x: Tensor) {
      const output = device.empty(x.shape, device.formatOf(x));
      device.run(value, { input: x, output }, sizes(x));
      return { output, saved: null };
    },
    backward(device, { output: y, gradient }, x) {
      const output = device.empty(x.shape, x.format);
      device.run(gradientKernel, { y, gradient, output }, sizes(x));
      return [output];
    },
  });
}

/** exp(x) / sum(exp(x)) over the last dimension. */
export const softmax: Op<[x: Tensor]> = normaliser(softmaxKernel, softmaxGradientKernel);
/** log(softmax(x)) over the last dimension, computed without leaving the logarithm. */
export const logSoftmax: Op<[x: Tensor]> = normaliser(logSoftmaxKernel, logSoftmaxGradientKernel);
