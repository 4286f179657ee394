import type { Floats } from "../backend/backend.ts";
import { walkTaps } from "./conv_taps.ts";
import type { DepthwiseGeometry } from "./depthwise.ts";

/** The convolution in plain loops. */
export function forwardLoop(p: DepthwiseGeometry, x: Floats, filters: Floats, y: Floats): void {
  y.fill(0);
  walkTaps(p, ({ input, tap, output }) => {
    const [from, by, to] = [input * p.channels, tap * p.channels, output * p.channels];
    for (let c = 0; c < p.channels; c++) y[to + c] += x[from + c] * filters[by + c];
  });
}

/** Its gradient with respect to x. */
export function inputGradientLoop(p: DepthwiseGeometry, gradient: Floats, filters: Floats, dx: Floats): void {
  dx.fill(0);
  walkTaps(p, ({ input, tap, output }) => {
    const [to, by, from] = [input * p.channels, tap * p.channels, output * p.channels];
    for (let c = 0; c < p.channels; c++) dx[to + c] += gradient[from + c] * filters[by + c];
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
  const taps = p.kernelHeight * p.kernelWidth;
  walkTaps(p, ({ input, tap, output, line }) => {
    const to = (Math.floor(line / partRows) * taps + tap) * p.channels;
    const [from, by] = [input * p.channels, output * p.channels];
    for (let c = 0; c < p.channels; c++) partials[to + c] += x[from + c] * gradient[by + c];
  });
}
