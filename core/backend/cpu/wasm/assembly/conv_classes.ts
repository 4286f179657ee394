// Which taps of a convolution reach which pixels of its input, seen from the input.
//
// The input row i takes part in the output rows u - t, u = (i + padding) / stride, through the kernel rows
// r + t * stride, r = (i + padding) % stride. So the input pixels fall into stride * stride classes by their
// remainders, and the input gradient of each class is an ordinary convolution of dy, of stride 1, with the taps of that
// class, last one first. The zeros that a strided convolution would put between the pixels of dy are never multiplied.

import { tableBytes } from "./images";

/** How many taps of a kernel axis belong to the remainder r. */
@inline
export function classTaps(kernel: i32, r: i32, stride: i32): i32 {
  return max((kernel - r + stride - 1) / stride, 0);
}

/** The first position along an axis of the input with the remainder r. */
@inline
export function classFirst(r: i32, stride: i32, padding: i32): i32 {
  return (r + stride - padding % stride) % stride;
}

/** How many positions along an axis of the input have the remainder r. */
@inline
export function classSize(size: i32, r: i32, stride: i32, padding: i32): i32 {
  return max((size - classFirst(r, stride, padding) + stride - 1) / stride, 0);
}

/** Length of an axis of dy with zeros: before it as far as the longest class reaches, after it up to the last u. */
@inline
export function borderedSize(size: i32, outSize: i32, kernel: i32, stride: i32, padding: i32): i32 {
  return classTaps(kernel, 0, stride) - 1 + max(outSize, (size - 1 + padding) / stride + 1);
}

/** Bytes of the tables of all classes, each filled up to whole tiles. */
export function classTables(count: i32, height: i32, width: i32, stride: i32, padding: i32): usize {
  let bytes: usize = 0;
  for (let r = 0; r < stride; ++r) {
    for (let s = 0; s < stride; ++s) {
      bytes += tableBytes(count * classSize(height, r, stride, padding) * classSize(width, s, stride, padding));
    }
  }
  return bytes;
}
