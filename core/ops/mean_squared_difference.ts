import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import { binaryOps, unaryOps } from "./elementwise.ts";
import { defineOp, type Op } from "./op.ts";
import { mean } from "./sum.ts";

/**
 * `mean((a - b)^2)` over all numbers, with broadcasting. It keeps neither the difference nor its square for the
 * gradient, which takes the difference anew: of large weights they would stand beside each other in memory until the
 * step ends.
 */
export const meanSquaredDifference: Op<[a: Tensor, b: Tensor]> = defineOp({
  forward(device: Device, a: Tensor, b: Tensor) {
    let saved: { kept: readonly number[]; factor: number };
    const output = device.scope(() => {
      const difference = binaryOps.subtract.forward(device, a, b).output;
      const squares = unaryOps.square.forward(device, difference).output;
      const made = mean.forward(device, squares);
      saved = made.saved;
      return made.output;
    });
    return { output, saved: saved! };
  },
  backward(device, { output, gradient, saved, needs }, a, b) {
    const difference = binaryOps.subtract.forward(device, a, b).output;
    const call = { output, needs: [true] };
    const [squares] = mean.backward(device, { ...call, gradient, saved }, difference);
    const [inner] = unaryOps.square.backward(device, { ...call, gradient: squares!, saved: null }, difference);
    return binaryOps.subtract.backward(device, { output, needs, gradient: inner!, saved: null }, a, b);
  },
});
