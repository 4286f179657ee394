// Depthwise convolution of channels-last images: each channel has a filter of its own, so neighbouring channels are
// lanes of one vector, and a step takes sixteen of them: a cache line of every pixel.

import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd, VECTOR } from "./simd";

/** Bytes of the channels that are taken at a time. */
const BLOCK: usize = 64;

/** The first position whose tap, `offset` pixels from its beginning, falls into the image. */
@inline
function firstInside(offset: i32, stride: i32): i32 {
  return offset >= 0 ? 0 : (-offset + stride - 1) / stride;
}

/** The position behind the last one whose tap falls into an axis of `extent` pixels. */
@inline
function endInside(offset: i32, stride: i32, extent: i32): i32 {
  return offset >= extent ? 0 : (extent - 1 - offset) / stride + 1;
}

/**
 * y = convolution of x with each channel's filter, for the lines of y from `lineBegin` to `lineEnd`, counted through all
 * images.
 *
 * @param filter [kernelHeight, kernelWidth, channels]
 * @param top zeros above an image; below 0, lines are left out. `left`: likewise
 * @param turned whether taps are taken from the last to the first, as in the gradient by x
 */
export function depthwiseForward(
  x: usize, filter: usize, y: usize, height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, stride: i32, dilation: i32, top: i32, left: i32, turned: i32,
  lineBegin: i32, lineEnd: i32,
): void {
  const pixel = <usize> channels << 2, row = <usize> width * pixel;
  const tapStep: usize = turned ? -pixel : pixel;
  const firstTap = turned ? filter + <usize> (kernelHeight * kernelWidth - 1) * pixel : filter;
  for (let line = lineBegin; line < lineEnd; line++) {
    const image = line / outHeight, at = line % outHeight * stride - top;
    const kyBegin = firstInside(at, dilation), kyEnd = min(endInside(at, dilation, height), kernelHeight);
    const from = x + <usize> image * height * row, to = y + <usize> line * outWidth * pixel;
    let c: usize = 0;
    for (; c < pixel; c += c + BLOCK <= pixel ? BLOCK : c + VECTOR <= pixel ? VECTOR : 4) {
      const vectors = c + BLOCK <= pixel ? 4 : c + VECTOR <= pixel ? 1 : 0;
      let out = to + c;
      for (let column = 0; column < outWidth; column++, out += pixel) {
        const start = column * stride - left;
        const kxBegin = firstInside(start, dilation), kxEnd = min(endInside(start, dilation, width), kernelWidth);
        const xStart = from + c + <usize> (start + kxBegin * dilation) * pixel;
        const tapStart = firstTap + c + <usize> kxBegin * tapStep, count = kxEnd - kxBegin;
        if (vectors == 4) {
          sumOf4(xStart, tapStart, at, kyBegin, kyEnd, count, row, pixel, dilation, kernelWidth, tapStep, out);
        } else if (vectors == 1) {
          sumOf1(true, xStart, tapStart, at, kyBegin, kyEnd, count, row, pixel, dilation, kernelWidth, tapStep, out);
        } else {
          sumOf1(false, xStart, tapStart, at, kyBegin, kyEnd, count, row, pixel, dilation, kernelWidth, tapStep, out);
        }
      }
    }
  }
}

