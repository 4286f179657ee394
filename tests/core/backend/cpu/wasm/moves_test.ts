import assert from "node:assert/strict";
import { createMemory, loadKernels, type WasmKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import { loadThreadedKernels } from "../../../../../core/backend/cpu/wasm/threads.ts";
import type { WasmRuntime } from "../../../../../core/backend/cpu/wasm_runtime.ts";
import { dropoutKernel } from "../../../../../core/kernels/dropout.ts";
import { stridedCopyKernel } from "../../../../../core/kernels/strided_copy.ts";
import { Arena, BINARIES, random } from "./arena.ts";

/** Of the kernels only: none of these takes scratch memory. */
const runtime = (kernels: WasmKernels): WasmRuntime => ({
  kernels,
  scratch: () => assert.fail("scratch was asked for"),
  allocate: () => assert.fail("memory was asked for"),
  release: () => assert.fail("memory was given back"),
});

const DROPOUTS = [1, 3, 4, 7, 100, 4099].flatMap((size) =>
  [0, 0.1, 0.3, Math.fround(0.7), 0.999].map((rate, i) => ({ size, rate, seed: i * 1_000_000_007 }))
);

const order = (shape: number[], axes: number[]) => {
  const [extents, strides] = [Array(6 - axes.length).fill(1), Array(6 - axes.length).fill(0)];
  for (const axis of axes) {
    extents.push(Math.abs(shape[axis]));
    strides.push(shape[axis] < 0 ? 0 : shape.slice(axis + 1).reduce((product, e) => product * Math.max(e, 1), 1));
  }
  const size = extents.reduce((product, extent) => product * extent, 1);
  const [, extent1, extent2, extent3, extent4, extent5] = extents;
  const [stride0, stride1, stride2, stride3, stride4, stride5] = strides;
  const length = shape.reduce((product, extent) => product * Math.max(extent, 1), 1);
  const p = { size, extent1, extent2, extent3, extent4, extent5, stride0, stride1, stride2, stride3, stride4, stride5 };
  return { length, p };
};

// Permutations; a negative extent is a repetition.
const COPIES = [
  order([5, 7], [1, 0]),
  order([2, 9, 3, 8], [0, 2, 1, 3]),
  order([2, 3, 2, 3, 2, 5], [5, 3, 1, 0, 2, 4]),
  order([3, -4, 17], [0, 1, 2]),
  order([-6, 5], [0, 1]),
  order([3, 33], [0, 1]),
  order([11], [0]),
  order([7, -5], [0, 1]),
];

for (const [name, compiled] of BINARIES) {
  Deno.test(`dropout (${name}) gives the plain loop's bits for any size and rate, also in place`, () => {
    for (const { size, rate, seed } of DROPOUTS) {
      const arena = new Arena(loadKernels(createMemory(131072), compiled));
      const values = random(size, seed + 1), expected = new Float32Array(size);
      dropoutKernel.cpu({ input: values, output: expected }, { size, seed, rate }, null);
      const [input, output] = [arena.take(size, values), arena.take(size)];
      const views = (x: Float32Array, y: Float32Array) => ({ input: x, output: y });
      dropoutKernel.cpu(views(input.values, output.values), { size, seed, rate }, runtime(arena.kernels));
      assert.deepEqual(output.values, expected, `${size} at ${rate}`);
      dropoutKernel.cpu(views(input.values, input.values), { size, seed, rate }, runtime(arena.kernels));
      assert.deepEqual(input.values, expected, `${size} at ${rate}, in place`);
      arena.assertUntouched();
    }
  });

  Deno.test(`strided copies (${name}) put every number where the plain loop puts it`, () => {
    for (const { length, p } of COPIES) {
      const arena = new Arena(loadKernels(createMemory(65536), compiled));
      const values = random(length, length), expected = new Float32Array(p.size);
      stridedCopyKernel.cpu({ input: values, output: expected }, p, null);
      const [input, output] = [arena.take(length, values), arena.take(p.size)];
      stridedCopyKernel.cpu({ input: input.values, output: output.values }, p, runtime(arena.kernels));
      assert.deepEqual(output.values, expected, JSON.stringify(p));
      arena.assertUntouched();
    }
  });
}

Deno.test("three threads give the bits of the plain loops", async () => {
  const size = 900_001, rate = 0.25, seed = 5, { length, p } = order([40, 50, 30, 20], [0, 2, 1, 3]);
  const memory = createMemory(8 * size + 8 * length + 128), kernels = await loadThreadedKernels(memory, 3);
  try {
    const [x, y] = [64, 64 + 4 * size].map((begin) => new Float32Array(memory.buffer, begin, size));
    x.set(random(size, 1));
    const dropped = new Float32Array(size);
    dropoutKernel.cpu({ input: x, output: dropped }, { size, seed, rate }, null);
    dropoutKernel.cpu({ input: x, output: y }, { size, seed, rate }, runtime(kernels));
    assert.equal(y.findIndex((value, i) => value !== dropped[i]), -1);
    const [from, to] = [64, 64 + 4 * length].map((begin) => new Float32Array(memory.buffer, begin, length));
    const copied = new Float32Array(length);
    stridedCopyKernel.cpu({ input: from, output: copied }, p, null);
    stridedCopyKernel.cpu({ input: from, output: to }, p, runtime(kernels));
    assert.equal(to.findIndex((value, i) => value !== copied[i]), -1);
  } finally {
    await kernels.close();
  }
});
