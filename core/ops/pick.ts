import type { Device } from "../device.ts";
import { pickKernel, unpickKernel } from "../kernels/pick.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/**
 * One entry of each row: `x [..., columns]` and `indices [...]`, whole numbers in [0, columns), give `[...]`. The
 * indices have no gradient.
 */
export const pick: Op<[x: Tensor, indices: Tensor]> = defineOp({
  forward(device: Device, x: Tensor, indices: Tensor) {
    const shape = x.shape.slice(0, -1);
    if (x.shape.length === 0 || showShape(shape) !== showShape(indices.shape)) {
      throw new RangeError(`Cannot pick from ${showShape(x.shape)} by indices of shape ${showShape(indices.shape)}`);
    }
    const output = device.empty(shape);
    device.run(pickKernel, { input: x, indices, output }, { rows: output.size, columns: x.shape.at(-1)! });
    return { output, saved: null };
  },
  backward(device, { gradient }, x, indices) {
    const output = device.empty(x.shape);
    device.run(unpickKernel, { input: gradient, indices, output }, { rows: indices.size, columns: x.shape.at(-1)! });
    return [output, null];
  },
});
