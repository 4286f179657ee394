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

Deno.test("what opens a library is sent to threads as text: it needs nothing from outside of itself", () => {
  const calls: string[] = [];
  const deno = {
    dlopen: (path: string, symbols: Record<string, unknown>) => {
      calls.push(path, ...Object.keys(symbols));
      const symbol = (name: string) => (...args: unknown[]) => calls.push(`${name}(${args.slice(0, 2).join()})`);
      const named = Object.fromEntries(Object.keys(symbols).map((name) => [name, symbol(name)]));
      return { symbols: named, close: () => calls.push("closed") };
    },
  };
  const open: typeof openLibrary = new Function("Deno", `"use strict"; return ${openLibrary};`)(deno);
  const library = open("/a/file", "OpenBLAS", new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  library.functions.nativeGemm(1, 1, 0, 1, 0, 4, 1, 0, 8, 1, 0, 0, 0, 1);
  library.close();
  assert.deepEqual(calls, [
    ...["/a/file", "cblas_sgemm", "openblas_set_num_threads", "openblas_set_num_threads(1)"],
    ...["cblas_sgemm(101,111)", "closed"],
  ]);
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
