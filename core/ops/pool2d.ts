import type { Device } from "../device.ts";
import {
  averagePoolGradientKernel,
  averagePoolKernel,
  maxPoolGradientKernel,
  maxPoolKernel,
  type PoolGeometry,
} from "../kernels/pool2d.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";
import { outputExtent, type WindowOptions } from "./window.ts";

/** A square window; its stride is its size unless given, so that windows do not overlap. */
export interface PoolOptions extends WindowOptions {
  /** Rows, and columns, of a window in pixels. */
  readonly size: number;
}

function geometryOf(x: Tensor, { size, stride = size, padding = 0 }: PoolOptions): PoolGeometry {
  const action = () => `Cannot pool ${showShape(x.shape)} in windows of ${size} x ${size}`;
  if (x.shape.length !== 4) throw new RangeError(`${action()}: images are [batch, height, width, channels]`);
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`${action()}: the size must be a whole number from 1 on`);
  }
  // A window in the padding alone would have no maximum.
  if (2 * padding > size) {
    throw new RangeError(`${action()} with padding ${padding}: it may be half of the size at most`);
  }
  const [images, height, width, channels] = x.shape;
  const outHeight = outputExtent(action, height, size, stride, padding);
  const outWidth = outputExtent(action, width, size, stride, padding);
  return { images, height, width, channels, outHeight, outWidth, size, stride, padding };
}

const shapeOf = ({ images, outHeight, outWidth, channels }: PoolGeometry) => [images, outHeight, outWidth, channels];

/**
 * The largest value of each window of channels-last images `[batch, height, width, channels]`; padding is never
 * largest. Of equal values the first, row by row, gets the gradient.
 */
export const maxPool2d: Op<[x: Tensor, options: PoolOptions]> = defineOp({
  forward(device: Device, x: Tensor, options: PoolOptions) {
    const geometry = geometryOf(x, options);
    const y = device.empty(shapeOf(geometry), device.formatOf(x));
    const taps = device.empty(shapeOf(geometry));
    device.run(maxPoolKernel, { x, y, taps }, geometry);
    return { output: y, saved: { geometry, taps } };
  },
  backward(device, { gradient, saved: { geometry, taps } }, x) {
    const dx = device.empty(x.shape, x.format);
    device.run(maxPoolGradientKernel, { gradient, taps, dx }, geometry);
    return [dx];
  },
});

/**
 * The mean of each window of channels-last images `[batch, height, width, channels]`; padding counts as zeros, as in
 * PyTorch.
 */
export const averagePool2d: Op<[x: Tensor, options: PoolOptions]> = defineOp({
  forward(device: Device, x: Tensor, options: PoolOptions) {
    const geometry = geometryOf(x, options);
    const y = device.empty(shapeOf(geometry), device.formatOf(x));
    device.run(averagePoolKernel, { x, y }, geometry);
    return { output: y, saved: geometry };
  },
  backward(device, { gradient, saved }, x) {
    const dx = device.empty(x.shape, x.format);
    device.run(averagePoolGradientKernel, { gradient, dx }, saved);
    return [dx];
  },
});
