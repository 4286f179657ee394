import assert from "node:assert/strict";
import { Device } from "../../../core/device.ts";
import type { ConvGeometry } from "../../../core/kernels/conv_geometry.ts";
import { filterGradientLoop, forwardLoop, inputGradientLoop } from "../../../core/kernels/conv2d_loops.ts";
import { matrices, type Matrix } from "../../../core/kernels/winograd_matrices.ts";
import {
  suitsWinograd,
  winogradFilterGradient,
  winogradForward,
  winogradInputGradient,
} from "../../../core/ops/winograd.ts";
import { backends, cpu, float64, testBackends, webgpu } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

function geometry(images: number, height: number, width: number, inputs: number, outputs: number, padding: number) {
  const [outHeight, outWidth] = [height, width].map((size) => size + 2 * padding - 2);
  const sizes = { images, height, width, inputs, outHeight, outWidth, outputs };
  return { ...sizes, kernelHeight: 3, kernelWidth: 3, stride: 1, padding } satisfies ConvGeometry;
}

const cases = [
  geometry(2, 8, 4, 3, 2, 1), // whole tiles
  geometry(1, 7, 9, 1, 5, 0), // tiles that reach over the edge
  geometry(1, 5, 6, 2, 1, 2),
  geometry(3, 1, 2, 2, 3, 1), // an image smaller than a tile
];

/** `[out, in, 3, 3]` to the `[3, 3, in, out]` of the plain loops. */
function arranged(stored: Float64Array, { inputs, outputs }: ConvGeometry): Float64Array {
  return stored.map((_, index) => {
    const [tap, i, o] = [Math.floor(index / (inputs * outputs)), Math.floor(index / outputs) % inputs, index % outputs];
    return stored[(o * inputs + i) * 9 + tap];
  });
}

testBackends("Winograd's algorithm gives the sums of the definition", async (backend) => {
  const device = new Device(backend);
  for (const p of cases) {
    const what = JSON.stringify(p);
    const [pixels, outPixels] = [p.images * p.height * p.width, p.images * p.outHeight * p.outWidth];
    const x = pseudoRandom(1, pixels * p.inputs);
    const stored = pseudoRandom(2, 9 * p.inputs * p.outputs);
    const gradient = pseudoRandom(3, outPixels * p.outputs);
    const filter = arranged(stored, p);
    const [y, dx, dfilter] = [gradient, x, filter].map(({ length }) => new Float64Array(length));
    forwardLoop(p, Infinity, x, filter, y);
    inputGradientLoop(p, Infinity, gradient, filter, dx);
    filterGradientLoop(p, p.images * p.outHeight, x, gradient, dfilter);

    const images = device.tensor(x, [p.images, p.height, p.width, p.inputs]);
    const weight = device.tensor(stored, [p.outputs, p.inputs, 3, 3]);
    const g = device.tensor(gradient, [p.images, p.outHeight, p.outWidth, p.outputs]);
    const forward = winogradForward(device, p, images, weight);
    const results = [
      forward.y,
      winogradInputGradient(device, p, g, weight, "f32"),
      winogradFilterGradient(device, p, forward.squares, g),
    ];
    const [actualY, actualDx, actualDfilter] = await device.read(results);
    const tolerance = backend.precision === "float64" ? 1e-13 : 1e-5;
    assertClose(actualY, y, tolerance, `output of ${what}`);
    assertClose(actualDx, dx, tolerance, `input gradient of ${what}`);
    assertClose(arranged(Float64Array.from(actualDfilter), p), dfilter, tolerance, `filter gradient of ${what}`);
  }
}, [float64, ...backends]);

Deno.test("a correlation along a line is the interpolation of products at the points", () => {
  const multiply = (matrix: Matrix, line: readonly number[]) =>
    matrix.map((row) => row.reduce((sum, value, index) => sum + value * line[index], 0));
  const products = (a: readonly number[], b: readonly number[]) => a.map((value, index) => value * b[index]);
  const pixels = [3, -1, 4, 1, -5, 9];
  const seen = multiply(matrices.pixels, pixels);
  const close = (actual: readonly number[], expected: readonly number[]) =>
    actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${actual} against ${expected}`));
  close(multiply(matrices.result, products(seen, multiply(matrices.filter, [2, -7, 1]))), [17, -29, -4, 46]);
  close(multiply(matrices.filterGradient, products(seen, multiply(matrices.gradient, [2, -7, 1, 8]))), [25, -69, 68]);
});

testBackends("only a GPU takes it, and only for 3 x 3 taps, stride 1 and many channels", (backend) => {
  const device = new Device(backend);
  const p = geometry(1, 8, 8, 64, 64, 1);
  assert.equal(suitsWinograd(device, p), backend.name === "webgpu");
  assert.equal(suitsWinograd(device, { ...p, stride: 2 }), false);
  assert.equal(suitsWinograd(device, { ...p, kernelWidth: 1 }), false);
  assert.equal(suitsWinograd(device, { ...p, padding: 3 }), false);
  assert.equal(suitsWinograd(device, { ...p, inputs: 3 }), false);
  // Its squares would be a tensor of more than 128 MiB.
  assert.equal(suitsWinograd(device, geometry(256, 56, 56, 64, 64, 1)), false);
}, [cpu, webgpu]);
