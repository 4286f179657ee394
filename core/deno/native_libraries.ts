import type { LibrarySvd, NativeLibrary, OpenedLibrary } from "../native_library.ts";

interface Known {
  readonly maker: string;
  readonly paths: readonly string[];
}

const DEBIAN = ["x86_64", "aarch64"].map((cpu) => `/usr/lib/${cpu}-linux-gnu`);

/**
 * Where systems keep libraries with 32-bit integers that may be called from several threads at once; the task `native`
 * of deno.json allows these. Serial builds of OpenBLAS may not.
 */
export const KNOWN_LIBRARIES: Readonly<Record<string, readonly Known[]>> = {
  linux: [
    {
      maker: "OpenBLAS",
      paths: [
        ...DEBIAN.map((folder) => `${folder}/openblas-pthread/libopenblas.so.0`),
        "/usr/lib64/libopenblasp.so.0", // Fedora
        "/usr/lib/libopenblas.so.0", // Arch
      ],
    },
    { maker: "BLIS", paths: DEBIAN.map((folder) => `${folder}/blis-pthread/libblis.so.4`) },
    { maker: "MKL", paths: ["/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so"] },
  ],
  darwin: [
    { maker: "Accelerate", paths: ["/System/Library/Frameworks/Accelerate.framework/Accelerate"] },
  ],
};

/** A library's place, and whether the program may load it. */
export interface FoundLibrary {
  readonly maker: string;
  readonly path: string;
  readonly allowed: boolean;
}

/** The first known library of this system that is allowed, or else the first that is there; `null` without one. */
export function findLibrary(): FoundLibrary | null {
  const known = KNOWN_LIBRARIES[Deno.build.os] ?? [];
  const found = known.flatMap(({ maker, paths }) =>
    paths.map((path) => ({ maker, path, allowed: isGranted({ name: "ffi", path }) }))
  );
  // Accelerate's file is in a cache of the system's and not on the disk: it is there where it is allowed.
  return found.find(({ path, allowed }) => allowed && (Deno.build.os === "darwin" || isThere(path))) ??
    found.find(({ path }) => isThere(path)) ?? null;
}

/** The library that `findLibrary` finds, if it is allowed. */
export function allowedLibrary(): NativeLibrary | null {
  const found = findLibrary();
  return found?.allowed ? { maker: found.maker, path: found.path, open: openLibrary } : null;
}

/** Whether Deno has the permission to load a known library, as by the task `native`, be one there or not. */
export function mayLoadKnown(): boolean {
  const paths = Object.values(KNOWN_LIBRARIES).flat().flatMap(({ paths }) => paths);
  return paths.some((path) => isGranted({ name: "ffi", path }));
}

function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

