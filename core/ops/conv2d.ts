import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import { convFilterGradientKernel, convForwardKernel, convInputGradientKernel } from "../kernels/conv2d.ts";
import type { ConvGeometry } from "../kernels/conv_geometry.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { partsByBlocks, partsOf } from "./gemm.ts";
import { defineOp, type Forward, type Op } from "./op.ts";
import { sumOfParts } from "./row_parts.ts";
import { permuted } from "./strided.ts";
import {
  depthwise,
  grouped,
  type TapConvolution,
  tapFilterGradient,
  tapForward,
  tapInputGradient,
} from "./tap_conv.ts";
import { type ConvOptions, outputExtent } from "./window.ts";
import { suitsWinograd, winogradFilterGradient, winogradForward, winogradInputGradient } from "./winograd.ts";

/** The order of a stored filter's dimensions in the kernels: `[out, in, kh, kw]` to `[kh, kw, in, out]`, and back. */
export const TO_KERNEL: readonly number[] = [2, 3, 1, 0];
const FROM_KERNEL = [3, 2, 0, 1];

/** A convolution with its filters' dilation and groups. */
interface Convolution {
  readonly geometry: ConvGeometry;
  readonly dilation: number;
  readonly groups: number;
}

/** @throws RangeError if images and filter do not fit each other */
export function convolutionOf(
  x: Tensor,
  filter: Tensor,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions,
): Convolution {
  const action = () => `Cannot convolve ${showShape(x.shape)} with a filter of ${showShape(filter.shape)}`;
  if (x.shape.length !== 4 || filter.shape.length !== 4) {
    throw new RangeError(`${action()}: images are [batch, height, width, in], filters [out, in, height, width]`);
  }
  for (const [name, value] of Object.entries({ dilation, groups })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new RangeError(`${action()} with ${name} ${value}: it must be a whole number from 1 on`);
  }
  const [images, height, width, inputs] = x.shape;
  const [outputs, filterInputs, kernelHeight, kernelWidth] = filter.shape;
  if (groups === 1 && inputs !== filterInputs) {
    throw new RangeError(`${action()} as the channels must be the same: ${inputs} and ${filterInputs}`);
  }
  if (outputs % groups !== 0 || inputs !== groups * filterInputs) {
    throw new RangeError(
      `${action()} in ${groups} groups: expected a filter of [a multiple of ${groups}, ${inputs} / ${groups}, height, ` +
        "width]",
    );
  }
  const extent = (pixels: number, taps: number) =>
    outputExtent(action, pixels, (taps - 1) * dilation + 1, stride, padding);
  const [outHeight, outWidth] = [extent(height, kernelHeight), extent(width, kernelWidth)];
  // deno-fmt-ignore
  const geometry = { images, height, width, inputs, outHeight, outWidth, outputs, kernelHeight, kernelWidth, stride, padding };
  return { geometry, dilation, groups };
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
  return permuted(device, sumOfParts(device, partials, shape), FROM_KERNEL);
}

/** Room for the parts of a sum, `[parts, ...shape]`: of float32 where {@link sumOfParts} adds several. */
function partsIn(device: Device, parts: number, shape: readonly number[], format: NumberFormat): Tensor {
  return device.empty([parts, ...shape], parts === 1 ? format : "f32");
}

function forward(device: Device, p: ConvGeometry, x: Tensor, filters: Tensor): Tensor {
  const { images, outHeight, outWidth, outputs, inputs, kernelHeight, kernelWidth } = p;
  const taps = kernelHeight * kernelWidth;
  const parts = partsByBlocks(device, images * outHeight * outWidth, outputs, taps * inputs);
  const shape = [images, outHeight, outWidth, outputs];
  const format = device.formatOf(x);
  const y = partsIn(device, parts.parts, shape, format);
  device.run(convForwardKernel, { x, filters, y }, { ...p, ...parts });
  return sumOfParts(device, y, shape, format);
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
  return sumOfParts(device, dx, shape, format);
}

/** The gradients of a convolution, of that of its result; they hold what the forward pass made that they want. */
interface Gradients {
  /** d loss / d x. */
  toInput(gradient: Tensor): Tensor;
  /** d loss / d filter. */
  toFilter(gradient: Tensor): Tensor;
}

function byProducts(device: Device, p: ConvGeometry, x: Tensor, filter: Tensor): Forward<Gradients> {
  // The kernels read a tap's channels side by side. The copy is as small as the filter, and the gradient needs it too.
  const arranged = permuted(device, filter, TO_KERNEL);
  return {
    output: forward(device, p, x, arranged),
    saved: {
      toInput: (gradient) => inputGradient(device, p, gradient, arranged, x.format),
      toFilter: (gradient) => filterGradient(device, p, x, gradient),
    },
  };
}

function byWinograd(device: Device, p: ConvGeometry, x: Tensor, filter: Tensor): Forward<Gradients> {
  const { y, squares } = winogradForward(device, p, x, filter);
  return {
    output: y,
    saved: {
      toInput: (gradient) => winogradInputGradient(device, p, gradient, filter, x.format),
      toFilter: (gradient) => winogradFilterGradient(device, p, squares, gradient),
    },
  };
}

function byTaps<Parameter extends string>(
  device: Device,
  convolution: TapConvolution<Parameter>,
  x: Tensor,
  filter: Tensor,
): Forward<Gradients> {
  const arranged = permuted(device, filter, TO_KERNEL);
  return {
    output: tapForward(device, convolution, x, arranged),
    saved: {
      toInput: (gradient) => tapInputGradient(device, convolution, gradient, arranged, x.format),
      toFilter: (gradient) => permuted(device, tapFilterGradient(device, convolution, x, gradient), FROM_KERNEL),
    },
  };
}

/**
 * The convolution (cross-correlation, as in every deep learning library) of channels-last images.
 *
 * x `[batch, height, width, in]`, filter `[out, in / groups, kernel height, kernel width]` as PyTorch stores it; the
 * result is `[batch, out height, out width, out]`. Padding is zeros, as many on every side. With as many groups as
 * channels in and out it is depthwise, which has kernels of its own; other groups and dilation share a plain one.
 */
export const conv2d: Op<[x: Tensor, filter: Tensor, options?: ConvOptions]> = defineOp({
  forward(device: Device, x: Tensor, filter: Tensor, options: ConvOptions = {}): Forward<Gradients> {
    const { geometry, dilation, groups } = convolutionOf(x, filter, options);
    const { inputs: channels, outputs } = geometry;
    if (groups > 1 && groups === channels && channels === outputs) {
      return byTaps(device, depthwise(geometry, dilation), x, filter);
    }
    if (groups > 1 || dilation > 1) return byTaps(device, grouped(geometry, dilation, groups), x, filter);
    return suitsWinograd(device, geometry)
      ? byWinograd(device, geometry, x, filter)
      : byProducts(device, geometry, x, filter);
  },
  backward(_device, { gradient, saved, needs }) {
    return [needs[0] ? saved.toInput(gradient) : null, needs[1] ? saved.toFilter(gradient) : null];
  },
});
