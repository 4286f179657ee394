import assert from "node:assert/strict";
import { type CompiledKernels, createMemory, loadKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import { Arena, assertClose, BINARIES, random, type Reference, type Region } from "./arena.ts";

interface Case {
  m: number;
  n: number;
  k: number;
  /** Unused elements at the end of each stored row of A, B and C. */
  gap?: number;
}

// Below, at and above the sizes of a tile (6 x 8), a block of depth (256) and a block of columns (256).
const CASES: Case[] = [
  { m: 1, n: 1, k: 1 },
  { m: 1, n: 1, k: 300 },
  { m: 7, n: 1, k: 1 },
  { m: 1, n: 9, k: 2, gap: 3 },
  { m: 6, n: 8, k: 256 },
  { m: 5, n: 7, k: 255, gap: 1 },
  { m: 13, n: 17, k: 257 },
  { m: 12, n: 300, k: 5, gap: 2 },
  { m: 8, n: 31, k: 600 },
  { m: 9, n: 32, k: 513 },
  { m: 2, n: 513, k: 3 },
  { m: 100, n: 3, k: 70 },
];

const FLAGS = [false, true];

interface Product {
  c: Float32Array;
  before: Float32Array;
  expected: Reference;
}

/**
 * Runs one product over the given row ranges, with C, A, B and the scratch memory placed in an order that `seed` picks.
 */
function multiply(
  { m, n, k, gap = 0 }: Case,
  transA: boolean,
  transB: boolean,
  accumulate: boolean,
  compiled: CompiledKernels,
  rows: [number, number][] = [[0, m]],
  seed = m + 3 * n + 5 * k,
): Product {
  const lda = (transA ? m : k) + gap, ldb = (transB ? k : n) + gap, ldc = n + gap;
  const a = random((transA ? k : m) * lda, 1), b = random((transB ? n : k) * ldb, 2), before = random(m * ldc, 3);
  const memory = createMemory((a.length + b.length + before.length) * 4 + 600_000);
  const arena = new Arena(loadKernels(memory, compiled)), scratchBytes = arena.kernels.gemmScratch(m, n, k);
  const regions: Region[] = [];
  for (let i = 0; i < 4; i++) {
    const which = (i + seed) % 4;
    regions[which] = arena.take([a, b, before, { length: scratchBytes / 4 }][which].length, [a, b, before][which]);
  }
  const [A, B, C, scratch] = regions;
  for (const [begin, end] of rows) {
    arena.kernels.gemm(
      ...[m, n, k, A.pointer, lda, transA, B.pointer, ldb, transB] as const,
      ...[C.pointer, ldc, accumulate, scratch.pointer, begin, end] as const,
    );
  }
  arena.assertUntouched();

  const expected = { sum: new Float64Array(m * ldc), magnitude: new Float64Array(m * ldc) };
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < ldc; j++) {
      // The gap keeps its content exactly.
      let sum = accumulate || j >= n ? before[i * ldc + j] : 0, magnitude = j < n ? Math.abs(sum) : 0;
      for (let p = 0; p < k && j < n; p++) {
        const term = a[transA ? p * lda + i : i * lda + p] * b[transB ? j * ldb + p : p * ldb + j];
        sum += term;
        magnitude += Math.abs(term);
      }
      expected.sum[i * ldc + j] = sum;
      expected.magnitude[i * ldc + j] = magnitude;
    }
  }
  return { c: C.values, before, expected };
}