function isThere(path: string): boolean {
  if (!isGranted({ name: "read", path })) return false;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** See `OpenLibrary`, and mind that this is read as text. */
export function openLibrary(path: string, maker: string, memory: WebAssembly.Memory): OpenedLibrary {
  // By the standard's numbers: row-major, not transposed, transposed.
  const ROWS = 101, PLAIN = 111, TURNED = 112;
  // How many times as long a side is much longer.
  const LONG = 1.7;
  const threads = {
    OpenBLAS: { name: "openblas_set_num_threads", parameters: ["i32"] },
    BLIS: { name: "bli_thread_set_num_threads", parameters: ["isize"] },
    MKL: { name: "MKL_Set_Num_Threads", parameters: ["i32"] },
  }[maker];
  /** LAPACK's, in Fortran: everything is given by its address, and the lengths of texts at the end. */
  const routine = (addresses: number, lengths: number) => ({
    parameters: [...new Array<"buffer">(addresses).fill("buffer"), ...new Array<"usize">(lengths).fill("usize")],
    result: "void" as const,
    optional: true as const,
  });
  const library = Deno.dlopen(path, {
    cblas_sgemm: {
      parameters: [
        ...["i32", "i32", "i32", "i32", "i32", "i32", "f32"] as const,
        ...["buffer", "i32", "buffer", "i32", "f32", "buffer", "i32"] as const,
      ],
      result: "void",
    },
    dgesdd_: routine(14, 1),
    ...{ dgeqrf_: routine(8, 0), dormqr_: routine(13, 2), dgelqf_: routine(8, 0), dormlq_: routine(13, 2) },
    ...threads && { [threads.name]: { parameters: threads.parameters as ["i32"], result: "void" as const } },
  });
  type Call = (...args: (number | bigint | ArrayBufferView)[]) => void;
  const calls = library.symbols as unknown as Readonly<Record<string, Call>>;
  const useThreads = (count: number) => threads && calls[threads.name](count);
  useThreads(1);
  // Places come as 32-bit integers with a sign, which they do not have. They are given as views, as addresses want the
  // permission to load anything (`Deno.UnsafePointer`), and a path's is not enough.
  const at = (pointer: number, elements: number) =>
    new Uint8Array(memory.buffer as unknown as SharedArrayBuffer, (pointer >>> 0) + 4 * elements);
  const product = (
    ...[rows, n, k, a, lda, transA, b, ldb, transB, c, ldc, accumulate]: [
      ...[rows: number, n: number, k: number],
      ...[a: Uint8Array<SharedArrayBuffer>, lda: number, transA: number],
      ...[b: Uint8Array<SharedArrayBuffer>, ldb: number, transB: number],
      ...[c: Uint8Array<SharedArrayBuffer>, ldc: number, accumulate: number],
    ]
  ) => {
    const flags = [transA ? TURNED : PLAIN, transB ? TURNED : PLAIN];
    calls.cblas_sgemm(ROWS, flags[0], flags[1], rows, n, k, 1, a, lda, b, ldb, accumulate, c, ldc);
  };
  const integer = (value: number) => Int32Array.of(value);
  const texts = (...letters: string[]) => letters.map((letter) => new TextEncoder().encode(letter));
  /** Calls a routine for the size of the workspace that it wants, and with that; whether it came to its end. */
  const lapack = (name: string, before: ArrayBufferView[], after: ArrayBufferView[], ...lengths: number[]) => {
    const info = integer(0);
    const call = (work: Float64Array, length: number) => {
      calls[name](...before, work, integer(length), ...after, info, ...lengths);
      if (info[0] < 0) throw new Error(`Cannot decompose by LAPACK: argument ${-info[0]} of ${name} is wrong`);
    };
    const wanted = new Float64Array(1);
    call(wanted, -1);
    call(new Float64Array(wanted[0]), wanted[0]);
    return info[0] === 0;
  };
  const svd: LibrarySvd = (m, n, a, s, u, vt, count) => {
    const r = Math.min(m, n);
    // LAPACK reads and writes as far as it is told to, wherever that is.
    const lengths = [[a, m * n], [s, r], [u, m * r], [vt, r * n]] as const;
    const fit = lengths.every(([array, length]) => array instanceof Float64Array && array.length === length);
    if (!(fit && Number.isInteger(r) && r > 0)) {
      throw new RangeError(`Cannot decompose [${m}, ${n}]: its arrays differ`);
    }
    const tau = new Float64Array(r), [rows, columns, rank] = [m, n, r].map(integer);
    const thin = (ofRows: Int32Array, ofColumns: Int32Array, matrix: Float64Array) => {
      const results = [s, u, rows, vt, rank], integers = new Int32Array(8 * r);
      return lapack("dgesdd_", [...texts("S"), ofRows, ofColumns, matrix, ofRows, ...results], [integers], 1);
    };
    // Where one side is much longer, a triangle is decomposed. LAPACK waits for a longer one than is fastest.
    const isWide = n >= LONG * m, isTall = m >= LONG * n;
    useThreads(count);
    try {
      if (!isWide && !isTall) return thin(rows, columns, a);
      const [factor, apply] = isWide ? ["dgelqf_", "dormlq_"] : ["dgeqrf_", "dormqr_"];
      lapack(factor, [rows, columns, a, rows, tau], []);
      const triangle = new Float64Array(r * r);
      for (let j = 0; j < r; j++) {
        const [begin, end] = isWide ? [j, r] : [0, j + 1];
        triangle.set(a.subarray(j * m + begin, j * m + end), j * r + begin);
      }
      if (!thin(rank, rank, triangle)) return false;
      const sides = texts(isWide ? "R" : "L", "N"), vectors = isWide ? [vt, rank] : [u, rows];
      const sizes = isWide ? [rank, columns] : [rows, rank];
      return lapack(apply, [...sides, ...sizes, rank, a, rows, tau, ...vectors], [], 1, 1);
    } finally {
      useThreads(1);
    }
  };
  return {
    svd: ["dgesdd_", "dgeqrf_", "dormqr_", "dgelqf_", "dormlq_"].every((name) => calls[name]) ? svd : null,
    functions: {
      nativeGemm(n, k, a, lda, transA, b, ldb, transB, c, ldc, accumulate, _scratch, begin, end) {
        const rows = at(a, transA ? begin : begin * lda);
        product(end - begin, n, k, rows, lda, transA, at(b, 0), ldb, transB, at(c, begin * ldc), ldc, accumulate);
        return 0;
      },
      nativeGemmBatch(m, n, k, a, lda, transA, aBatch, b, ldb, transB, bBatch, c, cBatch, _scratch, begin, end) {
        for (let i = begin; i < end; i++) {
          const [left, right] = [at(a, i * aBatch), at(b, i * bBatch)];
          product(m, n, k, left, lda, transA, right, ldb, transB, at(c, i * cBatch), n, 0);
        }
        return 0;
      },
    },
    close: () => library.close(),
  };
}
