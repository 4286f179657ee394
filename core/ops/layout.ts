import type { Device } from "../device.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { broadcastShape } from "./broadcast.ts";
import { defineOp, type Op } from "./op.ts";
import { expandTo, permuted } from "./strided.ts";
import { sumTo } from "./sum.ts";

/** The same elements in row-major order under another shape; one extent may be -1. */
export const reshape: Op<[x: Tensor, shape: readonly number[]]> = defineOp({
  forward(device: Device, x: Tensor, shape: readonly number[]) {
    const open = shape.indexOf(-1);
    const known = sizeOf(shape.filter((extent) => extent !== -1));
    const full = open === -1 ? shape : shape.with(open, x.size / known);
    if (sizeOf(full) !== x.size || !full.every(Number.isInteger)) {
      throw new RangeError(
        `Cannot reshape ${showShape(x.shape)} to ${showShape(shape)}: ${x.size} elements do not fit`,
      );
    }
    return { output: device.alias(x, full), saved: null };
  },
  backward: (device, { gradient }, x) => [device.alias(gradient, x.shape)],
});

/** Permutes dimensions: output dimension i is input dimension `order[i]`. */
export const permute: Op<[x: Tensor, order: readonly number[]]> = defineOp({
  forward(device: Device, x: Tensor, order: readonly number[]) {
    if (order.length !== x.shape.length || !x.shape.every((_, axis) => order.includes(axis))) {
      throw new RangeError(
        `Cannot permute ${showShape(x.shape)} by ${showShape(order)}: each axis must stand there once`,
      );
    }
    return { output: permuted(device, x, order, device.formatOf(x)), saved: null };
  },
  backward(device, { gradient }, x, order) {
    return [permuted(device, gradient, order.map((_, axis) => order.indexOf(axis)), x.format)];
  },
});

/** Repeats along dimensions of extent 1 up to `shape`. */
export const expand: Op<[x: Tensor, shape: readonly number[]]> = defineOp({
  forward(device: Device, x: Tensor, shape: readonly number[]) {
    const full = broadcastShape(x.shape, shape);
    if (showShape(full) !== showShape(shape)) {
      throw new RangeError(`Cannot expand ${showShape(x.shape)} to ${showShape(shape)}`);
    }
    return { output: expandTo(device, x, shape, device.formatOf(x)), saved: null };
  },
  backward: (device, { gradient }, x) => [sumTo(device, gradient, x.shape)],
});
