import { cut, type Exports, type Team } from "./team.ts";

/**
 * The kernels in float64, for decompositions. Pointers are byte offsets, multiples of 8; matrices are row-major, with
 * so many numbers from row to row. Results are the same bits however many threads share the work.
 */
export interface Float64Kernels {
  /** Bytes of scratch memory of {@link gemm64}. */
  gemm64Scratch(): number;

  /** `C[m, n] += sign op(A) op(B)` with depth k; op transposes where it is asked to. */
  gemm64(
    ...[m, n, k, sign, a, lda, transA, b, ldb, transB, c, ldc, scratch]: [
      ...[m: number, n: number, k: number, sign: 1 | -1],
      ...[a: number, lda: number, transA: boolean],
      ...[b: number, ldb: number, transB: boolean],
      ...[c: number, ldc: number, scratch: number],
    ]
  ): void;

  /** `y[i] = A[i] . x` for the rows of A[count, length]. */
  rowProducts64(count: number, length: number, a: number, lda: number, x: number, y: number): void;

  /** `y += sign sum_i x[i] A[i]` for the rows of A[count, length]. */
  addRows64(count: number, length: number, sign: 1 | -1, a: number, lda: number, x: number, y: number): void;

  /**
   * Runs of plane rotations of neighbouring rows, downwards: `x, y <- c x + s y, c y - s x`.
   *
   * @param a a matrix [rows, 8 panels] as panels of eight columns: [panels, rows, 8]
   * @param count how many runs
   * @param runs for each its first row, how many rotations it has, and the cosine and sine of each
   */
  rotatePanels64(rows: number, panels: number, a: number, count: number, runs: number): void;
}

/** Multiply-adds for one thread, at least: some 15 microseconds' worth. */
const MINIMUM_WORK = 100_000;

const BYTES = 8;

/** Rows of the product's tiles. */
const TILE_ROWS = 6;

/** Numbers of a cache line: two threads that write to one wait for each other. */
const LINE = 8;

/** Splits the kernels in float64 over the threads of a team by numbers of the result: each is one thread's. */
export function splitFloat64(exports: Exports, team: Team): Float64Kernels {
  const threadsFor = (work: number) => Math.max(Math.min(Math.floor(work / MINIMUM_WORK), team.threads), 1);
  const scratchBytes = Math.ceil((exports.gemm64Scratch() >>> 0) / 64) * 64;
  return {
    gemm64Scratch: () => team.threads * scratchBytes,
    gemm64(m, n, k, sign, a, lda, transA, b, ldb, transB, c, ldc, scratch) {
      const calls = cut(0, m, threadsFor(m * n * k), TILE_ROWS).map(([begin, end], thread) => [
        ...[end - begin, n, k, sign, a + begin * (transA ? 1 : lda) * BYTES, lda, +transA, b, ldb, +transB],
        ...[c + begin * ldc * BYTES, ldc, scratch + thread * scratchBytes],
      ]);
      team.run("gemm64", calls);
    },
    rowProducts64(count, length, a, lda, x, y) {
      const ranges = cut(0, count, threadsFor(count * length), LINE);
      team.run(
        "rowProducts64",
        ranges.map(([begin, end]) => [end - begin, length, a + begin * lda * BYTES, lda, x, y + begin * BYTES]),
      );
    },
    addRows64(count, length, sign, a, lda, x, y) {
      const ranges = cut(0, length, threadsFor(count * length), LINE);
      team.run(
        "addRows64",
        ranges.map(([begin, end]) => [count, end - begin, sign, a + begin * BYTES, lda, x, y + begin * BYTES]),
      );
    },
    rotatePanels64(rows, panels, a, count, runs) {
      team.run(
        "rotatePanels64",
        cut(0, panels, team.threads).map((
          [begin, end],
        ) => [rows, end - begin, a + begin * rows * LINE * BYTES, count, runs]),
      );
    },
  };
}
