import assert from "node:assert/strict";
import { householderQr } from "../../../core/linalg/qr.ts";
import { HARD_MATRICES, type Matrix, matrix, orthogonalityError, product, relativeError } from "./matrices.ts";

Deno.test("Q is orthonormal, R upper triangular and Q R the matrix, for hard matrices", () => {
  for (const [name, a] of Object.entries(HARD_MATRICES)) {
    if (a.rows < a.columns) continue;
    const input = a.values.slice();
    const { q, r } = factors(a);
    assert(orthogonalityError(q) < 1e-14, `${name}: Q^T Q`);
    // A matrix of subnormal numbers is itself rounded to few digits.
    const limit = name === "subnormal" ? 1e-8 : 1e-14;
    assert(relativeError(product(q, r), a) < limit, `${name}: Q R`);
    assert(r.values.every((x, k) => Math.floor(k / r.columns) <= k % r.columns || x === 0), `${name}: R`);
    assert.deepEqual(a.values, input, `${name}: the input was changed`);
  }
});

Deno.test("R of a column is its length", () => {
  const { q, r } = householderQr(Float64Array.of(3, 4), 2, 1);
  assert.deepEqual(Array.from(r), [-5]);
  assert(Math.abs(q[0] + 0.6) < 1e-15 && Math.abs(q[1] + 0.8) < 1e-15);
});

Deno.test("an orthogonal input gives |R| = I, and a zero column a zero on R's diagonal", () => {
  const rotation = householderQr(Float64Array.of(0.6, -0.8, 0.8, 0.6), 2, 2);
  assert(
    relativeError(matrix(2, 2, (i, j) => Math.abs(rotation.r[2 * i + j])), matrix(2, 2, (i, j) => +(i === j))) < 1e-15,
  );
  const { r } = householderQr(Float64Array.of(1, 0, 2, 0, 3, 0), 3, 2);
  assert.equal(r[3], 0);
});

Deno.test("QR refuses wide matrices, sizes that do not fit and numbers that are not finite", () => {
  assert.throws(() => householderQr(new Float64Array(6), 2, 3), {
    name: "RangeError",
    message: /as many rows as columns/,
  });
  assert.throws(() => householderQr(new Float64Array(5), 3, 2), { name: "RangeError", message: /5 numbers.*6/ });
  assert.throws(() => householderQr(new Float64Array(0), 0, 0), { name: "RangeError", message: /whole numbers/ });
  assert.throws(() => householderQr(Float64Array.of(1, 2, 3, NaN), 2, 2), {
    name: "RangeError",
    message: /NaN at row 1, column 1/,
  });
});

function factors(a: Matrix): { q: Matrix; r: Matrix } {
  const { q, r } = householderQr(a.values, a.rows, a.columns);
  return {
    q: { values: q, rows: a.rows, columns: a.columns },
    r: { values: r, rows: a.columns, columns: a.columns },
  };
}
