import type { Device } from "../device.ts";
import { dropoutKernel } from "../kernels/dropout.ts";
import type { Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** Rate and seed of dropout. */
export interface DropoutOptions {
  /** Probability of zeroing an element, in [0, 1). */
  readonly rate: number;
  /** Decides the mask: a fresh 32-bit number for every call in training. */
  readonly seed: number;
}

/** Inverted dropout on activations: E[output] = x, so that inference needs no change. */
export const dropout: Op<[x: Tensor, options: DropoutOptions]> = defineOp({
  forward(device: Device, x: Tensor, { rate, seed }: DropoutOptions) {
    if (!(rate >= 0 && rate < 1)) throw new RangeError(`Cannot drop with rate ${rate}: it must lie in [0, 1)`);
    const output = device.empty(x.shape, device.formatOf(x));
    device.run(dropoutKernel, { input: x, output }, { size: x.size, seed: seed >>> 0, rate });
    return { output, saved: null };
  },
  backward(device, { gradient }, x, { rate, seed }) {
    const output = device.empty(x.shape, x.format);
    device.run(dropoutKernel, { input: gradient, output }, { size: x.size, seed: seed >>> 0, rate });
    return [output];
  },
});
