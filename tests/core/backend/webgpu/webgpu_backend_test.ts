import assert from "node:assert/strict";
import type { Kernel } from "../../../../core/backend/kernel.ts";
import type { WebGpuBackend } from "../../../../core/backend/webgpu/webgpu_backend.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { testBackends, webgpu } from "../../../support/backends.ts";
import { assertClose } from "../../../support/numbers.ts";

const test = (name: string, body: (backend: WebGpuBackend) => Promise<void>) =>
  testBackends(name, (backend) => body(backend as WebGpuBackend), [webgpu]);

/** A kernel that is not registered, with a shader of the test's own. */
const kernelOf = (code: string): Kernel<"output", "size"> => ({
  name: "test",
  reads: {},
  writes: { output: "f32" },
  parameters: { size: "u32" },
  launch: () => ({ code, entryPoint: "main", workgroups: [1, 1, 1] }),
  cpu: () => {},
});

test("a shader that does not compile is an error at the next read, not silence", async (backend) => {
  const ops = createOps(backend);
  const output = ops.full([4], 1);
  ops.device.run(kernelOf("@compute @workgroup_size(1) fn main() { nonsense"), { output }, { size: 4 });
  await assert.rejects(output.read(), { name: "DeviceError", message: /^The GPU refused a command: / });
});

test("a lost device is an error that says what to do", async (backend) => {
  const ops = createOps(backend);
  const output = ops.full([4], 1);
  await output.read();
  backend.gpu.destroy();
  await assert.rejects(output.read(), {
    name: "DeviceError",
    message: /^The GPU was lost \(destroyed: .*\); --backend cpu computes without it$/,
  });
});

test("dispatches are sent in batches, with the parameters of each", async (backend) => {
  const ops = createOps(backend);
  const sums = Array.from({ length: 300 }, (_, index) => ops.full([3], index));
  const read = await ops.read(sums);
  read.forEach((numbers, index) => assertClose(numbers, [index, index, index], 0));
  const { dispatches, submits } = backend.work();
  assert.equal(dispatches, 300);
  assert.equal(submits, 3, "128 dispatches a submit");
});

test("views of all sizes are read in one wait, in their order", async (backend) => {
  const ops = createOps(backend);
  const whole = ops.tensor(Float32Array.from({ length: 200 }, (_, i) => i));
  const lengths = [3, 2 ** 20 + 1, 1, 2 ** 20 - 1, 2, 5];
  const parts = lengths.map((length, index) => ops.full([length], index));
  const read = await ops.read([...parts, ops.device.alias(whole, [7], 64)]);
  assert.deepEqual(read.map(({ length }) => length), [...lengths, 7]);
  lengths.forEach((length, index) => assert.deepEqual([read[index][0], read[index][length - 1]], [index, index]));
  assertClose(read[6], [64, 65, 66, 67, 68, 69, 70], 0);
});

test("memory that a scope gave back is used again, and data written later does not overtake", async (backend) => {
  const ops = createOps(backend);
  const results = Array.from({ length: 20 }, (_, index) =>
    ops.scope(() => {
      // Every round writes into the buffer that the round before has just given back.
      const x = ops.tensor(new Float32Array(1000).fill(index));
      return ops.sum(ops.add(x, x));
    }));
  const read = await ops.read(results);
  assert.deepEqual(read.map(([value]) => value), results.map((_, index) => 2000 * index));
});

test("a tensor beyond the adapter's limit is refused with both numbers", (backend) => {
  const most = backend.gpu.limits.maxStorageBufferBindingSize;
  assert.throws(() => backend.allocate(most / 4 + 1), {
    name: "RangeError",
    message: new RegExp(`^Cannot allocate ${most + 4} bytes on ".*" as one tensor may have ${most} there`),
  });
  return Promise.resolve();
});
