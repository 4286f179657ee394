import assert from "node:assert/strict";
import { blockedSvd } from "../../../core/linalg/blocked_svd.ts";
import { jacobiSvd } from "../../../core/linalg/jacobi_svd.ts";
import { lapackSvd } from "../../../core/linalg/lapack_svd.ts";
import { type LeftSvd, leftSvd } from "../../../core/linalg/svd.ts";
import { openedLibrary } from "../../support/backends.ts";
import {
  diagonal,
  HARD_MATRICES,
  hilbert,
  identity,
  kahan,
  lowRank,
  type Matrix,
  matrix,
  maxAbs,
  orthogonalityError,
  product,
  random,
  relativeError,
  scaled,
  transposed,
} from "./matrices.ts";

type Svd = (a: Float64Array, m: number, n: number) => LeftSvd;

/** Under `-- --native` that of this machine's library, where it has LAPACK. */
const { svd: librarySvd } = openedLibrary();

/** `leftSvd` takes one or the other, by size. */
const METHODS: Readonly<Record<string, Svd>> = {
  jacobi: jacobiSvd,
  blocked: blockedSvd,
  ...librarySvd && { LAPACK: (a, m, n) => lapackSvd(librarySvd, a, m, n, 2)! },
};

/** Of several panels and blocks, some of them with columns that are equal, zero, or of very different size. */
const LARGER_MATRICES: Readonly<Record<string, Matrix>> = {
  "three panels": random(70, 70, 1),
  "more rotations than are applied together": random(190, 180, 6),
  "three panels, tall": random(150, 70, 2),
  "three panels, wide": random(70, 150, 3),
  "identity of three panels": identity(70),
  "ones of three panels": matrix(90, 70, () => 1),
  "zero of three panels": matrix(70, 90, () => 0),
  "rank 5 of 70": lowRank(110, 70, 5, 4),
  "two equal halves": matrix(70, 140, (i, j) => Math.cos(i * (j % 70) + i)),
  "zero blocks": matrix(120, 72, (i, j) => Math.floor(i / 40) === Math.floor(j / 24) ? Math.sin(i * j + i) : 0),
  "graded rows of three panels": matrix(80, 70, (i, j) => 10 ** (-i / 4) * Math.cos(i * j + 1)),
  "graded columns of three panels": matrix(70, 80, (i, j) => 10 ** ((j - 80) / 4) * Math.cos(i * j + 1)),
  "bidiagonal, ascending": matrix(70, 70, (i, j) => i === j || i + 1 === j ? 2 ** (i - 70) : 0),
  "nilpotent": matrix(70, 70, (i, j) => Number(i + 1 === j)),
};

for (const [method, svd] of Object.entries(METHODS)) {
  const matrices = { ...HARD_MATRICES, ...LARGER_MATRICES };
  Deno.test(`${method}: U is orthonormal, U times the remainder the matrix, order and signs as agreed, for hard matrices`, () => {
    for (const [name, a] of Object.entries(matrices)) checkParts(name, a, svd);
  });
}

function checkParts(name: string, a: Matrix, svd: Svd): void {
  const input = a.values.slice();
  const { u, singularValues, remainder } = decompose(a, svd);
  // A matrix of subnormal numbers is itself rounded to few digits.
  const limit = name === "subnormal" ? 1e-7 : 3e-14;
  assert(orthogonalityError(u) < 3e-14, `${name}: U^T U`);
  assert(relativeError(product(u, remainder), a) < limit, `${name}: U R`);
  for (let k = 0; k < singularValues.length; k++) {
    assert(singularValues[k] >= 0 && singularValues[k] <= (singularValues[k - 1] ?? Infinity), `${name}: order`);
    assert(largestEntry(u, k) > 0, `${name}: sign of column ${k}`);
  }
  const largest = singularValues[0];
  if (largest > 0) {
    const unit = matrix(remainder.rows, remainder.columns, (i, j) => remainder.values[i * a.columns + j] / largest);
    const gram = product(unit, transposed(unit));
    const expected = diagonal(...Array.from(singularValues, (s) => (s / largest) ** 2));
    assert(maxAbs(gram.values.map((x, k) => x - expected.values[k])) < limit, `${name}: R R^T`);
  }
  assert.deepEqual(a.values, input, `${name}: the input was changed`);
}

