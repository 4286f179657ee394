import assert from "node:assert/strict";
import { createMemory, loadKernels, type WasmKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import { loadThreadedKernels } from "../../../../../core/backend/cpu/wasm/threads.ts";
import type { WasmRuntime } from "../../../../../core/backend/cpu/wasm_runtime.ts";
import { adamwKernel, sgdKernel } from "../../../../../core/kernels/optimisers.ts";
import { squaredNormKernel } from "../../../../../core/kernels/squared_sums.ts";
import { Heap } from "../../../../../core/backend/cpu/heap.ts";
import { BINARIES, random } from "./arena.ts";

const ADAMW = { rate: 0.0123, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.3 };
const CORRECTIONS = { correction1: 1 - 0.9 ** 3, correction2: 1 - 0.999 ** 3 };
const SGD = { rate: 0.0123, momentum: 0.87, weightDecay: 0.3 };
const scale = Float32Array.of(0.7);

/** What the kernels get of a backend. */
function runtimeOf(kernels: WasmKernels, heap: Heap): WasmRuntime {
  const none = () => assert.fail("memory was asked for that stays");
  return { kernels, scratch: (bytes) => heap.allocate(bytes), allocate: none, release: none };
}

/** Numbers as in training: a square is not negative, and some are subnormal, infinite or none. */
function numbersOf(size: number): Record<"gradient" | "parameter" | "first" | "second", Float32Array> {
  const [gradient, parameter, first, second] = [1, 2, 3, 4].map((seed) => random(size, seed));
  for (let i = 0; i < size; i++) second[i] = i % 11 === 0 ? 0 : i % 13 === 0 ? 1e-42 : second[i] ** 2;
  for (let i = 7; i < size; i += 101) gradient[i] = [NaN, Infinity, 0, -0, 1e-40][i % 5];
  return { gradient, parameter, first, second };
}

/** Steps by the plain loops and by kernels in a memory of their own, and what both leave. */
function compare(kernels: WasmKernels, size: number): void {
  const heap = new Heap(kernels.memory);
  const runtime = runtimeOf(kernels, heap);
  const place = (values: Float32Array) => {
    const begin = heap.allocate(4 * size);
    const view = new Float32Array(kernels.memory.buffer, begin, size);
    view.set(values);
    return view;
  };
  const both = (step: (views: ReturnType<typeof numbersOf>, wasm: WasmRuntime | null) => void, what: string) => {
    const plain = numbersOf(size);
    const { gradient, parameter, first, second } = numbersOf(size);
    const fast = {
      gradient: place(gradient),
      parameter: place(parameter),
      first: place(first),
      second: place(second),
    };
    step(plain, null);
    step(fast, runtime);
    for (const name of ["gradient", "parameter", "first", "second"] as const) {
      const at = plain[name].findIndex((value, i) => !Object.is(value, fast[name][i]));
      assert.equal(at, -1, `${what}, ${size} numbers: ${name}[${at}] is ${fast[name][at]} for ${plain[name][at]}`);
    }
  };
  both(({ gradient, parameter, first: mean, second: square }, runtime) => {
    const views = { gradient, gradientScale: scale, parameter, mean, square };
    adamwKernel.cpu(views, { size, ...ADAMW, ...CORRECTIONS }, runtime);
  }, "adamw");
  for (const nesterov of [0, 1]) {
    both(({ gradient, parameter, first: velocity }, runtime) => {
      const views = { gradient, gradientScale: scale, parameter, velocity };
      sgdKernel.cpu(views, { size, ...SGD, nesterov }, runtime);
    }, `sgd, nesterov ${nesterov}`);
  }
}

for (const [name, compiled] of BINARIES) {
  Deno.test(`steps of optimisers (${name}) give the plain loops' bits for any size`, () => {
    for (const size of [1, 2, 3, 16, 17, 1003]) compare(loadKernels(createMemory(131072), compiled), size);
  });

  Deno.test(`a sum of squares (${name}) is that of the plain loop, for any size`, () => {
    for (const size of [1, 7, 8, 9, 1003, 2 ** 14, 2 ** 14 + 1, 50_001]) {
      const kernels = loadKernels(createMemory(2 ** 19), compiled);
      const heap = new Heap(kernels.memory);
      const runtime = runtimeOf(kernels, heap);
      const input = new Float32Array(kernels.memory.buffer, heap.allocate(4 * size), size);
      input.set(random(size, size));
      const [plain, fast] = [null, runtime].map((runtime) => {
        const output = new Float32Array(2).fill(NaN);
        squaredNormKernel.cpu({ input, output }, { size, count: 2, factor: 0.5 }, runtime);
        return output;
      });
      assert.deepEqual(fast, plain, `${size} numbers`);
    }
  });
}

Deno.test("three threads give the bits of one", async () => {
  const size = 300_001;
  const threaded = await loadThreadedKernels(createMemory(40 * size), 3);
  try {
    compare(threaded, size);
    const heap = new Heap(threaded.memory);
    const x = heap.allocate(4 * size), scratch = heap.allocate(threaded.squaresScratch(size));
    new Float32Array(threaded.memory.buffer, x, size).set(random(size, 5));
    const sum = threaded.sumOfSquares(size, x, scratch);
    const alone = loadKernels(threaded.memory);
    assert.equal(sum, alone.sumOfSquares(size, x, scratch));
  } finally {
    await threaded.close();
  }
});
