import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import { Device } from "../../../core/device.ts";
import { svd } from "../../../core/linalg/device_svd.ts";
import { leftSvd } from "../../../core/linalg/svd.ts";
import { testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import {
  diagonal,
  HARD_MATRICES,
  identity,
  lowRank,
  type Matrix,
  matrix,
  maxAbs,
  orthogonalityError,
  product,
  random,
  relativeError,
  scaled,
} from "./matrices.ts";

/** Those that float32 can hold, and more at its ends. */
const HARD: Readonly<Record<string, Matrix>> = {
  ...Object.fromEntries(
    Object.entries(HARD_MATRICES).filter(([, { values }]) => {
      const largest = maxAbs(values);
      return largest === 0 || (largest > 1e-6 && largest < 1e6);
    }),
  ),
  "near 1e37": scaled(random(9, 6, 9), 1e37),
  "near 1e-30": scaled(random(6, 9, 10), 1e-30),
  "identity of several blocks": identity(70),
  "ones of several blocks": matrix(90, 50, () => 1),
  "zero of several blocks": matrix(50, 90, () => 0),
  "rank 5 of 60": lowRank(60, 60, 5, 11),
  "rank 40 of 50, tall": lowRank(80, 50, 40, 12),
  "two equal halves": matrix(40, 66, (i, j) => Math.cos(i * (j % 33) + i)),
  "graded over several blocks": matrix(48, 48, (i, j) => 10 ** (-i / 4) * Math.cos(i * j + 1)),
};

const SHAPES = [[8, 8], [12, 72], [33, 17], [33, 35], [48, 192], [64, 300], [100, 36], [128, 128]];

async function decompose(backend: Backend, a: Matrix) {
  const device = new Device(backend);
  const input = device.tensor(a.values, [a.rows, a.columns]);
  const parts = await svd(device, input);
  const [values, u, singularValues, remainder] = await device.read([
    input,
    parts.u,
    parts.singularValues,
    parts.remainder,
  ]);
  const r = Math.min(a.rows, a.columns);
  assert.deepEqual(parts.u.shape, [a.rows, r]);
  assert.deepEqual(parts.singularValues.shape, [r]);
  assert.deepEqual(parts.remainder.shape, [r, a.columns]);
  for (const tensor of [input, parts.u, parts.singularValues, parts.remainder]) tensor.dispose();
  assert.equal(backend.memory().storages, 0, "all storages are freed");
  return {
    a: { ...a, values: Float64Array.from(values) }, // as float32 holds it
    u: { values: Float64Array.from(u), rows: a.rows, columns: r },
    singularValues: Float64Array.from(singularValues),
    remainder: { values: Float64Array.from(remainder), rows: r, columns: a.columns },
  };
}

async function check(backend: Backend, name: string, given: Matrix): Promise<void> {
  const { a, u, singularValues, remainder } = await decompose(backend, given);
  assert(orthogonalityError(u) <= 2e-6, `${name}: U^T U is off by ${orthogonalityError(u)}`);
  assert(relativeError(product(u, remainder), a) <= 2e-6, `${name}: U R`);
  const expected = leftSvd(a.values, a.rows, a.columns).singularValues;
  for (let k = 0; k < expected.length; k++) {
    const error = Math.abs(singularValues[k] - expected[k]);
    assert(error <= 2e-6 * expected[0], `${name}: singular value ${k} is ${singularValues[k]}, not ${expected[k]}`);
    assert(singularValues[k] <= (singularValues[k - 1] ?? Infinity), `${name}: order`);
    const column = Array.from({ length: u.rows }, (_, i) => u.values[i * u.columns + k]);
    assert(Math.max(...column) === maxAbs(column), `${name}: sign of column ${k}`);
  }
}

testBackends("U is orthonormal and U times the remainder the matrix, for all kinds of shapes", async (backend) => {
  for (const [m, n] of SHAPES) await check(backend, `${m} x ${n}`, random(m, n, m + n));
});

testBackends("U is orthonormal and U times the remainder the matrix, for hard matrices", async (backend) => {
  for (const [name, a] of Object.entries(HARD)) await check(backend, name, a);
});

testBackends("where singular values lie apart, U and the remainder are those of float64", async (backend) => {
  for (const [m, n] of [[20, 11], [37, 50], [40, 40]]) {
    const r = Math.min(m, n);
    const spread = diagonal(...Array.from({ length: r }, (_, k) => 1 / (1 + k)));
    const left = leftSvd(random(m, r, 1).values, m, r).u, right = leftSvd(random(n, r, 2).values, n, r).u;
    const a = product(
      product({ values: left, rows: m, columns: r }, spread),
      matrix(r, n, (i, j) => right[j * r + i]),
    );
    const { a: held, u, remainder } = await decompose(backend, a);
    const expected = leftSvd(held.values, m, n);
    assertClose(u.values, expected.u, 3e-4, `${m} x ${n}: U`);
    assertClose(remainder.values, expected.remainder, 3e-5, `${m} x ${n}: remainder`);
  }
});

testBackends("SVD refuses tensors that are no matrix, and numbers that are not finite", async (backend) => {
  const device = new Device(backend);
  const cube = device.tensor(new Float32Array(8), [2, 2, 2]);
  await assert.rejects(() => svd(device, cube), { name: "RangeError", message: /\[2, 2, 2\]: it must be a matrix/ });
  const broken = device.tensor([1, 2, 3, NaN], [2, 2]);
  await assert.rejects(() => svd(device, broken), { name: "RangeError", message: /NaN at row 1, column 1/ });
  cube.dispose();
  broken.dispose();
  assert.equal(backend.memory().storages, 0);
});
