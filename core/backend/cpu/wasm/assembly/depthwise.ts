// Depthwise convolution of channels-last images: each channel has a filter of its own, so neighbouring channels are
// lanes of one vector. Pixels are gone through in their order, a few at a time with all of their channels, as memory is
// read fastest so.

import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd, VECTOR } from "./simd";

/** Bytes of the channels that the gradient of the filters takes at a time: a cache line of every pixel. */
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
 * y = convolution of x with each channel's filter, for the lines of y from `lineBegin` to `lineEnd`, counted through
 * all images.
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
    // Between these columns every tap falls into the image.
    const begin = min(firstInside(-left, stride), outWidth);
    const end = max(begin, min(endInside((kernelWidth - 1) * dilation - left, stride, width), outWidth));
    const step = <usize> dilation * pixel, down = <usize> dilation * row, next = <usize> stride * pixel;
    const start = from + <usize> (at + kyBegin * dilation) * row;
    const taps = firstTap + <usize> (kyBegin * kernelWidth) * tapStep, rows = kyEnd - kyBegin;
    for (let column = 0; column < outWidth;) {
      const offset = column * stride - left, out = to + <usize> column * pixel, isInside = column >= begin;
      if (isInside && column + 4 <= end) {
        const first = start + <usize> offset * pixel;
        let c: usize = 0;
        for (; c + VECTOR <= pixel; c += VECTOR) {
          if (kernelWidth == 3 && stride == 1 && dilation == 1) {
            threeTaps(first + c, taps + c, rows, row, pixel, tapStep, out + c);
          } else {
            fourPixels(true, first + c, taps + c, rows, kernelWidth, down, step, next, pixel, tapStep, out + c);
          }
        }
        for (; c < pixel; c += 4) {
          fourPixels(false, first + c, taps + c, rows, kernelWidth, down, step, next, pixel, tapStep, out + c);
        }
        column += 4;
        continue;
      }
      const kxBegin = isInside && column < end ? 0 : firstInside(offset, dilation);
      const kxEnd = isInside && column < end ? kernelWidth : min(endInside(offset, dilation, width), kernelWidth);
      const first = start + <usize> (offset + kxBegin * dilation) * pixel, tap = taps + <usize> kxBegin * tapStep;
      const count = kxEnd - kxBegin, tapRow = <usize> kernelWidth * tapStep;
      let c: usize = 0;
      for (; c + VECTOR <= pixel; c += VECTOR) {
        onePixel(true, first + c, tap + c, rows, count, down, step, tapStep, tapRow, out + c);
      }
      for (; c < pixel; c += 4) onePixel(false, first + c, tap + c, rows, count, down, step, tapStep, tapRow, out + c);
      column++;
    }
  }
}

/** One vector of an output pixel, over `rows` x `count` taps. */
@inline
function onePixel(
  wide: bool, x: usize, tap: usize, rows: i32, count: i32, down: usize, step: usize, tapStep: usize, tapRow: usize,
  out: usize,
): void {
  let sum = f32x4.splat(0);
  for (; rows > 0; rows--, x += down, tap += tapRow) {
    let from = x, by = tap;
    for (let kx = 0; kx < count; kx++, from += step, by += tapStep) {
      sum = multiplyAdd(loadLanes(from, wide), loadLanes(by, wide), sum);
    }
  }
  storeLanes(out, sum, wide);
}

/** One vector of four neighbouring output pixels, `next` apart in x: each of the filter's is loaded once for all. */
@inline
function fourPixels(
  wide: bool, x: usize, tap: usize, rows: i32, kernelWidth: i32, down: usize, step: usize, next: usize, pixel: usize,
  tapStep: usize, out: usize,
): void {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (; rows > 0; rows--, x += down) {
    let from = x;
    for (let kx = 0; kx < kernelWidth; kx++, from += step, tap += tapStep) {
      const weight = loadLanes(tap, wide);
      a = multiplyAdd(loadLanes(from, wide), weight, a);
      b = multiplyAdd(loadLanes(from + next, wide), weight, b);
      c = multiplyAdd(loadLanes(from + 2 * next, wide), weight, c);
      d = multiplyAdd(loadLanes(from + 3 * next, wide), weight, d);
    }
  }
  storeLanes(out, a, wide);
  storeLanes(out + pixel, b, wide);
  storeLanes(out + 2 * pixel, c, wide);
  storeLanes(out + 3 * pixel, d, wide);
}

/** The same for three taps side by side, whose pixels overlap: six loads of x where there would be twelve. */
@inline
function threeTaps(x: usize, tap: usize, rows: i32, row: usize, pixel: usize, tapStep: usize, out: usize): void {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (; rows > 0; rows--, x += row, tap += 3 * tapStep) {
    const w0 = v128.load(tap), w1 = v128.load(tap + tapStep), w2 = v128.load(tap + 2 * tapStep);
    const x1 = v128.load(x + pixel), x2 = v128.load(x + 2 * pixel), x3 = v128.load(x + 3 * pixel);
    const x4 = v128.load(x + 4 * pixel);
    a = multiplyAdd(x2, w2, multiplyAdd(x1, w1, multiplyAdd(v128.load(x), w0, a)));
    b = multiplyAdd(x3, w2, multiplyAdd(x2, w1, multiplyAdd(x1, w0, b)));
    c = multiplyAdd(x4, w2, multiplyAdd(x3, w1, multiplyAdd(x2, w0, c)));
    d = multiplyAdd(v128.load(x + 5 * pixel), w2, multiplyAdd(x4, w1, multiplyAdd(x3, w0, d)));
  }
  v128.store(out, a);
  v128.store(out + pixel, b);
  v128.store(out + 2 * pixel, c);
  v128.store(out + 3 * pixel, d);
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
