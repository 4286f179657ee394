import assert from "node:assert/strict";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import type { WasmRuntime } from "../../../core/backend/cpu/wasm_runtime.ts";
import { blockedSvd } from "../../../core/linalg/blocked_svd.ts";
import { lapackSvd } from "../../../core/linalg/lapack_svd.ts";
import { transpose } from "../../../core/linalg/matrix.ts";
import { leftSvd } from "../../../core/linalg/svd.ts";
import type { LibrarySvd } from "../../../core/native_library.ts";
import { assertClose } from "../../support/numbers.ts";
import { random } from "./matrices.ts";

/** What LAPACK gives, signs turned at random, from an SVD of our own; `threads` are those it was allowed. */
function libraryOf(threads: number[]): LibrarySvd {
  return (m, n, a, s, u, vt, count) => {
    threads.push(count);
    const r = Math.min(m, n), { values: signs } = random(1, r, 7);
    const parts = blockedSvd(transpose(a, n, m), m, n);
    s.set(parts.singularValues);
    transpose(parts.u.map((x, at) => signs[at % r] < 0 ? -x : x), m, r, u);
    const right = parts.remainder.map((x, at) => x / s[Math.floor(at / n)] * Math.sign(signs[Math.floor(at / n)]));
    transpose(right, r, n, vt);
    a.fill(NaN);
    return true;
  };
}

Deno.test("a library's SVD has the signs, the order of numbers and the scale that are agreed", () => {
  for (const [m, n] of [[60, 50], [50, 60]]) {
    const threads: number[] = [], library = libraryOf(threads);
    const { values } = random(m, n, 3), before = values.slice();
    const large = values.map((x) => x * 2 ** 900);
    for (const [matrix, factor] of [[values, 1], [large, 2 ** 900]] as const) {
      const expected = leftSvd(matrix, m, n), found = lapackSvd(library, matrix, m, n, 3)!;
      assertClose(found.u, expected.u, 1e-11);
      for (const part of ["singularValues", "remainder"] as const) {
        assertClose(found[part].map((x) => x / factor), expected[part].map((x) => x / factor), 1e-11, part);
      }
    }
    assert.deepEqual(values, before);
    assert.deepEqual(threads, [3, 3]);
  }
});

Deno.test("what is not finite never gets to a library", () => {
  const values = new Float64Array(48 * 48);
  values[50] = NaN;
  const never: LibrarySvd = () => assert.fail("it was asked");
  assert.throws(() => lapackSvd(never, values, 48, 48, 1), { name: "RangeError", message: /NaN at row 1, column 2/ });
});

Deno.test("the library decomposes from 48 singular values on, and where it fails our own SVD does", async () => {
  const backend = await CpuBackend.create({ threads: 1 });
  try {
    const withLibrary = (svd: LibrarySvd): WasmRuntime => ({
      ...backend.wasm!,
      kernels: { ...backend.wasm!.kernels, svd },
    });
    const failing = withLibrary(() => false), working = withLibrary(libraryOf([]));
    const small = random(47, 60, 1).values, large = random(48, 60, 2).values;
    assert.deepEqual(leftSvd(large, 48, 60, failing), leftSvd(large, 48, 60));
    assert.deepEqual(leftSvd(small, 47, 60, working), leftSvd(small, 47, 60));
    assert.equal(leftSvd(large, 48, 60, working).byLibrary, true);
  } finally {
    await backend.close();
  }
});

Deno.test("threads change no bit of an SVD, and its memory is given back", async () => {
  const backend = await CpuBackend.create({ threads: 3 });
  try {
    const room = { ...backend.wasm!, kernels: { ...backend.wasm!.kernels, svd: null } };
    for (const [m, n] of [[390, 330], [330, 390]]) {
      const { values } = random(m, n, 5);
      const found = leftSvd(values, m, n, room), expected = leftSvd(values, m, n);
      for (const part of ["u", "singularValues", "remainder"] as const) {
        // Not deepEqual, which takes minutes to show how large arrays differ.
        assert.ok(found[part].every((x, k) => x === expected[part][k]), `${m} x ${n}: ${part}`);
      }
      const before = room.kernels.memory.buffer.byteLength;
      blockedSvd(values, m, n, room);
      assert.equal(room.kernels.memory.buffer.byteLength, before);
    }
  } finally {
    await backend.close();
  }
});
