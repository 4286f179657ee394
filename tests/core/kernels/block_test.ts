import assert from "node:assert/strict";
import { hardwareKind, softwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { AdapterTraits } from "../../../core/backend/kernel.ts";
import { blockFor } from "../../../core/kernels/block.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import { launchesOn } from "../../support/launches.ts";

const limits = { maxWorkgroupInvocations: 256, maxWorkgroupStorageBytes: 16384, maxWorkgroupsPerDimension: 65535 };
const hardware: AdapterTraits = { ...hardwareKind, ...limits };
const software: AdapterTraits = { ...softwareKind, ...limits };

Deno.test("a block fits the result, the adapter's limits and its threads", () => {
  const block = (rows: number, columns: number, slices = 1, traits = hardware, bytesPerRow = 0) => {
    const { rows: down, columns: across } = blockFor(rows, columns, slices, traits, bytesPerRow);
    return `${down} x ${across}`;
  };
  assert.equal(block(4096, 3072), "128 x 128");
  assert.equal(block(4096, 3072, 1, hardware, 16), "64 x 64", "16384 bytes are taken by the factors alone");
  assert.equal(block(4096, 3072, 1, { ...hardware, maxWorkgroupStorageBytes: 32768 }, 16), "128 x 128");
  assert.equal(block(4096, 3072, 1, { ...hardware, maxWorkgroupInvocations: 128 }), "64 x 64");
  assert.equal(block(512, 512), "64 x 64", "16 large blocks leave too few threads");
  assert.equal(block(512, 512, 64), "128 x 128");
  assert.equal(block(100_000, 27), "128 x 32");
  assert.equal(block(10, 100_000), "32 x 128");
  assert.equal(block(1, 1), "64 x 64");
});

/** Kernels of a computation with their parts and workgroups, without sums and copies. */
function products(traits: AdapterTraits, body: (ops: Ops) => void): string[] {
  return launchesOn(traits, body)
    .filter(({ kernel }) => /gemm|conv2d/.test(kernel))
    .map(({ kernel, parameters: { parts }, launch: { workgroups: [x, y, z] } }) =>
      `${kernel}: ${parts} parts, ${x * y * z} groups`
    );
}

const product = (m: number, n: number, k: number) => (ops: Ops) =>
  void ops.matmul(ops.device.empty([m, k]), ops.device.empty([k, n]));

const convolution = ([n, size, from, to]: readonly number[], taps: number, stride: number) => (ops: Ops) => {
  const x = ops.device.empty([n, size, size, from]);
  const filter = ops.device.empty([to, from, taps, taps]);
  ops.differentiate(() => ops.sum(ops.conv2d(x, filter, { stride, padding: (taps - 1) / 2 })), [x, filter]);
};

Deno.test("on hardware, small results of long sums are cut into parts until there are threads enough", () => {
  assert.deepEqual(products(hardware, product(512, 512, 512)), ["gemm: 4 parts, 256 groups"]);
  assert.deepEqual(products(hardware, product(4096, 768, 768)), ["gemm: 1 parts, 768 groups"]);
  assert.deepEqual(products(hardware, product(48, 16, 4096)), ["gemm: 32 parts, 32 groups"]);
  assert.deepEqual(products(hardware, convolution([128, 28, 16, 16], 3, 1)), [
    "conv2d: 1 parts, 784 groups",
    "conv2d input gradient: 1 parts, 784 groups",
    "conv2d filter gradient: 239 parts, 478 groups",
  ]);
  assert.deepEqual(products(hardware, convolution([32, 56, 64, 128], 3, 2)), [
    "conv2d: 1 parts, 784 groups",
    "conv2d input gradient: 1 parts, 1568 groups",
    "conv2d filter gradient: 28 parts, 504 groups",
  ]);
  assert.deepEqual(products(hardware, convolution([8, 7, 512, 2048], 1, 1)), [
    "conv2d: 2 parts, 448 groups",
    "conv2d input gradient: 9 parts, 504 groups",
    "conv2d filter gradient: 2 parts, 512 groups",
  ]);
});

Deno.test("a software adapter runs what was measured on it", () => {
  assert.deepEqual(products(software, product(512, 512, 512)), ["gemm: 1 parts, 64 groups"]);
  assert.deepEqual(products(software, product(48, 16, 4096)), ["gemm: 32 parts, 8 groups"]);
  assert.deepEqual(products(software, convolution([8, 9, 12, 12], 3, 1)), [
    "conv2d: 1 parts, 3 groups",
    "conv2d input gradient: 1 parts, 3 groups",
    "conv2d filter gradient: 5 parts, 3 groups",
  ]);
});

Deno.test("a bias is added in the first part alone, and keeps a software adapter from cutting", () => {
  const linear = (ops: Ops) =>
    void ops.linear(ops.device.empty([32, 768]), ops.device.empty([768, 768]), ops.device.empty([768]));
  assert.deepEqual(products(hardware, linear), ["gemm: 6 parts, 36 groups"]);
  assert.deepEqual(products(software, linear), ["gemm: 1 parts, 6 groups"]);
});
