import type { Device } from "../device.ts";
import { padKernel, sliceKernel } from "../kernels/slice.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** A run of neighbours along one dimension. */
export interface SliceOptions {
  /** The dimension, from 0. */
  readonly axis: number;
  /** The first that is taken. */
  readonly begin: number;
  /** How many are taken. */
  readonly length: number;
}

function geometry(shape: readonly number[], { axis, begin, length }: SliceOptions) {
  return { extent: shape[axis], inner: sizeOf(shape.slice(axis + 1)), begin, length };
}

/** The part of a tensor from `begin` on along one dimension, `length` long; a copy. */
export const slice: Op<[x: Tensor, options: SliceOptions]> = defineOp({
  forward(device: Device, x: Tensor, options: SliceOptions) {
    const { axis, begin, length } = options;
    const whole = [axis, begin, length].every(Number.isInteger) && axis >= 0 && begin >= 0 && length >= 1;
    if (!whole || !(begin + length <= (x.shape[axis] ?? 0))) {
      throw new RangeError(`Cannot take ${length} from ${begin} on along axis ${axis} of ${showShape(x.shape)}`);
    }
    const output = device.empty(x.shape.with(axis, length), device.formatOf(x));
    device.run(sliceKernel, { input: x, output }, { size: output.size, ...geometry(x.shape, options) });
    return { output, saved: null };
  },
  backward(device, { gradient }, x, options) {
    const output = device.empty(x.shape, x.format);
    device.run(padKernel, { input: gradient, output }, { size: output.size, ...geometry(x.shape, options) });
    return [output];
  },
});