Deno.test("Jacobi's method needs few sweeps", () => {
  for (const [name, { values, rows, columns }] of Object.entries(HARD_MATRICES)) {
    const { sweeps } = jacobiSvd(values, rows, columns);
    assert(sweeps <= 12, `${name}: ${sweeps} sweeps`);
  }
});

Deno.test("both methods find the same singular values, and the same vectors where these are apart", () => {
  for (const [m, n] of [[60, 60], [100, 48], [50, 90]]) {
    const a = random(m, n, m + n);
    const [one, other] = [decompose(a, jacobiSvd), decompose(a, blockedSvd)];
    assert(maxAbs(one.singularValues.map((s, k) => s - other.singularValues[k])) < 1e-13);
    assert(maxAbs(one.u.values.map((x, k) => x - other.u.values[k])) < 1e-10);
    assert(maxAbs(one.remainder.values.map((x, k) => x - other.remainder.values[k])) < 1e-10);
  }
});

Deno.test("from 48 singular values on the blocked method is taken", () => {
  const [small, large] = [random(60, 47, 1), random(48, 60, 2)];
  assert.deepEqual(decompose(small), decompose(small, (...args) => withoutSweeps(jacobiSvd(...args))));
  assert.deepEqual(decompose(large), decompose(large, blockedSvd));
});

function withoutSweeps({ u, singularValues, remainder }: LeftSvd): LeftSvd {
  return { u, singularValues, remainder };
}

/** `2 cos(k pi / (2 n + 1))` for ones on the diagonal and above it. */
const BIDIAGONAL_SIZE = 9;
const HILBERT_5 = [
  1.5670506910982311,
  0.2085342186110134,
  0.01140749162341981,
  3.058980401511918e-4,
  3.287928772171574e-6,
];
const GOLDEN = [
  3.594448838621915,
  3.1361585496868405,
  2.7748484004390916,
  2.4037920667182107,
  2.1796920146507572,
  1.6724077408599638,
  1.314668674886789,
  1.1439119076193527,
  0.684125245656799,
];

const KNOWN: ReadonlyArray<{ name: string; a: Matrix; singularValues: number[]; relative?: number }> = [
  { name: "1 x 1", a: matrix(1, 1, () => -3), singularValues: [3] },
  { name: "row", a: matrix(1, 2, (_, j) => 3 + j), singularValues: [5] },
  { name: "column", a: matrix(2, 1, (i) => 3 + i), singularValues: [5] },
  { name: "zero", a: matrix(4, 3, () => 0), singularValues: [0, 0, 0] },
  { name: "identity", a: identity(5), singularValues: [1, 1, 1, 1, 1] },
  { name: "diagonal", a: diagonal(1, -4, 0, 2), singularValues: [4, 2, 1, 0] },
  { name: "ones", a: matrix(4, 9, () => 1), singularValues: [6, 0, 0, 0] },
  { name: "reflection", a: matrix(6, 6, (i, j) => Number(i === j) - 1 / 3), singularValues: [1, 1, 1, 1, 1, 1] },
  {
    name: "bidiagonal",
    a: matrix(BIDIAGONAL_SIZE, BIDIAGONAL_SIZE, (i, j) => Number(i === j || i + 1 === j)),
    singularValues: Array.from(
      { length: BIDIAGONAL_SIZE },
      (_, k) => 2 * Math.cos((k + 1) * Math.PI / (2 * BIDIAGONAL_SIZE + 1)),
    ),
  },
  { name: "Hilbert", a: hilbert(5), singularValues: HILBERT_5 },
  { name: "golden, interleaved 4 x 3 legs", a: golden(), singularValues: GOLDEN },
  // Jacobi finds small singular values of graded matrices to high relative accuracy, which other methods do not.
  {
    name: "tiny row",
    a: matrix(2, 2, (i, j) => i ? (j ? -1e-90 : 1e-90) : 1),
    singularValues: [2 ** 0.5, 2 ** 0.5 * 1e-90],
    relative: 1e-14,
  },
  { name: "below underflow", a: diagonal(1e-200, 1), singularValues: [1, 1e-200], relative: 1e-14 },
  { name: "huge", a: diagonal(2e300, 1e300), singularValues: [2e300, 1e300], relative: 1e-14 },
  { name: "subnormal", a: diagonal(2 ** -1070, 2 ** -1074), singularValues: [2 ** -1070, 2 ** -1074], relative: 1e-14 },
];

