import { createMemory, type DepthwiseShape, loadKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import { filterGradientLoop, forwardLoop, inputGradientLoop } from "../../../../../core/kernels/depthwise_loops.ts";
import { Arena, assertClose, BINARIES, random, type Reference } from "./arena.ts";

/** A geometry, its output sizes filled in. */
function shape(
  [images, height, width, channels]: readonly number[],
  [kernelHeight, kernelWidth]: readonly number[],
  { stride = 1, padding = 0, dilation = 1 },
): DepthwiseShape {
  const extent = (side: number, taps: number) =>
    Math.floor((side + 2 * padding - (taps - 1) * dilation - 1) / stride) + 1;
  const [outHeight, outWidth] = [extent(height, kernelHeight), extent(width, kernelWidth)];
  const filters = { kernelHeight, kernelWidth, stride, padding, dilation };
  return { images, height, width, channels, outHeight, outWidth, ...filters };
}

/** Channels in blocks of sixteen, in vectors and alone; images narrower than filters, and padding beyond them. */
const SHAPES = [
  shape([2, 5, 4, 3], [3, 3], { padding: 1 }),
  shape([1, 6, 7, 16], [3, 3], { padding: 1, stride: 2 }),
  shape([2, 7, 6, 23], [5, 5], { padding: 2 }),
  shape([1, 9, 8, 37], [3, 3], { padding: 2, dilation: 2, stride: 3 }),
  shape([1, 8, 9, 5], [2, 4], { padding: 3, dilation: 2 }),
  shape([3, 3, 2, 4], [1, 1], { padding: 2 }),
  // Wide enough for four pixels at a time, and some left over.
  shape([1, 4, 11, 23], [3, 3], { padding: 1 }),
  shape([1, 5, 13, 21], [5, 5], { padding: 2 }),
  shape([1, 3, 21, 6], [3, 3], { padding: 1, stride: 2 }),
  shape([1, 6, 14, 9], [3, 3], { padding: 2, dilation: 2 }),
  shape([1, 2, 2, 20], [5, 5], { padding: 2, stride: 2 }),
];

/** A result in float64, and the same of absolute values, which bounds the error. */
function reference(length: number, compute: (into: Float64Array, numbers: (of: Float32Array) => Float64Array) => void) {
  const expected: Reference = { sum: new Float64Array(length), magnitude: new Float64Array(length) };
  compute(expected.sum, (of) => Float64Array.from(of));
  compute(expected.magnitude, (of) => Float64Array.from(of, Math.abs));
  return expected;
}

for (const [name, compiled] of BINARIES) {
  Deno.test(`depthwise convolutions and their gradients (${name}) agree with float64`, () => {
    for (const p of SHAPES) {
      const { images, height, width, channels, outHeight, outWidth, kernelHeight, kernelWidth } = p;
      const [pixels, outPixels] = [images * height * width * channels, images * outHeight * outWidth * channels];
      const taps = kernelHeight * kernelWidth * channels, label = JSON.stringify(p);
      const arena = new Arena(loadKernels(createMemory(4 * (3 * pixels + 3 * outPixels + 3 * taps) + 4000), compiled));
      const { kernels } = arena;
      const [x, g, filters] = [pixels, outPixels, taps].map((length, seed) =>
        arena.take(length, random(length, seed + 1))
      );
      const [dx, y, dfilters] = [pixels, outPixels, taps].map((length) => arena.take(length));
      const scratch = arena.take(kernels.depthwiseScratch(p) / 4).pointer;
      kernels.depthwiseForward(p, x.pointer, filters.pointer, y.pointer);
      kernels.depthwiseInputGradient(p, g.pointer, filters.pointer, dx.pointer);
      kernels.depthwiseFilterGradient(p, x.pointer, g.pointer, dfilters.pointer, scratch);
      arena.assertUntouched();

      const most = kernelHeight * kernelWidth;
      assertClose(
        y.values,
        reference(outPixels, (to, of) => forwardLoop(p, of(x.values), of(filters.values), to)),
        most,
        label,
      );
      assertClose(
        dx.values,
        reference(pixels, (to, of) => inputGradientLoop(p, of(g.values), of(filters.values), to)),
        most,
        label,
      );
      const rows = images * outHeight;
      assertClose(
        dfilters.values,
        reference(taps, (to, of) => filterGradientLoop(p, rows, of(x.values), of(g.values), to)),
        rows * outWidth,
        label,
      );
    }
  });
}
