import type { Floats } from "../backend/backend.ts";
import type { ConvGeometry } from "./conv_geometry.ts";

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

/** The convolution in plain loops, in parts of so many taps and channels. */
export function forwardLoop(p: ConvGeometry, partDepth: number, x: Floats, filter: Floats, y: Floats): void {
  y.fill(0);
  const size = p.images * p.outHeight * p.outWidth * p.outputs;
  walk(p, (input, tap, output) => {
    for (let i = 0; i < p.inputs; i++) {
      const value = x[input + i];
      const part = Math.floor((tap / p.outputs + i) / partDepth) * size;
      for (let o = 0, at = tap + i * p.outputs; o < p.outputs; o++) y[part + output + o] += value * filter[at + o];
    }
  });
}

/** Its gradient with respect to x, in parts of so many of the taps that see a pixel, and channels. */
export function inputGradientLoop(
  p: ConvGeometry,
  partDepth: number,
  gradient: Floats,
  filter: Floats,
  dx: Floats,
): void {
  dx.fill(0);
  const size = p.images * p.height * p.width * p.inputs;
  walk(p, (input, tap, output) => {
    const index = tap / (p.inputs * p.outputs);
    const [ky, kx] = [Math.floor(index / p.kernelWidth), index % p.kernelWidth];
    // The taps of a pixel are those a stride apart.
    const tapsAcross = Math.ceil((p.kernelWidth - kx % p.stride) / p.stride);
    const first = (Math.floor(ky / p.stride) * tapsAcross + Math.floor(kx / p.stride)) * p.outputs;
    for (let o = 0; o < p.outputs; o++) {
      const part = Math.floor((first + o) / partDepth) * size;
      const value = gradient[output + o];
      for (let i = 0, at = tap + o; i < p.inputs; i++, at += p.outputs) dx[part + input + i] += value * filter[at];
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
