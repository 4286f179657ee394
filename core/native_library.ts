/**
 * LAPACK's singular value decomposition by divide and conquer (`dgesdd`, after a QR or LQ if one side is much longer),
 * thin: `A = U S V^T`, singular values
 * descending; r is the smaller of m and n. All matrices are column-major.
 *
 * @param a `[m, n]`, overwritten
 * @param s `[r]`
 * @param u `[m, r]`, zeros before
 * @param vt `[r, n]`, zeros before
 * @param threads how many of the library's own it may use
 * @returns whether the iteration came to its end
 */
export type LibrarySvd = (
  ...args: [
    ...[m: number, n: number, a: Float64Array, s: Float64Array, u: Float64Array, vt: Float64Array],
    ...[threads: number],
  ]
) => boolean;

/** A library that was opened on one thread. */
export interface OpenedLibrary {
  /** By the names that {@link NATIVE} gives; they take and return 32-bit integers. */
  readonly functions: Readonly<Record<string, (...args: number[]) => number>>;
  /** `null` where the library has no LAPACK. */
  readonly svd: LibrarySvd | null;
  close(): void;
}

/**
 * Opens a library on the thread that calls it, for tensors in a shared memory. Its source text is sent to other
 * threads: it must not use anything from outside its own body.
 *
 * @param path the library's file
 * @param maker whose it is, as the finder named it
 */
export type OpenLibrary = (path: string, maker: string, memory: WebAssembly.Memory) => OpenedLibrary;

/**
 * A native matrix library (BLAS) that the place where the program runs can call. Each of the backend's threads calls it
 * for its own part of a product, and the library's own threads rest: so neither disturbs the other, and products of a
 * batch run side by side.
 */
export interface NativeLibrary {
  /** Whose it is: `OpenBLAS`. */
  readonly maker: string;
  /** Its file. */
  readonly path: string;
  readonly open: OpenLibrary;
}

/** Its functions: `gemm` and `gemmBatch` with the arguments of the WebAssembly exports of these names. */
export const NATIVE = { gemm: "nativeGemm", gemmBatch: "nativeGemmBatch" } as const;

let find: () => NativeLibrary | null = () => null;

/** Says how libraries are found from now on. In Deno `core/deno/install.ts` does; elsewhere there are none. */
export function findLibrariesBy(finder: () => NativeLibrary | null): void {
  find = finder;
}

/** The library that is there and that may be loaded; `null` without one. */
export function nativeLibrary(): NativeLibrary | null {
  return find();
}
