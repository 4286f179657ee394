import assert from "node:assert/strict";
import { Heap } from "../../../../core/backend/cpu/heap.ts";
import { createMemory } from "../../../../core/backend/cpu/wasm/load.ts";

Deno.test("blocks are aligned, do not overlap, and come back by size", () => {
  const heap = new Heap(createMemory(1 << 16));
  const sizes = [4, 64, 65, 1000, 5000, 100_000, 1_000_000];
  const begins = sizes.map((bytes) => heap.allocate(bytes));
  begins.forEach((begin, i) => {
    assert.ok(begin > 0 && begin % 64 === 0);
    begins.forEach((other, j) => assert.ok(i === j || other >= begin + sizes[i] || begin >= other + sizes[j]));
  });
  heap.release(begins[3], 1000);
  assert.equal(heap.allocate(1001), begins[3], "the same class");
  assert.notEqual(heap.allocate(1000), begins[3]);
});

Deno.test("views made before the memory grows stay valid", () => {
  const heap = new Heap(createMemory(1 << 16));
  const begin = heap.allocate(400);
  const view = new Float32Array(heap.memory.buffer, begin, 100).fill(7);
  heap.allocate(10_000_000);
  assert.equal(new Float32Array(heap.memory.buffer, begin, 100)[99], 7);
  view[0] = 3;
  assert.equal(new Float32Array(heap.memory.buffer, begin, 100)[0], 3);
});

Deno.test("what 32 bits cannot address is refused with a sentence", () => {
  const heap = new Heap(createMemory(1 << 16));
  assert.throws(() => heap.allocate(2 ** 33), {
    name: "DeviceError",
    message: "Cannot allocate memory beyond 0 MiB as the cpu backend addresses 4096 MiB at most: use a smaller batch " +
      "(train.accumulate keeps the step's size) or fewer cores, or --backend webgpu",
  });
});

Deno.test("large blocks are cut from free ones, and free neighbours become one", () => {
  const MiB = 2 ** 20;
  const heap = new Heap(createMemory(1 << 16));
  const [a, b, c, last] = [3 * MiB, 5 * MiB, 2 * MiB + 64, 1 * MiB].map((bytes) => heap.allocate(bytes));
  const used = heap.memory.buffer.byteLength;
  heap.release(a, 3 * MiB);
  heap.release(c, 2 * MiB + 64);
  assert.equal(heap.allocate(2 * MiB), c, "the smallest that is large enough");
  heap.release(c, 2 * MiB);
  heap.release(b, 5 * MiB);
  assert.equal(heap.allocate(10 * MiB + 64), a, "three neighbours, the middle one freed last");
  assert.equal(heap.memory.buffer.byteLength, used);
  assert.equal(heap.allocate(1 * MiB), last + MiB);
});

Deno.test("a large block begins with what is free at the end, and is refused without a change", () => {
  const MiB = 2 ** 20;
  const heap = new Heap(createMemory(1 << 16));
  heap.allocate(2 * MiB);
  const last = heap.allocate(8 * MiB);
  heap.release(last, 8 * MiB);
  assert.throws(() => heap.allocate(2 ** 33), { name: "DeviceError" });
  assert.equal(heap.allocate(9 * MiB), last);
  assert.ok(heap.memory.buffer.byteLength < 12 * MiB);
  assert.equal(heap.allocate(1 * MiB), last + 9 * MiB);
});

Deno.test("a size that is no whole number is refused, and leaves the heap as it was", () => {
  const heap = new Heap(createMemory(1 << 16));
  const before = heap.allocate(64);
  for (const bytes of [NaN, -4, 1.5, Infinity]) {
    assert.throws(() => heap.allocate(bytes), { name: "RangeError", message: `Cannot allocate ${bytes} bytes` });
  }
  assert.ok(heap.allocate(64) >= before + 64);
});
