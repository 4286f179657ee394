import assert from "node:assert/strict";
import type { Kernel } from "../../../../core/backend/kernel.ts";
import type { WebGpuBackend } from "../../../../core/backend/webgpu/webgpu_backend.ts";
import { findAdapter, openDevice } from "../../../../core/backend/webgpu/adapter.ts";
import { freeze } from "../../../../core/nn/frozen_weights.ts";
import { ParameterStore } from "../../../../core/nn/parameter_store.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { sizeOf } from "../../../../core/tensor.ts";
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

test("a tensor beyond the adapter's limit is refused with what it takes, what there is, and what would help", (backend) => {
  const { limits } = backend.gpu;
  assert.equal(backend.mostNumbers, Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 4);
  const ops = createOps(Object.assign(backend, { mostNumbers: 2 ** 20 }));
  assert.throws(() => ops.full([2, 3, 2 ** 18], 0), {
    name: "UserError",
    message: `Cannot make a tensor of [2, 3, 262144]: it has 6 MiB, and a tensor on "${backend.description}" at most ` +
      "4 MiB; a smaller batchSize, a shorter maxLength or smaller images, a smaller model, or --backend cpu",
  });
  const specs = [{ name: "words", shape: [2 ** 11, 2 ** 10] }];
  assert.throws(() => new ParameterStore(ops, specs), {
    name: "UserError",
    message:
      `Cannot hold the parameter words [2048, 1024]: it has 8 MiB, and a tensor on "${backend.description}" at ` +
      "most 4 MiB; a smaller model, or --backend cpu",
  });
  const before = backend.memory().storages;
  const parameters = [{ name: "bias", shape: [2] }, ...specs];
  const numbers = new Map(parameters.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]));
  assert.throws(() => freeze(ops, { parameters }, numbers), {
    name: "UserError",
    message:
      /^Cannot hold the weight words \[2048, 1024\]: it has 8 MiB, and .* at most 4 MiB; a smaller model, or --backend cpu$/,
  });
  assert.equal(backend.memory().storages, before, "nothing of it is left");
  return Promise.resolve();
});

Deno.test({
  name: "a device has WebGPU's default limits but for the sizes of buffers",
  ignore: !webgpu.available,
  fn: async () => {
    const [large, small] = [await findAdapter(), await findAdapter()];
    const [own, plain] = [await openDevice(large!), await openDevice(small!, { defaultLimits: true })];
    const names = Object.keys(Object.getPrototypeOf(own.limits)) as (keyof GPUSupportedLimits)[];
    const sizes = ["maxStorageBufferBindingSize", "maxBufferSize"];
    assert.ok(names.includes("maxComputeInvocationsPerWorkgroup"), names.join());
    for (const name of names.filter((name) => !sizes.includes(name))) {
      assert.equal(own.limits[name], plain.limits[name], name);
    }
    own.destroy();
    plain.destroy();
  },
});