Deno.test("singular values that are known come out", () => {
  for (const { name, a, singularValues, relative } of KNOWN) {
    for (const [method, svd] of Object.entries(METHODS)) {
      const found = decompose(a, svd).singularValues;
      assert.equal(found.length, singularValues.length, name);
      singularValues.forEach((expected, k) => {
        const ofLargest = 1e-14 * singularValues[0];
        const tolerance = relative === undefined || method !== "jacobi" ? ofLargest : relative * expected;
        assert(Math.abs(found[k] - expected) <= tolerance, `${name}, ${method}: ${found[k]} for ${expected}`);
      });
    }
  }
});

Deno.test("the product of a Kahan matrix' singular values is its determinant, though the last is tiny", () => {
  const { singularValues } = decompose(kahan(40, 0.8));
  const logarithm = singularValues.reduce((sum, s) => sum + Math.log(s), 0);
  assert(Math.abs(logarithm - 40 * 39 / 2 * Math.log(0.8)) < 1e-10);
});

Deno.test("a matrix and its transpose have the same singular values", () => {
  for (const a of [random(20, 7, 1), random(7, 20, 2), random(40, 40, 3)]) {
    const [s, t] = [decompose(a).singularValues, decompose(transposed(a)).singularValues];
    assert(maxAbs(s.map((x, k) => x - t[k])) < 1e-13 * s[0]);
  }
});

Deno.test("a low rank shows as singular values at the rounding of the largest", () => {
  for (const [rows, columns] of [[25, 25], [60, 20], [20, 60]]) {
    const { singularValues } = decompose(lowRank(rows, columns, 4, 9));
    assert(singularValues[3] > 1e-2 && singularValues[4] < 1e-14 * singularValues[0]);
  }
});

Deno.test("multiplying by a power of two changes exponents only", () => {
  for (const a of [random(13, 9, 4), random(60, 50, 5)]) {
    const [one, many] = [decompose(a), decompose(scaled(a, 2 ** 900))];
    assert.deepEqual(many.u, one.u);
    assert.deepEqual(many.singularValues, one.singularValues.map((s) => s * 2 ** 900));
    assert.deepEqual(many.remainder.values, one.remainder.values.map((x) => x * 2 ** 900));
  }
});

Deno.test("U and remainder of the documented example", () => {
  const { u, singularValues, remainder } = leftSvd(Float64Array.of(0, 2, -1, 0), 2, 2);
  assert.deepEqual([...u, ...singularValues].map(Math.abs), [1, 0, 0, 1, 2, 1]);
  assert.deepEqual(Array.from(remainder, (x) => x + 0), [0, 2, -1, 0]);
});

Deno.test("SVD refuses sizes that do not fit and numbers that are not finite, and says where", () => {
  assert.throws(() => leftSvd(new Float64Array(5), 2, 3), { name: "RangeError", message: /5 numbers.*6/ });
  assert.throws(() => leftSvd(new Float64Array(2), 1.5, 2), { name: "RangeError", message: /whole numbers/ });
  for (const svd of [leftSvd, blockedSvd]) {
    assert.throws(() => svd(Float64Array.of(1, 2, 3, 4, -Infinity, 6), 2, 3), {
      name: "RangeError",
      message: "Cannot decompose a matrix with -Infinity at row 1, column 1: all must be finite",
    });
  }
});

function decompose(a: Matrix, svd: Svd = leftSvd): { u: Matrix; singularValues: Float64Array; remainder: Matrix } {
  const { u, singularValues, remainder } = svd(a.values, a.rows, a.columns);
  const rank = Math.min(a.rows, a.columns);
  return {
    u: { values: u, rows: a.rows, columns: rank },
    singularValues,
    remainder: { values: remainder, rows: rank, columns: a.columns },
  };
}

function largestEntry(u: Matrix, column: number): number {
  let largest = 0;
  for (let i = 0; i < u.rows; i++) {
    const entry = u.values[i * u.columns + column];
    if (Math.abs(entry) > Math.abs(largest)) largest = entry;
  }
  return largest;
}

/** The golden 12 x 12 matrix with rows and columns split 4 x 3, interleaved to `(i1 j1) x (i2 j2)`: 16 x 9. */
function golden(): Matrix {
  const w = random(12, 12, 16);
  return matrix(16, 9, (p, q) => {
    const row = Math.floor(p / 4) * 3 + Math.floor(q / 3), column = p % 4 * 3 + q % 3;
    return w.values[row * 12 + column] + (row === column ? 0.3 : 0);
  });
}
