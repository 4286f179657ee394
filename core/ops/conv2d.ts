import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import {
  convFilterGradientKernel,
  convForwardKernel,
  type ConvGeometry,
  convInputGradientKernel,
} from "../kernels/conv2d.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { partsByBlocks, partsOf } from "./gemm.ts";
import { defineOp, type Forward, type Op } from "./op.ts";
import { permuted } from "./strided.ts";
import { sumOver } from "./sum.ts";
import { outputExtent, type WindowOptions } from "./window.ts";
import { suitsWinograd, winogradFilterGradient, winogradForward, winogradInputGradient } from "./winograd.ts";

/** The order of a stored filter's dimensions in the kernels: `[out, in, kh, kw]` to `[kh, kw, in, out]`, and back. */
const TO_KERNEL = [2, 3, 1, 0];
const FROM_KERNEL = [3, 2, 0, 1];

function geometryOf(x: Tensor, filter: Tensor, { stride = 1, padding = 0 }: WindowOptions): ConvGeometry {
  const action = () => `Cannot convolve ${showShape(x.shape)} with a filter of ${showShape(filter.shape)}`;
  if (x.shape.length !== 4 || filter.shape.length !== 4) {
    throw new RangeError(`${action()}: images are [batch, height, width, in], filters [out, in, height, width]`);
  }
  const [images, height, width, inputs] = x.shape;
  const [outputs, filterInputs, kernelHeight, kernelWidth] = filter.shape;
  if (inputs !== filterInputs) {
    throw new RangeError(`${action()} as the channels must be the same: ${inputs} and ${filterInputs}`);
  }
  const outHeight = outputExtent(action, height, kernelHeight, stride, padding);
  const outWidth = outputExtent(action, width, kernelWidth, stride, padding);
  // deno-fmt-ignore
  return { images, height, width, inputs, outHeight, outWidth, outputs, kernelHeight, kernelWidth, stride, padding };
}

function filterGradient(device: Device, p: ConvGeometry, x: Tensor, gradient: Tensor): Tensor {
  const rows = p.images * p.outHeight;
  const taps = p.kernelHeight * p.kernelWidth;
  const wanted = partsOf(device, taps * p.inputs, p.outputs, rows * p.outWidth).parts;
  const partRows = Math.max(1, Math.ceil(rows / Math.min(rows, wanted)));
  const parts = Math.max(1, Math.ceil(rows / partRows));
  const shape = [p.kernelHeight, p.kernelWidth, p.inputs, p.outputs];
  const partials = device.empty([parts, ...shape]);
  device.run(convFilterGradientKernel, { x, gradient, partials }, { ...p, parts, partRows });
  return permuted(device, summed(device, partials, shape), FROM_KERNEL);
}

/** Room for the parts of a sum, `[parts, ...shape]`: of float32 where there are several, which {@link summed} adds. */
function partsIn(device: Device, parts: number, shape: readonly number[], format: NumberFormat): Tensor {
  return device.empty([parts, ...shape], parts === 1 ? format : "f32");
}

/** The sum of parts `[parts, ...shape]`. */
function summed(device: Device, partials: Tensor, shape: readonly number[], format: NumberFormat = "f32"): Tensor {
  const whole = partials.shape[0] === 1 ? partials : sumOver(device, partials, new Set([0]), 1, format);
  return device.alias(whole, shape);
}

function forward(device: Device, p: ConvGeometry, x: Tensor, filters: Tensor): Tensor {
  const { images, outHeight, outWidth, outputs, inputs, kernelHeight, kernelWidth } = p;
  const taps = kernelHeight * kernelWidth;
  const parts = partsByBlocks(device, images * outHeight * outWidth, outputs, taps * inputs);
  const shape = [images, outHeight, outWidth, outputs];
  const format = device.formatOf(x);
  const y = partsIn(device, parts.parts, shape, format);
  device.run(convForwardKernel, { x, filters, y }, { ...p, ...parts });
  return summed(device, y, shape, format);
}

function inputGradient(
  device: Device,
  p: ConvGeometry,
  gradient: Tensor,
  filters: Tensor,
  format: NumberFormat,
): Tensor {
  const { images, height, width, inputs, outputs, kernelHeight, kernelWidth, stride } = p;
  // With a stride, a pixel is seen by every stride-th tap along each axis; by how many exactly depends on the pixel.
  const taps = Math.ceil(kernelHeight / stride) * Math.ceil(kernelWidth / stride);
  const parts = partsByBlocks(device, images * height * width, inputs, taps * outputs);
  const shape = [images, height, width, inputs];
  const dx = partsIn(device, parts.parts, shape, format);
  device.run(convInputGradientKernel, { gradient, filters, dx }, { ...p, ...parts });
  return summed(device, dx, shape, format);
}

/**
 * What the gradients of a convolution want: the arranged filter, or for Winograd's algorithm the squares of the images.
 */
interface Saved {
  readonly geometry: ConvGeometry;
  readonly arranged: Tensor | null;
  readonly squares: Tensor | null;
}

/**
 * The convolution (cross-correlation, as in every deep learning library) of channels-last images.
 *
 * x `[batch, height, width, in]`, filter `[out, in, kernel height, kernel width]` as PyTorch stores it; the result is
 * `[batch, out height, out width, out]`. Padding is zeros, as many on every side.
 */
export const conv2d: Op<[x: Tensor, filter: Tensor, options?: WindowOptions]> = defineOp({
  forward(device: Device, x: Tensor, filter: Tensor, options: WindowOptions = {}): Forward<Saved> {
    const geometry = geometryOf(x, filter, options);
    if (suitsWinograd(device, geometry)) {
      const { y, squares } = winogradForward(device, geometry, x, filter);
      return { output: y, saved: { geometry, arranged: null, squares } };
    }
    // The kernels read a tap's channels side by side. The copy is as small as the filter, and the gradient needs it
    // too.
    const arranged = permuted(device, filter, TO_KERNEL);
    return { output: forward(device, geometry, x, arranged), saved: { geometry, arranged, squares: null } };
  },
  backward(device, { gradient, saved: { geometry, arranged, squares }, needs }, x, filter) {
    const toInput = () => {
      if (!arranged) return winogradInputGradient(device, geometry, gradient, filter, x.format);
      return inputGradient(device, geometry, gradient, arranged, x.format);
    };
    const toFilter = () =>
      squares
        ? winogradFilterGradient(device, geometry, squares, gradient)
        : filterGradient(device, geometry, x, gradient);
    return [needs[0] ? toInput() : null, needs[1] ? toFilter() : null];
  },
});