@inline
function sumOf4(
  x: usize, tap: usize, at: i32, kyBegin: i32, kyEnd: i32, count: i32, row: usize, pixel: usize, dilation: i32,
  kernelWidth: i32, tapStep: usize, out: usize,
): void {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  const step = <usize> dilation * pixel;
  for (let ky = kyBegin; ky < kyEnd; ky++) {
    let from = x + <usize> (at + ky * dilation) * row, by = tap + <usize> (ky * kernelWidth) * tapStep;
    for (let kx = 0; kx < count; kx++, from += step, by += tapStep) {
      a = multiplyAdd(v128.load(from), v128.load(by), a);
      b = multiplyAdd(v128.load(from, 16), v128.load(by, 16), b);
      c = multiplyAdd(v128.load(from, 32), v128.load(by, 32), c);
      d = multiplyAdd(v128.load(from, 48), v128.load(by, 48), d);
    }
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
}

@inline
function sumOf1(
  wide: bool, x: usize, tap: usize, at: i32, kyBegin: i32, kyEnd: i32, count: i32, row: usize, pixel: usize,
  dilation: i32, kernelWidth: i32, tapStep: usize, out: usize,
): void {
  let a = f32x4.splat(0);
  const step = <usize> dilation * pixel;
  for (let ky = kyBegin; ky < kyEnd; ky++) {
    let from = x + <usize> (at + ky * dilation) * row, by = tap + <usize> (ky * kernelWidth) * tapStep;
    for (let kx = 0; kx < count; kx++, from += step, by += tapStep) {
      a = multiplyAdd(loadLanes(from, wide), loadLanes(by, wide), a);
    }
  }
  storeLanes(out, a, wide);
}

/**
 * dx = gradient by x, for the images from `imageBegin` to `imageEnd`, whatever the stride: each output pixel's gradient
 * is added to the pixels that it saw.
 */
export function depthwiseScatter(
  dy: usize, filter: usize, dx: usize, height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, stride: i32, dilation: i32, padding: i32, imageBegin: i32, imageEnd: i32,
): void {
  const pixel = <usize> channels << 2, row = <usize> width * pixel, step = <usize> dilation * pixel;
  memory.fill(dx + <usize> imageBegin * height * row, 0, <usize> (imageEnd - imageBegin) * height * row);
  for (let line = imageBegin * outHeight; line < imageEnd * outHeight; line++) {
    const image = line / outHeight, at = line % outHeight * stride - padding;
    const kyBegin = firstInside(at, dilation), kyEnd = min(endInside(at, dilation, height), kernelHeight);
    const to = dx + <usize> image * height * row, from = dy + <usize> line * outWidth * pixel;
    for (let column = 0; column < outWidth; column++) {
      const start = column * stride - padding, g = from + <usize> column * pixel;
      const kxBegin = firstInside(start, dilation), kxEnd = min(endInside(start, dilation, width), kernelWidth);
      for (let ky = kyBegin; ky < kyEnd; ky++) {
        let target = to + <usize> (at + ky * dilation) * row + <usize> (start + kxBegin * dilation) * pixel;
        let by = filter + <usize> (ky * kernelWidth + kxBegin) * pixel;
        for (let kx = kxBegin; kx < kxEnd; kx++, target += step, by += pixel) {
          let c: usize = 0;
          for (; c + VECTOR <= pixel; c += VECTOR) addProduct(true, g + c, by + c, target + c);
          for (; c < pixel; c += 4) addProduct(false, g + c, by + c, target + c);
        }
      }
    }
  }
}

@inline
function addProduct(wide: bool, a: usize, b: usize, sum: usize): void {
  storeLanes(sum, multiplyAdd(loadLanes(a, wide), loadLanes(b, wide), loadLanes(sum, wide)), wide);
}

/** dfilter += gradient by the filters, summed over the lines of y from `lineBegin` to `lineEnd`. */
export function depthwiseFilterGradient(
  x: usize, dy: usize, dfilter: usize, height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, stride: i32, dilation: i32, padding: i32, lineBegin: i32, lineEnd: i32,
): void {
  const pixel = <usize> channels << 2, row = <usize> width * pixel, step = <usize> stride * pixel;
  for (let line = lineBegin; line < lineEnd; line++) {
    const image = line / outHeight, at = line % outHeight * stride - padding;
    const kyBegin = firstInside(at, dilation), kyEnd = min(endInside(at, dilation, height), kernelHeight);
    const from = x + <usize> image * height * row, by = dy + <usize> line * outWidth * pixel;
    for (let c: usize = 0; c < pixel; c += c + BLOCK <= pixel ? BLOCK : c + VECTOR <= pixel ? VECTOR : 4) {
      const vectors = c + BLOCK <= pixel ? 4 : c + VECTOR <= pixel ? 1 : 0;
      for (let ky = kyBegin; ky < kyEnd; ky++) {
        const line = from + c + <usize> (at + ky * dilation) * row;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const offset = kx * dilation - padding, begin = firstInside(offset, stride);
          const count = min(endInside(offset, stride, width), outWidth) - begin;
          const start = line + <usize> (begin * stride + offset) * pixel, g = by + c + <usize> begin * pixel;
          const total = dfilter + c + <usize> (ky * kernelWidth + kx) * pixel;
          if (vectors == 4) dot4(start, g, step, pixel, count, total);
          else if (vectors == 1) dot1(true, start, g, step, pixel, count, total);
          else dot1(false, start, g, step, pixel, count, total);
        }
      }
    }
  }
}

/** Adds the products of `count` pixels to sixteen totals: those of a line first, so that fewer digits are lost. */
@inline
function dot4(x: usize, g: usize, step: usize, pixel: usize, count: i32, total: usize): void {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let i = 0; i < count; i++, x += step, g += pixel) {
    a = multiplyAdd(v128.load(x), v128.load(g), a);
    b = multiplyAdd(v128.load(x, 16), v128.load(g, 16), b);
    c = multiplyAdd(v128.load(x, 32), v128.load(g, 32), c);
    d = multiplyAdd(v128.load(x, 48), v128.load(g, 48), d);
  }
  v128.store(total, f32x4.add(v128.load(total), a));
  v128.store(total, f32x4.add(v128.load(total, 16), b), 16);
  v128.store(total, f32x4.add(v128.load(total, 32), c), 32);
  v128.store(total, f32x4.add(v128.load(total, 48), d), 48);
}

@inline
function dot1(wide: bool, x: usize, g: usize, step: usize, pixel: usize, count: i32, total: usize): void {
  let a = f32x4.splat(0);
  for (let i = 0; i < count; i++, x += step, g += pixel) a = multiplyAdd(loadLanes(x, wide), loadLanes(g, wide), a);
  storeLanes(total, f32x4.add(loadLanes(total, wide), a), wide);
}
