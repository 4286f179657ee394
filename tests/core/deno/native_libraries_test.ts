import assert from "node:assert/strict";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { KNOWN_LIBRARIES, openLibrary } from "../../../core/deno/native_libraries.ts";
import config from "../../../deno.json" with { type: "json" };

Deno.test("the tasks allow the libraries that are looked for, and no other native code", () => {
  const known = Object.values(KNOWN_LIBRARIES).flatMap((makers) => makers.flatMap(({ paths }) => paths));
  const allowing = Object.entries(config.tasks).filter(([, { command }]) => command.includes("ffi"));
  assert.deepEqual(allowing.map(([name]) => name), ["native", "native-worker", "test-native"]);
  for (const [name, { command }] of allowing) {
    assert.deepEqual(/--allow-ffi=(\S+)/.exec(command)?.[1].split(","), known, name);
  }
  assert.deepEqual(/--allow-read=(\S+)/.exec(config.tasks.doctor.command)?.[1].split(","), known, "doctor");
});

/** Opens a library that is made up, by the text of `openLibrary` as threads get it. @param lapack computes `dgesdd` */
function openMadeUp(calls: string[], lapack: ((...args: Int32Array[]) => void) | null) {
  const deno = {
    dlopen: (path: string, symbols: Record<string, unknown>) => {
      calls.push(path, ...Object.keys(symbols));
      const symbol = (name: string) => (...args: unknown[]) => calls.push(`${name}(${args.slice(0, 2).join()})`);
      const named = Object.fromEntries(Object.keys(symbols).map((name) => [name, symbol(name)]));
      return { symbols: { ...named, dgesdd_: lapack }, close: () => calls.push("closed") };
    },
  };
  const open: typeof openLibrary = new Function("Deno", `"use strict"; return ${openLibrary};`)(deno);
  return open("/a/file", "OpenBLAS", new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
}

Deno.test("what opens a library is sent to threads as text: it needs nothing from outside of itself", () => {
  const calls: string[] = [];
  const library = openMadeUp(calls, null);
  assert.equal(library.svd, null);
  library.functions.nativeGemm(1, 1, 0, 1, 0, 4, 1, 0, 8, 1, 0, 0, 0, 1);
  library.close();
  assert.deepEqual(calls, [
    ...["/a/file", "cblas_sgemm", "dgesdd_", "dgeqrf_", "dormqr_", "dgelqf_", "dormlq_", "openblas_set_num_threads"],
    "openblas_set_num_threads(1)",
    ...["cblas_sgemm(101,111)", "closed"],
  ]);
});

Deno.test("LAPACK is asked for its workspace, computes with its own threads, and says how it went", () => {
  const calls: string[] = [];
  let outcome = 0;
  const { svd } = openMadeUp(calls, (...args) => {
    const [job, m, n, a, lda, s, u, ldu, vt, ldvt, work, length, integers, info] = args;
    assert.equal(args[14], 1);
    const sizes = [a, s, u, vt, work, integers].map(({ length }) => length);
    calls.push([String.fromCharCode(job[0]), m, n, lda, ldu, ldvt, length, ...sizes].join(" "));
    if (length[0] === -1) work[0] = 77;
    else info[0] = outcome;
  });
  const decompose = (m = 4, n = 3) => {
    calls.length = 0;
    const r = Math.min(m, n), [a, s, u, vt] = [m * n, r, m * r, r * n].map((count) => new Float64Array(count));
    return svd!(m, n, a, s, u, vt, 5);
  };
  assert.equal(decompose(), true);
  assert.deepEqual(calls, [
    "openblas_set_num_threads(5)",
    "S 4 3 4 4 3 -1 12 3 12 9 1 24",
    "S 4 3 4 4 3 77 12 3 12 9 77 24",
    "openblas_set_num_threads(1)",
  ]);
  // Where one side is much longer, of a triangle; the other side's vectors are multiplied by Q.
  const of = (routine: string) => calls.filter((call) => call.startsWith(routine)).length;
  decompose(7, 4);
  assert.deepEqual(["dgeqrf_", "S 4 4 4 7 4", "dormqr_", "dgelqf_"].map(of), [2, 2, 2, 0]);
  decompose(4, 7);
  assert.deepEqual(["dgelqf_", "S 4 4 4 4 4", "dormlq_", "dgeqrf_"].map(of), [2, 2, 2, 0]);
  calls.length = 0;
  const short = [new Float64Array(12), new Float64Array(3), new Float64Array(11), new Float64Array(9)] as const;
  assert.throws(() => svd!(4, 3, ...short, 1), { name: "RangeError", message: /\[4, 3\]: its arrays differ/ });
  assert.deepEqual(calls, []);
  outcome = 1;
  assert.equal(decompose(), false);
  outcome = -4;
  assert.throws(decompose, /argument 4 of dgesdd/);
  assert.equal(calls.at(-1), "openblas_set_num_threads(1)");
});

Deno.test("a library that cannot be loaded is a sentence with its file", async () => {
  const library = {
    maker: "OpenBLAS",
    path: "/a/libopenblas.so.0",
    open: () => {
      throw new Error("libgfortran.so.5: cannot open shared object file");
    },
  };
  await assert.rejects(CpuBackend.create({ threads: 1, library }), {
    name: "UserError",
    message: /^Cannot load OpenBLAS from "\/a\/libopenblas\.so\.0": libgfortran.*file; without the permission /,
  });
});
