import { MOST_NUMBERS } from "../backend/backend.ts";
import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import type { ConvGeometry } from "../kernels/conv_geometry.ts";
import {
  winogradFilterGradientKernel,
  winogradFilterKernel,
  winogradGradientKernel,
  winogradPixelsKernel,
  winogradResultKernel,
} from "../kernels/winograd.ts";
import { RESULT, SQUARES } from "../kernels/winograd_matrices.ts";
import type { Tensor } from "../tensor.ts";
import { gemm, matricesIn, transposed } from "./gemm.ts";

/**
 * Whether a convolution is one of 3 x 3 taps and stride 1 with enough channels, so that Winograd's algorithm with a
 * quarter of the multiplications is faster, and whether its squares, more than twice as many as pixels, fit. The cpu
 * has it inside of its kernels.
 */
export function suitsWinograd(device: Device, p: ConvGeometry): boolean {
  const { traits } = device.backend;
  if (!traits) return false;
  return p.kernelHeight === 3 && p.kernelWidth === 3 && p.stride === 1 && p.padding <= 2 &&
    Math.min(p.inputs, p.outputs) >= traits.fewestWinogradChannels && largestTensor(p) <= MOST_NUMBERS;
}

/** The tiles of an image of so many pixels. */
const tilesOf = (height: number, width: number) => ({
  tilesDown: Math.ceil(height / RESULT),
  tilesAcross: Math.ceil(width / RESULT),
});

/** The number of tiles of all images. */
const tileCountOf = (p: ConvGeometry) => {
  const { tilesDown, tilesAcross } = tilesOf(p.outHeight, p.outWidth);
  return p.images * tilesDown * tilesAcross;
};

/** Numbers of the largest tensor on the way, forward and back. */
function largestTensor({ images, height, width, outHeight, outWidth, inputs, outputs }: ConvGeometry): number {
  const { tilesDown, tilesAcross } = tilesOf(Math.max(height, outHeight), Math.max(width, outWidth));
  return SQUARES * images * tilesDown * tilesAcross * Math.max(inputs, outputs);
}

function filterSquares(device: Device, { inputs, outputs }: ConvGeometry, stored: Tensor, turned: boolean): Tensor {
  const squares = device.empty(turned ? [SQUARES, outputs, inputs] : [SQUARES, inputs, outputs]);
  device.run(winogradFilterKernel, { stored, squares }, { inputs, outputs, turned: turned ? 1 : 0 });
  return squares;
}

/** Multiplies squares `[36, tiles, from]` by filters `[36, from, to]` and puts the tiles together. */
function correlate(
  device: Device,
  squares: Tensor,
  filter: Tensor,
  shape: readonly number[],
  format: NumberFormat,
): Tensor {
  const [, tiles, from] = squares.shape;
  const [images, height, width, channels] = shape;
  const products = gemm(device, matricesIn(squares, tiles, from), matricesIn(filter, from, channels), SQUARES, [
    SQUARES,
    tiles,
    channels,
  ]);
  const y = device.empty(shape, format);
  const grid = { images, height, width, channels, ...tilesOf(height, width) };
  device.run(winogradResultKernel, { squares: products, images: y }, grid);
  return y;
}

/** The convolution of x with a stored filter, and the squares of x, which the filter's gradient wants again. */
export function winogradForward(device: Device, p: ConvGeometry, x: Tensor, filter: Tensor) {
  const squares = device.empty([SQUARES, tileCountOf(p), p.inputs]);
  const { images, height, width, inputs: channels, padding } = p;
  const grid = { images, height, width, channels, ...tilesOf(p.outHeight, p.outWidth), padding };
  device.run(winogradPixelsKernel, { source: x, squares }, grid);
  const shape = [images, p.outHeight, p.outWidth, p.outputs];
  const y = device.scope(() =>
    correlate(device, squares, filterSquares(device, p, filter, false), shape, device.formatOf(x))
  );
  return { y, squares };
}

/** d loss / d x: the convolution of d loss / d y with the filter turned by half a circle. */
export function winogradInputGradient(
  device: Device,
  p: ConvGeometry,
  gradient: Tensor,
  filter: Tensor,
  format: NumberFormat,
): Tensor {
  const { images, outHeight: height, outWidth: width, outputs: channels } = p;
  const tiles = tilesOf(p.height, p.width);
  return device.scope(() => {
    const squares = device.empty([SQUARES, images * tiles.tilesDown * tiles.tilesAcross, channels]);
    const grid = { images, height, width, channels, ...tiles, padding: 2 - p.padding };
    device.run(winogradPixelsKernel, { source: gradient, squares }, grid);
    const shape = [images, p.height, p.width, p.inputs];
    return correlate(device, squares, filterSquares(device, p, filter, true), shape, format);
  });
}

/** d loss / d filter from the squares of x: the correlation of x with d loss / d y, tile by tile. */
export function winogradFilterGradient(device: Device, p: ConvGeometry, squares: Tensor, gradient: Tensor): Tensor {
  const { images, outHeight: height, outWidth: width, outputs: channels } = p;
  const tiles = tileCountOf(p);
  return device.scope(() => {
    const factors = device.empty([SQUARES, tiles, channels]);
    const grid = { images, height, width, channels, ...tilesOf(height, width), padding: 0 };
    device.run(winogradGradientKernel, { source: gradient, squares: factors }, grid);
    const left = transposed(matricesIn(squares, tiles, p.inputs));
    const products = gemm(device, left, matricesIn(factors, tiles, channels), SQUARES, [SQUARES, p.inputs, channels]);
    const filterGradient = device.empty([channels, p.inputs, 3, 3]);
    const sizes = { inputs: p.inputs, outputs: channels };
    device.run(winogradFilterGradientKernel, { squares: products, gradient: filterGradient }, sizes);
    return filterGradient;
  });
}
