import assert from "node:assert/strict";
import type { KernelCall } from "../../../../core/backend/program.ts";
import { findAdapter } from "../../../../core/backend/webgpu/adapter.ts";
import { WebGpuBackend } from "../../../../core/backend/webgpu/webgpu_backend.ts";
import { workOf } from "../../../../core/backend/webgpu/work.ts";
import { convForwardKernel } from "../../../../core/kernels/conv2d.ts";
import { gemmKernel } from "../../../../core/kernels/gemm.ts";
import { kernels } from "../../../../core/kernels/kernel.ts";
import "../../../../core/kernels/crf.ts";
import "../../../../core/kernels/embedding.ts";
import "../../../../core/kernels/householder.ts";
import "../../../../core/kernels/jacobi.ts";
import "../../../../core/kernels/pool2d.ts";
import "../../../../core/kernels/viterbi.ts";
import { Tensor } from "../../../../core/tensor.ts";
import { webgpu } from "../../../support/backends.ts";
import { pseudoRandom } from "../../../support/numbers.ts";

const SIZE = 64;
/** A product's work: two operations a multiply-add, and eight for each number of a, b, bias (b again) and c. */
const PRODUCT = 2 * SIZE ** 3 + 8 * 4 * SIZE ** 2;

const product = (a: Tensor, b: Tensor, c: Tensor): KernelCall => ({
  kernel: gemmKernel,
  views: { a: a.view, b: b.view, bias: b.view, c: c.view },
  // deno-fmt-ignore
  parameters: {
    m: SIZE, n: SIZE, k: SIZE, batch: 1,
    aRow: SIZE, aColumn: 1, aBatch: 0, bRow: SIZE, bColumn: 1, bBatch: 0,
    parts: 1, partDepth: SIZE, hasBias: 0,
  },
});

/** Ten products, each of the one before, run singly or as a program: the last one's numbers, and the submits. */
async function tenProducts(workPerSubmit: number, recorded: boolean) {
  const backend = await WebGpuBackend.create((await findAdapter())!, { traits: { workPerSubmit } });
  const [a, x, y] = [1, 2, 3].map((seed) => {
    const tensor = Tensor.allocate(backend, [SIZE, SIZE]);
    backend.write(tensor.view, pseudoRandom(seed, SIZE ** 2, -0.2, 0.2));
    return tensor;
  });
  const calls = Array.from({ length: 10 }, (_, index) => index % 2 === 0 ? product(a, x, y) : product(a, y, x));
  const { submits } = backend.work();
  if (recorded) {
    const program = backend.compile(calls);
    program.run();
    program.dispose();
  } else {
    for (const { kernel, views, parameters } of calls) backend.run(kernel, views, parameters);
  }
  const sent = backend.work().submits - submits;
  const numbers = await x.read();
  await backend.close();
  return { sent, numbers };
}

Deno.test({
  name: "work that is too much for one command buffer is sent in several, with the same results bit for bit",
  ignore: !webgpu.available,
  fn: async () => {
    const whole = await tenProducts(Infinity, true);
    assert.equal(whole.sent, 1);
    assert.ok(whole.numbers.some((value) => value !== 0));
    for (const [most, submits] of [[3 * PRODUCT, 4], [3 * PRODUCT + 1, 3], [5 * PRODUCT, 2], [1, 10]] as const) {
      const recorded = await tenProducts(most, true);
      assert.equal(recorded.sent, submits, `${most} recorded`);
      assert.deepEqual(recorded.numbers, whole.numbers);
      const single = await tenProducts(most, false);
      // What comes last waits for more, or for somebody who reads.
      assert.equal(single.sent, submits - 1, `${most} run singly`);
      assert.deepEqual(single.numbers, whole.numbers);
    }
  },
});

Deno.test({
  name: "a part of a program is not sent with what waited before it",
  ignore: !webgpu.available,
  fn: async () => {
    const backend = await WebGpuBackend.create((await findAdapter())!, { traits: { workPerSubmit: 2 * PRODUCT } });
    const [a, b, c] = [0, 1, 2].map(() => Tensor.allocate(backend, [SIZE, SIZE]));
    const call = product(a, b, c);
    const count = (calls: number) => {
      const program = backend.compile(Array(calls).fill(call));
      const { submits } = backend.work();
      backend.run(call.kernel, call.views, call.parameters);
      program.run();
      program.dispose();
      return backend.work().submits - submits;
    };
    assert.equal(count(1), 1, "together they are one");
    assert.equal(count(3), 3, "what waited, two calls, and one");
    await backend.close();
  },
});

Deno.test("work is counted by sizes: arithmetic where there is much, and each number that is touched", () => {
  const view = (length: number) => ({ storage: { length }, offset: 0, length });
  assert.equal(workOf({ source: view(10), target: view(10) }), 2 * 8 * 10);
  const views = { x: view(2 * 8 * 8 * 3), filters: view(27 * 5), y: view(2 * 6 * 6 * 5) };
  // deno-fmt-ignore
  const parameters = {
    images: 2, height: 8, width: 8, inputs: 3, outHeight: 6, outWidth: 6, outputs: 5,
    kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 0,
  };
  const call = { kernel: convForwardKernel, views, parameters };
  assert.equal(workOf(call), 2 * (2 * 6 * 6 * 5) * 27 + 8 * (384 + 135 + 360));
  const stated = [...kernels().values()].filter(({ operations }) => operations).map(({ name }) => name).sort();
  assert.deepEqual(stated, [
    "average pool",
    "average pool gradient",
    "conv2d",
    "conv2d filter gradient",
    "conv2d input gradient",
    "crf forward",
    "crf forward dx",
    "crf marginals",
    "crf marginals dx",
    "gemm",
    "householder panel",
    "jacobi rotate",
    "jacobi rotations",
    "max pool",
    "max pool gradient",
    "occurrences",
    "project on a panel",
    "subtract a combination of a panel",
    "viterbi",
  ]);
});
