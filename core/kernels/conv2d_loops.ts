import type { Floats } from "../backend/backend.ts";
import type { ConvGeometry } from "./conv2d.ts";

/**
 * Walks through what a convolution multiplies: every output pixel with every tap that falls into the image, as the
 * positions of the pixels' and the tap's first channels.
 */
function walk(
  p: ConvGeometry,
  visit: (input: number, tap: number, output: number, line: number) => void,
): void {
  for (let line = 0; line < p.images * p.outHeight; line++) {
    const image = Math.floor(line / p.outHeight);
    const top = (line % p.outHeight) * p.stride - p.padding;
    for (let x = 0; x < p.outWidth; x++) {
      const left = x * p.stride - p.padding;
      const output = (line * p.outWidth + x) * p.outputs;
      for (let ky = Math.max(0, -top); ky < Math.min(p.kernelHeight, p.height - top); ky++) {
        for (let kx = Math.max(0, -left); kx < Math.min(p.kernelWidth, p.width - left); kx++) {
          const input = ((image * p.height + top + ky) * p.width + left + kx) * p.inputs;
          visit(input, (ky * p.kernelWidth + kx) * p.inputs * p.outputs, output, line);
        }
      }
    }
  }
}

/** The convolution in plain loops. */
export function forwardLoop(p: ConvGeometry, x: Floats, filter: Floats, y: Floats): void {
  y.fill(0);
  walk(p, (input, tap, output) => {
    for (let i = 0; i < p.inputs; i++) {
      const value = x[input + i];
      for (let o = 0, at = tap + i * p.outputs; o < p.outputs; o++) y[output + o] += value * filter[at + o];
    }
  });
}

/** Its gradient with respect to x. */
export function inputGradientLoop(p: ConvGeometry, gradient: Floats, filter: Floats, dx: Floats): void {
  dx.fill(0);
  walk(p, (input, tap, output) => {
    for (let i = 0; i < p.inputs; i++) {
      let sum = 0;
      for (let o = 0, at = tap + i * p.outputs; o < p.outputs; o++) sum += gradient[output + o] * filter[at + o];
      dx[input + i] += sum;
    }
  });
}

/** Its gradient with respect to the filter, in parts of so many rows of output pixels. */
export function filterGradientLoop(
  p: ConvGeometry,
  partRows: number,
  x: Floats,
  gradient: Floats,
  partial: Floats,
): void {
  partial.fill(0);
  const size = p.kernelHeight * p.kernelWidth * p.inputs * p.outputs;
  walk(p, (input, tap, output, line) => {
    const part = Math.floor(line / partRows) * size;
    for (let i = 0; i < p.inputs; i++) {
      const value = x[input + i];
      for (let o = 0, at = part + tap + i * p.outputs; o < p.outputs; o++) {
        partial[at + o] += value * gradient[output + o];
      }
    }
  });
}
