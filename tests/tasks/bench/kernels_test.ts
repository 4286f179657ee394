import assert from "node:assert/strict";
import { matmul } from "../../../core/ops/matmul.ts";
import { BATCHES, type KernelCase, kernelCases } from "../../../tasks/bench/kernels/cases.ts";
import { measureKernel } from "../../../tasks/bench/kernels/measure.ts";
import { type KernelReport, kernelTable } from "../../../tasks/bench/kernels/report.ts";
import { kernelSchema } from "../../../tasks/bench/collect.ts";
import { reportOf } from "../../../tasks/doctor.ts";
import { testBackends, webgpu } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";

const CEILING = { adapter: "GPU", gflops: 100, gigabytesPerSecond: 10 };

const product: KernelCase = {
  network: "BERT-base",
  name: "product",
  size: "64 x 64 x 64",
  prepare: (ops) => {
    const [a, b] = [1, 2].map((value) => ops.full([64, 64], value));
    return { reads: [a, b], compute: () => [matmul.forward(ops.device, a, b, {}).output] };
  },
};

testBackends("a kernel is timed with its bytes and operations, and its shares follow from them", async (backend) => {
  const row = await measureKernel(backend, product, CEILING);
  assert.equal(row.reason, undefined);
  assert.ok(row.seconds! > 0 && row.seconds! < 1, `${row.seconds}`);
  assert.deepEqual([row.bytes, row.operations, row.dispatches, row.error], [4 * 3 * 64 ** 2, 2 * 64 ** 3, 1, 0]);
  const shares = [row.bytes! / row.seconds! / 1e10, row.operations! / row.seconds! / 1e11];
  assertClose([row.ofBandwidth!, row.ofPeak!], shares, 1e-12);
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
}, [webgpu]);

testBackends(
  "a kernel that computes something else than the cpu, or cannot run, has a reason and no time",
  async (backend) => {
    const wrong: KernelCase = {
      ...product,
      prepare: (ops) => {
        const x = ops.full([64], ops.backend.name === "cpu" ? 1 : 2);
        return { reads: [x], compute: () => [ops.square(x)] };
      },
    };
    const { network, name, size } = product;
    assert.deepEqual(await measureKernel(backend, wrong, CEILING), {
      network,
      name,
      size,
      error: 3,
      reason: "wrong by 3e+0",
    });
    Object.assign(backend, { mostNumbers: 1000 });
    const { reason, seconds } = await measureKernel(backend, product, CEILING);
    assert.match(reason!, /^Cannot make a tensor of \[64, 64\]: /);
    assert.equal(seconds, undefined);
  },
  [webgpu],
);

Deno.test("the cases have different names, and those of a smaller batch are the same ones", () => {
  const [full, reduced] = [BATCHES.full, BATCHES.reduced].map(kernelCases);
  assert.equal(new Set(full.map(({ network, name, size }) => [network, name, size].join())).size, full.length);
  assert.deepEqual(full.map(({ name }) => name), reduced.map(({ name }) => name));
});

const REPORT: KernelReport = {
  ceiling: CEILING,
  batch: 2,
  rows: [
    {
      network: "BERT-base",
      name: "product",
      size: "64 x 64",
      seconds: 0.002,
      bytes: 4e6,
      operations: 5e7,
      dispatches: 2,
      ofBandwidth: 0.2,
      ofPeak: 0.25,
      error: 0,
    },
    { network: "chain", name: "merged", size: "5 cores", error: 3, reason: "wrong by 3e+0" },
  ],
};

Deno.test("the table of kernels has times and shares, and says what is not there", () => {
  assert.deepEqual(kernelTable(REPORT), [
    "network    kernel   size       ms    MB   GFLOP  GB/s  GFLOPS  of copy  of peak  dispatches",
    "BERT-base  product  64 x 64  2.00  4.00  0.0500  2.00    25.0     20 %     25 %           2",
    "chain      merged   5 cores     -     -       -     -       -        -        -           -  wrong by 3e+0",
    "ceiling    GPU                  -     -       -  10.0     100    100 %    100 %           -",
    "Batches of 2. Shares are of the last row: of what a copying kernel moves, and of multiply-adds in registers.",
    "They pass 100 % where numbers stay in a cache, and where Winograd's convolution needs fewer operations than counted.",
  ]);
});

Deno.test("the machine's report is JSON with adapter, limits, self-test and kernels", async () => {
  const report = JSON.parse(JSON.stringify(await reportOf(() => Promise.resolve(REPORT))));
  assert.deepEqual(Object.keys(report), ["opdf", "deno", "system", "processors", "adapters", "selfTest", "kernels"]);
  assert.match(report.opdf, /^\d+\.\d+\.\d+$/);
  assert.ok(report.processors >= 1);
  const checks = ["matrix product", "merged chain"].map((name) => ({ name, passed: true }));
  for (
    const [backend, results] of Object.entries<{ name: string; passed: boolean; error: number }[]>(report.selfTest)
  ) {
    assert.deepEqual(results.map(({ name, passed }) => ({ name, passed })), checks, backend);
    assert.ok(results.every(({ error }) => error >= 0 && error < 1e-5), backend);
  }
  if (report.adapters.length === 0) assert.deepEqual([Object.keys(report.selfTest), report.kernels], [["cpu"], null]);
  else {
    assert.deepEqual(Object.keys(report.selfTest), ["cpu", "webgpu"]);
    const [{ name, software, limits, features }] = report.adapters;
    assert.deepEqual([typeof name, typeof software, Array.isArray(features)], ["string", "boolean", true]);
    assert.ok(limits.maxBufferSize >= 2 ** 28 && limits.maxStorageBufferBindingSize >= 2 ** 27);
    assert.deepEqual(kernelSchema.parse(report.kernels), REPORT);
  }
});
