import assert from "node:assert/strict";
import { hardwareKind, softwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { AdapterTraits } from "../../../core/backend/kernel.ts";
import { Device } from "../../../core/device.ts";
import { gemmKernel } from "../../../core/kernels/gemm.ts";
import { backends, float64, hardware, smallHardware, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

const traits: AdapterTraits = {
  ...softwareKind,
  maxWorkgroupInvocations: 256,
  maxWorkgroupStorageBytes: 16384,
  maxWorkgroupsPerDimension: 65535,
};

interface GemmCase {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch?: number;
  readonly parts?: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly bias?: boolean;
  /** Elements between the end of a row and the beginning of the next. */
  readonly gap?: number;
  /** One A, or one B, for the whole batch. */
  readonly repeatA?: boolean;
  readonly repeatB?: boolean;
}

const cases: readonly GemmCase[] = [
  { m: 1, n: 1, k: 1 },
  { m: 8, n: 8, k: 4 },
  { m: 9, n: 17, k: 5 },
  { m: 64, n: 64, k: 16 },
  { m: 65, n: 68, k: 33 },
  { m: 130, n: 12, k: 20 },
  { m: 1, n: 100, k: 7 },
  { m: 100, n: 1, k: 7 },
  { m: 32, n: 10, k: 64, transposeB: true, bias: true },
  { m: 20, n: 24, k: 12, bias: true },
  { m: 13, n: 8, k: 9, transposeA: true },
  { m: 70, n: 66, k: 40, transposeA: true, transposeB: true },
  { m: 50, n: 48, k: 6, batch: 2 },
  { m: 18, n: 57, k: 6, batch: 2 },
  { m: 6, n: 4, k: 10, batch: 3 },
  { m: 6, n: 4, k: 10, batch: 3, repeatA: true },
  { m: 6, n: 5, k: 10, batch: 3, repeatB: true, transposeB: true },
  { m: 7, n: 4, k: 6, gap: 4 },
  { m: 7, n: 4, k: 6, gap: 3 },
  { m: 7, n: 4, k: 6, gap: 2, transposeA: true, transposeB: true, batch: 2 },
  { m: 10, n: 12, k: 300, parts: 7 },
  { m: 10, n: 9, k: 100, parts: 3, batch: 2, transposeA: true },
  // A bias is added once, not in each part; parts of whole vectors.
  { m: 70, n: 66, k: 40, parts: 3, bias: true },
  { m: 36, n: 128, k: 64, parts: 2, batch: 2, bias: true },
  // Vectors along k of both, and across it, over edges of every size of block.
  { m: 132, n: 120, k: 36, transposeB: true },
  { m: 124, n: 120, k: 36 },
  { m: 250, n: 252, k: 20, transposeB: true },
  { m: 124, n: 252, k: 37, transposeA: true, gap: 4 },
  { m: 30, n: 260, k: 20, transposeB: true },
  { m: 260, n: 30, k: 24, transposeA: true, transposeB: true },
  // More parts than a depth of 5 has at 2 each: the last is empty, so zero.
  { m: 3, n: 4, k: 5, parts: 4 },
];

const label = (c: GemmCase) => JSON.stringify(c);

function prepare(c: GemmCase) {
  const { m, n, k, batch = 1, parts = 1, transposeA = false, transposeB = false, gap = 0 } = c;
  const aLength = transposeA ? k * (m + gap) : m * (k + gap);
  const bLength = transposeB ? n * (k + gap) : k * (n + gap);
  const parameters = {
    m,
    n,
    k,
    batch,
    aRow: transposeA ? 1 : k + gap,
    aColumn: transposeA ? m + gap : 1,
    aBatch: c.repeatA ? 0 : aLength,
    bRow: transposeB ? 1 : n + gap,
    bColumn: transposeB ? k + gap : 1,
    bBatch: c.repeatB ? 0 : bLength,
    parts,
    partDepth: Math.ceil(k / parts),
    hasBias: c.bias ? 1 : 0,
  };
  const a = pseudoRandom(1, aLength * (c.repeatA ? 1 : batch));
  const b = pseudoRandom(2, bLength * (c.repeatB ? 1 : batch));
  return { parameters, a, b, bias: pseudoRandom(3, n) };
}

/** By the definition, one element at a time. */
function reference({ parameters: p, a, b, bias }: ReturnType<typeof prepare>): Float64Array {
  return Float64Array.from({ length: p.batch * p.parts * p.m * p.n }, (_, at) => {
    const [j, i] = [at % p.n, Math.floor(at / p.n) % p.m];
    const slice = Math.floor(at / (p.n * p.m));
    const [part, image] = [slice % p.parts, Math.floor(slice / p.parts)];
    let sum = p.hasBias && part === 0 ? bias[j] : 0;
    for (let k = part * p.partDepth; k < Math.min(p.k, (part + 1) * p.partDepth); k++) {
      sum += a[image * p.aBatch + i * p.aRow + k * p.aColumn] * b[image * p.bBatch + k * p.bRow + j * p.bColumn];
    }
    return sum;
  });
}

testBackends("gemm gives the sums of products by its strides", async (backend) => {
  const device = new Device(backend);
  for (const aCase of cases) {
    const prepared = prepare(aCase);
    const { parameters } = prepared;
    const [a, b, bias] = [prepared.a, prepared.b, prepared.bias].map((data) => device.tensor(data));
    const c = device.full([parameters.batch, parameters.parts, parameters.m, parameters.n], Number.NaN);
    device.run(gemmKernel, { a, b, bias: aCase.bias ? bias : b, c }, parameters);
    const [result] = await device.read([c]);
    assertClose(result, reference(prepared), 1e-5, label(aCase));
  }
}, [float64, ...backends, hardware, smallHardware]);

Deno.test("software adapters get a shader without barriers, others the tiled one", () => {
  const { parameters } = prepare({ m: 130, n: 66, k: 8, batch: 2 });
  const registers = gemmKernel.launch(parameters, traits);
  assert.ok(!registers.code.includes("workgroupBarrier"));
  // 17 x 9 tiles of 8 x 8, twice, in workgroups of 64; an odd width takes blocks of 8 x 1 tiles, so 24 x 9.
  assert.deepEqual(registers.workgroups, [7, 1, 1]);
  const shared = gemmKernel.launch(parameters, { ...traits, ...hardwareKind });
  assert.ok(shared.code.includes("workgroupBarrier"));
  // 5 x 1 blocks of 32 x 128, twice.
  assert.deepEqual(shared.workgroups, [10, 1, 1]);
});

/** Those of a, b and c that a launch's shader takes as vectors. */
function vectorsOf(c: GemmCase, adapter: AdapterTraits): string {
  const { code } = gemmKernel.launch(prepare(c).parameters, adapter);
  return [...code.matchAll(/(\w+): array<vec4f>;/g)].map(([, name]) => name).join("");
}

Deno.test("blocks read as vectors what comes in fours, along k or across it", () => {
  const vectors = (c: GemmCase) => vectorsOf(c, { ...traits, ...hardwareKind });
  assert.equal(vectors({ m: 3, n: 8, k: 4 }), "abc");
  assert.equal(vectors({ m: 3, n: 8, k: 5 }), "bc", "rows of A are not whole vectors");
  assert.equal(vectors({ m: 3, n: 8, k: 5, gap: 3 }), "c", "four numbers of A's row may lie in two parts of k");
  assert.equal(vectors({ m: 3, n: 8, k: 4, gap: 4 }), "abc");
  assert.equal(vectors({ m: 4, n: 8, k: 5, transposeA: true }), "abc");
  assert.equal(vectors({ m: 3, n: 8, k: 5, transposeA: true }), "bc");
  assert.equal(vectors({ m: 3, n: 7, k: 8, transposeB: true }), "ab");
  assert.equal(vectors({ m: 3, n: 7, k: 8 }), "a");
  assert.equal(vectors({ m: 3, n: 8, k: 24, parts: 2, transposeB: true }), "abc");
  assert.equal(vectors({ m: 3, n: 8, k: 20, parts: 2, transposeB: true }), "c", "a part ends within a vector");
});

Deno.test("rows of whole vectors are read as vectors", () => {
  const vectors = (c: GemmCase) => vectorsOf(c, traits) === "bc";
  assert.ok(vectors({ m: 3, n: 8, k: 5 }));
  assert.ok(vectors({ m: 3, n: 8, k: 5, gap: 4 }));
  assert.ok(!vectors({ m: 3, n: 8, k: 5, gap: 3 }));
  assert.ok(!vectors({ m: 3, n: 6, k: 5 }));
  assert.ok(!vectors({ m: 3, n: 8, k: 4, transposeB: true }));
});
