import assert from "node:assert/strict";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { KNOWN_LIBRARIES, openLibrary } from "../../../core/deno/native_libraries.ts";
import config from "../../../deno.json" with { type: "json" };

Deno.test("the tasks allow the libraries that are looked for, and no other native code", () => {
  const known = Object.values(KNOWN_LIBRARIES).flatMap((makers) => makers.flatMap(({ paths }) => paths));
  const allowing = Object.entries(config.tasks).filter(([, { command }]) => command.includes("ffi"));
  assert.deepEqual(allowing.map(([name]) => name), ["native", "test-native"]);
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
    ...["/a/file", "cblas_sgemm", "dgesdd_", "openblas_set_num_threads", "openblas_set_num_threads(1)"],
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
  const decompose = () => {
    calls.length = 0;
    const numbers = [6, 2, 6, 4].map((count) => new Float64Array(count));
    return svd!(3, 2, numbers[0], numbers[1], numbers[2], numbers[3], 5);
  };
  assert.equal(decompose(), true);
  assert.deepEqual(calls, [
    "S 3 2 3 3 2 -1 6 2 6 4 1 16",
    "openblas_set_num_threads(5)",
    "S 3 2 3 3 2 77 6 2 6 4 77 16",
    "openblas_set_num_threads(1)",
  ]);
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
