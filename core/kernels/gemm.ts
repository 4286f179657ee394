import shader from "../../shaders/gemm.wgsl" with { type: "text" };
import tiledShader from "../../shaders/gemm_tiled.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import type { AdapterTraits } from "../backend/kernel.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import { blockCount, blockFor, keepShaders, matrixPatch, withBlock } from "./block.ts";
import { lanesOf } from "./header.ts";
import { defineKernel, type VariedLaunch } from "./kernel.ts";
import { inGroups, linear } from "./launch.ts";
import { TILE, withTiles } from "./tile.ts";

const registersShader = withTiles({ right: "b", result: "c" }, shader);
const blockShader = keepShaders<"a" | "b" | "c">((block, { a, b, c }) =>
  withBlock(block, { name: "c", lanes: c }, matrixPatch("a", a), matrixPatch("b", b), tiledShader)
);

const parameters = {
  m: "u32",
  n: "u32",
  k: "u32",
  batch: "u32",
  aRow: "u32",
  aColumn: "u32",
  aBatch: "u32",
  bRow: "u32",
  bColumn: "u32",
  bBatch: "u32",
  parts: "u32",
  partDepth: "u32",
  hasBias: "u32",
} as const;
type Parameters = Readonly<Record<keyof typeof parameters, number>>;

/**
 * C = A B (+ bias) for a batch of matrices: A `[m, k]`, B `[k, n]`, bias `[n]`, C `[batch, parts, m, n]` where part i
 * sums over `partDepth` of k from i * partDepth on, so that a long sum for a small result occupies many threads.
 *
 * An element of A stands at `row * aRow + column * aColumn + image * aBatch`, and likewise for B: one of a matrix's two
 * strides must be 1. A bias is added to the first part; without one (`hasBias` 0) its binding may hold anything of n
 * elements or more.
 */
export const gemmKernel = defineKernel({
  name: "gemm",
  reads: { a: "Element", b: "Element", bias: "f32" },
  writes: { c: "Element" },
  parameters,
  launch,
  operations: (p) => 2 * p.m * p.n * p.k * p.batch,
  cpu: (views, p, wasm) => {
    if (wasm) multiplyFast(views, p, wasm);
    else multiplyPlainly(views, p);
    if (p.hasBias === 1) {
      const { bias, c } = views;
      if (wasm && p.parts === 1) return wasm.kernels.addRow(p.batch * p.m, p.n, c.byteOffset, bias.byteOffset);
      for (let slice = 0; slice < p.batch * p.parts; slice += p.parts) {
        const end = (slice + 1) * p.m * p.n;
        for (let at = slice * p.m * p.n; at < end; at += p.n) for (let j = 0; j < p.n; j++) c[at + j] += bias[j];
      }
    }
  },
});

function launch(p: Parameters, adapter: AdapterTraits): VariedLaunch {
  const slices = p.batch * p.parts;
  // Barriers are slow on software adapters.
  if (adapter.software) {
    const lanes = p.bColumn === 1 ? lanesOf(p.n, p.bRow, p.bBatch) : 1;
    return {
      shader: registersShader[lanes],
      lanes: { a: 1, b: lanes, c: lanes },
      entryPoint: "registers",
      workgroups: linear(threadsFor(p.m, p.n) * slices, adapter),
    };
  }
  const block = blockFor(p.m, p.n, slices, adapter);
  // Neighbours along k must come in fours in each part, and otherwise those of a row of A^T or B.
  const along = [p.k, p.parts === 1 ? p.k : p.partDepth];
  const lanes = {
    a: lanesOf(p.aBatch, ...(p.aColumn === 1 ? [...along, p.aRow] : [p.m, p.aColumn])),
    b: lanesOf(p.bBatch, ...(p.bRow === 1 ? [...along, p.bColumn] : [p.n, p.bRow])),
    c: lanesOf(p.n),
  };
  const workgroups = inGroups(blockCount(block, p.m, p.n) * slices, adapter);
  return { shader: blockShader(block, lanes), lanes, entryPoint: "tiled", workgroups };
}

/** Threads of gemm.wgsl for one slice of C: its tiles, filled up to whole blocks of eight. */
function threadsFor(m: number, n: number): number {
  const across = Math.ceil(n / TILE);
  const high = 8 / (across % 4 === 0 ? 4 : across % 2 === 0 ? 2 : 1);
  return across * high * Math.ceil(m / TILE / high);
}

interface Slice {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly depth: number;
}

/** Where each slice of C begins, where its part of A and B does, and how deep it is. */
function* slicesOf(p: Parameters): Generator<Slice> {
  for (let slice = 0; slice < p.batch * p.parts; slice++) {
    const image = Math.floor(slice / p.parts);
    const k = slice % p.parts * p.partDepth;
    yield {
      a: image * p.aBatch + k * p.aColumn,
      b: image * p.bBatch + k * p.bRow,
      c: slice * p.m * p.n,
      depth: Math.max(0, Math.min(p.partDepth, p.k - k)),
    };
  }
}

type Views = Readonly<Record<"a" | "b" | "c", Floats>>;

function multiplyFast({ a, b, c }: Views, p: Parameters, { kernels, scratch }: WasmRuntime): void {
  const [aTransposed, bTransposed] = [p.aColumn !== 1, p.bColumn !== 1];
  const [lda, ldb] = [aTransposed ? p.aColumn : p.aRow, bTransposed ? p.bColumn : p.bRow];
  if (p.parts === 1) {
    kernels.gemmBatch(
      p.batch,
      p.m,
      p.n,
      p.k,
      a.byteOffset,
      lda,
      aTransposed,
      p.aBatch,
      b.byteOffset,
      ldb,
      bTransposed,
      p.bBatch,
      c.byteOffset,
      scratch(kernels.gemmScratch(p.m, p.n, p.k, p.batch)),
    );
    return;
  }
  const space = scratch(kernels.gemmScratch(p.m, p.n, p.partDepth));
  for (const slice of slicesOf(p)) {
    kernels.gemm(
      p.m,
      p.n,
      slice.depth,
      a.byteOffset + 4 * slice.a,
      lda,
      aTransposed,
      b.byteOffset + 4 * slice.b,
      ldb,
      bTransposed,
      c.byteOffset + 4 * slice.c,
      p.n,
      false,
      space,
    );
  }
}

function multiplyPlainly({ a, b, c }: Views, { m, n, aRow, aColumn, bRow, bColumn, ...rest }: Parameters): void {
  const sums = new Float64Array(n);
  for (const slice of slicesOf({ m, n, aRow, aColumn, bRow, bColumn, ...rest })) {
    for (let i = 0; i < m; i++) {
      sums.fill(0);
      for (let k = 0; k < slice.depth; k++) {
        const factor = a[slice.a + i * aRow + k * aColumn];
        for (let j = 0, at = slice.b + k * bRow; j < n; j++, at += bColumn) sums[j] += factor * b[at];
      }
      c.set(sums, slice.c + i * n);
    }
  }
}
