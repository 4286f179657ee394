import { Device } from "../../../core/device.ts";
import { convFilterGradientKernel, convForwardKernel, convInputGradientKernel } from "../../../core/kernels/conv2d.ts";
import type { ConvGeometry } from "../../../core/kernels/conv_geometry.ts";
import { backends, float64, hardware, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

function geometry(
  [images, height, width, inputs]: readonly number[],
  [kernelHeight, kernelWidth, outputs]: readonly number[],
  stride = 1,
  padding = 0,
): ConvGeometry {
  const outHeight = Math.floor((height + 2 * padding - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - kernelWidth) / stride) + 1;
  return { images, height, width, inputs, outHeight, outWidth, outputs, kernelHeight, kernelWidth, stride, padding };
}

const cases: readonly ConvGeometry[] = [
  geometry([1, 1, 1, 1], [1, 1, 1]),
  geometry([2, 5, 7, 3], [3, 3, 5], 1, 1),
  geometry([1, 6, 6, 8], [3, 3, 16], 1, 1),
  geometry([2, 7, 6, 5], [3, 3, 4], 2, 1),
  geometry([3, 9, 8, 4], [5, 4, 12], 3, 2),
  geometry([2, 6, 6, 1], [1, 1, 7], 2),
  geometry([1, 11, 3, 2], [2, 3, 20], 1, 3),
  // The stride skips pixels altogether.
  geometry([2, 8, 9, 3], [2, 2, 4], 4),
  // Pixels behind the last window, which nothing sees.
  geometry([1, 6, 6, 9], [3, 3, 9], 2),
  // A tile of eight pixels reaches over several rows, and over several images.
  geometry([5, 3, 2, 4], [3, 3, 8], 2, 1),
  geometry([11, 1, 1, 3], [3, 3, 4], 1, 1),
  // Vectors of channels and single ones, on both sides, over the edges of blocks of hardware.
  geometry([2, 7, 6, 16], [3, 3, 64], 1, 1),
  geometry([1, 9, 8, 64], [1, 1, 130], 1),
  geometry([2, 5, 7, 17], [5, 3, 64], 2, 1),
  geometry([1, 6, 5, 130], [3, 3, 17], 2, 1),
  geometry([1, 12, 13, 64], [3, 3, 16], 1, 1),
];

/** How sums are cut: rows of output pixels of the filter's gradient, taps and channels of the others. */
interface Cut {
  readonly partRows: number;
  readonly partDepth: number;
}

/** The longest sums over taps and channels: of the output, and of a pixel's gradient, which only some taps see. */
const depthsOf = (p: ConvGeometry) => ({
  y: p.kernelHeight * p.kernelWidth * p.inputs,
  dx: Math.ceil(p.kernelHeight / p.stride) * Math.ceil(p.kernelWidth / p.stride) * p.outputs,
});

/** Every product of the definition: input pixel and channel, filter tap and channels, output pixel and channel. */
function reference(
  p: ConvGeometry,
  x: Float64Array,
  filter: Float64Array,
  gradient: Float64Array,
  { partRows, partDepth }: Cut,
) {
  const rows = p.images * p.outHeight;
  const depths = depthsOf(p);
  const y = new Float64Array(gradient.length * Math.ceil(depths.y / partDepth));
  const dx = new Float64Array(x.length * Math.ceil(depths.dx / partDepth));
  /** How many taps of an axis before this one are seen from the same pixels, and how many there are. */
  const before = (tap: number) => Math.floor(tap / p.stride);
  const together = (tap: number, taps: number) =>
    Array.from({ length: taps }, (_, other) => other).filter((other) => (other - tap) % p.stride === 0).length;
  const partial = new Float64Array(Math.ceil(rows / partRows) * filter.length);
  for (let line = 0; line < rows; line++) {
    for (let column = 0; column < p.outWidth; column++) {
      for (let tap = 0; tap < p.kernelHeight * p.kernelWidth; tap++) {
        const row = (line % p.outHeight) * p.stride + Math.floor(tap / p.kernelWidth) - p.padding;
        const left = column * p.stride + tap % p.kernelWidth - p.padding;
        if (row < 0 || left < 0 || row >= p.height || left >= p.width) continue;
        const [ky, kx] = [Math.floor(tap / p.kernelWidth), tap % p.kernelWidth];
        const ofInput = (before(ky) * together(kx, p.kernelWidth) + before(kx)) * p.outputs;
        for (let i = 0; i < p.inputs; i++) {
          for (let o = 0; o < p.outputs; o++) {
            const at = ((Math.floor(line / p.outHeight) * p.height + row) * p.width + left) * p.inputs + i;
            const weight = (tap * p.inputs + i) * p.outputs + o;
            const out = (line * p.outWidth + column) * p.outputs + o;
            y[Math.floor((tap * p.inputs + i) / partDepth) * gradient.length + out] += x[at] * filter[weight];
            dx[Math.floor((ofInput + o) / partDepth) * x.length + at] += gradient[out] * filter[weight];
            partial[Math.floor(line / partRows) * filter.length + weight] += x[at] * gradient[out];
          }
        }
      }
    }
  }
  return { y, dx, partial };
}

testBackends("convolution and its gradients are the definition's sums", async (backend) => {
  const device = new Device(backend);
  for (const p of cases) {
    const [rows, inputSize] = [p.images * p.outHeight, p.images * p.height * p.width * p.inputs];
    const x = pseudoRandom(1, inputSize);
    const filter = pseudoRandom(2, p.kernelHeight * p.kernelWidth * p.inputs * p.outputs);
    const gradient = pseudoRandom(3, rows * p.outWidth * p.outputs);
    // Tiles of a software adapter sum over all taps and channels.
    const depth = Math.max(...Object.values(depthsOf(p)));
    const cut = (partRows: number, partDepth: number): Cut => ({
      partRows,
      partDepth: backend.traits?.software ? depth : partDepth,
    });
    for (const parts of [cut(rows, depth), cut(3, 48), cut(1, 16), cut(2, 7)]) {
      const expected = reference(p, x, filter, gradient, parts);
      const tensors = { x: device.tensor(x), filter: device.tensor(filter), gradient: device.tensor(gradient) };
      // Not a number, so that an element that is never written shows.
      const [y, dx, partial] = [expected.y, expected.dx, expected.partial]
        .map(({ length }) => device.full([length], Number.NaN));
      const { partRows, partDepth } = parts;
      device.run(convForwardKernel, { x: tensors.x, filters: tensors.filter, y }, {
        ...p,
        partDepth,
        parts: y.size / gradient.length,
      });
      device.run(convInputGradientKernel, { gradient: tensors.gradient, filters: tensors.filter, dx }, {
        ...p,
        partDepth,
        parts: dx.size / x.length,
      });
      device.run(convFilterGradientKernel, { x: tensors.x, gradient: tensors.gradient, partials: partial }, {
        ...p,
        parts: partial.size / filter.length,
        partRows,
      });
      const read = await device.read([y, dx, partial]);
      const what = JSON.stringify({ ...p, ...parts });
      assertClose(read[0], expected.y, 1e-5, `output of ${what}`);
      assertClose(read[1], expected.dx, 1e-5, `input gradient of ${what}`);
      assertClose(read[2], expected.partial, 1e-5, `filter gradient of ${what}`);
    }
  }
}, [float64, ...backends, hardware]);

testBackends("what stands beyond the end of a sum is not even multiplied by zero", async (backend) => {
  const device = new Device(backend);
  const p = { ...geometry([1, 1, 5, 3], [1, 3, 5]), parts: 1, partDepth: 9 };
  const x = new Float64Array(15);
  x[2 * 3 + 2] = Infinity; // the last channel of the pixel that all three see, one by its last tap
  const [images, filters] = [device.tensor(x), device.full([9 * 5], 1)];
  const y = device.empty([3 * 5]);
  device.run(convForwardKernel, { x: images, filters, y }, p);
  assertClose((await device.read([y]))[0].map((value) => value === Infinity ? 1 : 0), Array(15).fill(1), 0, "output");
}, [float64, ...backends, hardware]);
