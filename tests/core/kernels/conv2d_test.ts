import { Device } from "../../../core/device.ts";
import {
  convFilterGradientKernel,
  convForwardKernel,
  type ConvGeometry,
  convInputGradientKernel,
} from "../../../core/kernels/conv2d.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
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
];

/** Every product of the definition: input pixel and channel, filter tap and channels, output pixel and channel. */
function reference(p: ConvGeometry, x: Float64Array, filter: Float64Array, gradient: Float64Array, partRows: number) {
  const rows = p.images * p.outHeight;
  const y = new Float64Array(gradient.length);
  const dx = new Float64Array(x.length);
  const partial = new Float64Array(Math.ceil(rows / partRows) * filter.length);
  for (let line = 0; line < rows; line++) {
    for (let column = 0; column < p.outWidth; column++) {
      for (let tap = 0; tap < p.kernelHeight * p.kernelWidth; tap++) {
        const row = (line % p.outHeight) * p.stride + Math.floor(tap / p.kernelWidth) - p.padding;
        const left = column * p.stride + tap % p.kernelWidth - p.padding;
        if (row < 0 || left < 0 || row >= p.height || left >= p.width) continue;
        for (let i = 0; i < p.inputs; i++) {
          for (let o = 0; o < p.outputs; o++) {
            const at = ((Math.floor(line / p.outHeight) * p.height + row) * p.width + left) * p.inputs + i;
            const weight = (tap * p.inputs + i) * p.outputs + o;
            const out = (line * p.outWidth + column) * p.outputs + o;
            y[out] += x[at] * filter[weight];
            dx[at] += gradient[out] * filter[weight];
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
    for (const partRows of [rows, 3, 1]) {
      const expected = reference(p, x, filter, gradient, partRows);
      const tensors = { x: device.tensor(x), filter: device.tensor(filter), gradient: device.tensor(gradient) };
      // Not a number, so that an element that is never written shows.
      const [y, dx, partial] = [expected.y, expected.dx, expected.partial]
        .map(({ length }) => device.full([length], Number.NaN));
      device.run(convForwardKernel, { x: tensors.x, filters: tensors.filter, y }, p);
      device.run(convInputGradientKernel, { gradient: tensors.gradient, filters: tensors.filter, dx }, p);
      const parts = Math.ceil(rows / partRows);
      device.run(convFilterGradientKernel, { x: tensors.x, gradient: tensors.gradient, partials: partial }, {
        ...p,
        parts,
        partRows,
      });
      const read = await device.read([y, dx, partial]);
      const what = JSON.stringify({ ...p, partRows });
      assertClose(read[0], expected.y, 1e-5, `output of ${what}`);
      assertClose(read[1], expected.dx, 1e-5, `input gradient of ${what}`);
      assertClose(read[2], expected.partial, 1e-5, `filter gradient of ${what}`);
    }
  }
}, [float64, ...backends]);
