import type { Floats } from "../backend/backend.ts";
import type { DepthwiseGeometry } from "./depthwise.ts";

/** Every output pixel with every tap that falls into the image, as the positions of their first channels. */
function walk(p: DepthwiseGeometry, visit: (input: number, tap: number, output: number, line: number) => void): void {
  for (let line = 0; line < p.images * p.outHeight; line++) {
    const image = Math.floor(line / p.outHeight);
    for (let x = 0; x < p.outWidth; x++) {
      for (let ky = 0; ky < p.kernelHeight; ky++) {
        const row = line % p.outHeight * p.stride + ky * p.dilation - p.padding;
        if (row < 0 || row >= p.height) continue;
        for (let kx = 0; kx < p.kernelWidth; kx++) {
          const column = x * p.stride + kx * p.dilation - p.padding;
          if (column < 0 || column >= p.width) continue;
          const [pixel, tap] = [(image * p.height + row) * p.width + column, ky * p.kernelWidth + kx];
          visit(pixel * p.channels, tap * p.channels, (line * p.outWidth + x) * p.channels, line);
        }
      }
    }
  }
}

/** The convolution in plain loops. */
export function forwardLoop(p: DepthwiseGeometry, x: Floats, filters: Floats, y: Floats): void {
  y.fill(0);
  walk(p, (input, tap, output) => {
    for (let c = 0; c < p.channels; c++) y[output + c] += x[input + c] * filters[tap + c];
  });
}

/** Its gradient with respect to x. */
export function inputGradientLoop(p: DepthwiseGeometry, gradient: Floats, filters: Floats, dx: Floats): void {
  dx.fill(0);
  walk(p, (input, tap, output) => {
    for (let c = 0; c < p.channels; c++) dx[input + c] += gradient[output + c] * filters[tap + c];
  });
}

/** Its gradient with respect to the filters, in parts of so many rows of output pixels. */
export function filterGradientLoop(
  p: DepthwiseGeometry,
  partRows: number,
  x: Floats,
  gradient: Floats,
  partials: Floats,
): void {
  partials.fill(0);
  const size = p.kernelHeight * p.kernelWidth * p.channels;
  walk(p, (input, tap, output, line) => {
    const at = Math.floor(line / partRows) * size + tap;
    for (let c = 0; c < p.channels; c++) partials[at + c] += x[input + c] * gradient[output + c];
  });
}
