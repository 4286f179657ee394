import assert from "node:assert/strict";
import {
  compileKernels,
  convOutputSize,
  createMemory,
  loadKernels,
} from "../../../../../core/backend/cpu/wasm/load.ts";
import { buildKernels, GENERATED } from "../../../../../tasks/build_wasm.ts";

Deno.test("the checked-in kernels are what their sources compile to", async () => {
  assert.equal(await Deno.readTextFile(GENERATED), await buildKernels());
});

Deno.test("an engine without relaxed SIMD gets the plain kernels", () => {
  const { validate } = WebAssembly;
  WebAssembly.validate = () => false;
  try {
    const compiled = compileKernels();
    assert.equal(compiled.relaxed, false);
    assert.equal(loadKernels(createMemory(1), compiled).relaxed, false);
  } finally {
    WebAssembly.validate = validate;
  }
  assert.equal(loadKernels(createMemory(1), compileKernels(false)).relaxed, false);
});

Deno.test("views of the memory stay valid when it grows, and kernels reach the new part", () => {
  const memory = createMemory(65536), kernels = loadKernels(memory);
  const old = new Float32Array(memory.buffer, 0, 4);
  old.set([1, 2, 3, 4]);
  memory.grow(1);
  const added = new Float32Array(memory.buffer, 65536, 4);
  kernels.add(4, 0, 0, 65536);
  assert.deepEqual([...added], [2, 4, 6, 8]);
  kernels.add(4, 65536, 65536, 0);
  assert.deepEqual([...old], [4, 8, 12, 16]);
});

Deno.test("pointers and scratch sizes above 2 GiB are not taken for negative numbers", () => {
  const memory = createMemory(2 ** 31 + 65536), kernels = loadKernels(memory);
  const values = new Float32Array(memory.buffer, 2 ** 31, 4);
  values.set([1, 2, 3, 4]);
  kernels.gemm(2, 2, 2, 2 ** 31, 2, false, 2 ** 31, 2, true, 2 ** 31 + 64, 2, false, 2 ** 31 + 128);
  assert.deepEqual([...new Float32Array(memory.buffer, 2 ** 31 + 64, 4)], [5, 11, 11, 25]);
  const side = 16384, shape = { height: side, width: side, inputs: 2, outputs: 1, kernelHeight: 1, kernelWidth: 1 };
  assert(kernels.convScratch({ ...shape, stride: 1, padding: 1 }) > 2 ** 31);
});

Deno.test("an output has one position for each place where the filter fits", () => {
  assert.equal(convOutputSize(28, 3, 1, 1), 28);
  assert.equal(convOutputSize(28, 3, 2, 1), 14);
  assert.equal(convOutputSize(5, 2, 2, 0), 2);
  assert.equal(convOutputSize(3, 7, 2, 0), 0);
});