for (const [name, compiled] of BINARIES) {
  Deno.test(`gemm (${name}) agrees with float64 for every transpose and odd size`, () => {
    for (const entry of CASES) {
      for (const transA of FLAGS) {
        for (const transB of FLAGS) {
          for (const accumulate of FLAGS) {
            const { c, expected } = multiply(entry, transA, transB, accumulate, compiled);
            assertClose(c, expected, entry.k, JSON.stringify({ ...entry, transA, transB, accumulate }));
          }
        }
      }
    }
  });

  Deno.test(`gemm (${name}) gives the same bits however its rows are shared out`, () => {
    for (const transA of FLAGS) {
      const size = { m: 23, n: 41, k: 300, gap: 1 };
      const whole = multiply(size, transA, false, true, compiled);
      const parts = multiply(size, transA, false, true, compiled, [[17, 23], [0, 1], [1, 17]]);
      assert.deepEqual(parts.c, whole.c);
    }
  });

  Deno.test(`gemm (${name}) writes only the rows of its range`, () => {
    const size = { m: 20, n: 10, k: 4 };
    const { c, before, expected } = multiply(size, false, true, false, compiled, [[5, 5], [6, 13]]);
    assert.deepEqual(c.subarray(0, 60), before.subarray(0, 60));
    assert.deepEqual(c.subarray(130), before.subarray(130));
    const inside = { sum: expected.sum.subarray(60, 130), magnitude: expected.magnitude.subarray(60, 130) };
    assertClose(c.subarray(60, 130), inside, 4, "rows 6 to 13");
  });

  Deno.test(`gemm (${name}) of depth 0 is zero, or leaves C as it is when accumulating`, () => {
    assert.deepEqual(multiply({ m: 7, n: 9, k: 0 }, false, false, false, compiled).c, new Float32Array(63));
    const kept = multiply({ m: 7, n: 9, k: 0 }, false, false, true, compiled);
    assert.deepEqual(kept.c, kept.before);
  });

  Deno.test(`gemmBatch (${name}) gives each product as gemm does, with gaps between them or one factor for all`, () => {
    const batch = 5, size = { m: 7, n: 19, k: 33 };
    for (const transA of FLAGS) {
      for (const transB of FLAGS) {
        for (const [gapA, gapB] of [[0, 0], [13, 2], [-size.m * size.k, 0], [0, -size.n * size.k]]) {
          const [aBatch, bBatch] = [size.m * size.k + gapA, size.n * size.k + gapB];
          const memory = createMemory(400_000);
          const arena = new Arena(loadKernels(memory, compiled)), { kernels } = arena;
          const a = random(size.m * size.k + (batch - 1) * aBatch, 1);
          const b = random(size.n * size.k + (batch - 1) * bBatch, 2);
          const [A, B] = [arena.take(a.length, a), arena.take(b.length, b)];
          const each = size.m * size.n, all = arena.take(batch * each), one = arena.take(each);
          const scratch = arena.take(kernels.gemmScratch(size.m, size.n, size.k, batch) / 4).pointer;
          const [lda, ldb] = [transA ? size.m : size.k, transB ? size.k : size.n];
          const { m, n, k } = size;
          const operands = [A.pointer, lda, transA, aBatch, B.pointer, ldb, transB, bBatch] as const;
          kernels.gemmBatch(batch, m, n, k, ...operands, all.pointer, scratch);
          for (let i = 0; i < batch; i++) {
            const [at, bt] = [A.pointer + 4 * i * aBatch, B.pointer + 4 * i * bBatch];
            kernels.gemm(m, n, k, at, lda, transA, bt, ldb, transB, one.pointer, n, false, scratch);
            assert.deepEqual(all.values.subarray(i * each, (i + 1) * each), one.values, `product ${i}`);
          }
          arena.assertUntouched();
        }
      }
    }
  });

  Deno.test(`addRow (${name}) adds a row to every row of a matrix of any width`, () => {
    for (const columns of [1, 3, 4, 7, 16, 33]) {
      const arena = new Arena(loadKernels(createMemory(65536), compiled));
      const before = random(5 * columns, 1), added = random(columns, 2);
      const [x, row] = [arena.take(before.length, before), arena.take(columns, added)];
      arena.kernels.addRow(5, columns, x.pointer, row.pointer);
      assert.deepEqual(x.values, before.map((value, i) => value + added[i % columns]));
      assert.deepEqual(row.values, added);
      arena.assertUntouched();
    }
  });
}
