import assert from "node:assert/strict";
import { bidiagonalise } from "../../../core/linalg/bidiagonal.ts";
import { transpose } from "../../../core/linalg/matrix.ts";
import { applyReflections, factorisePanels, formReflections } from "../../../core/linalg/panel_reflections.ts";
import { openWorkspace } from "../../../core/linalg/workspace.ts";
import { assertClose } from "../../support/numbers.ts";
import { identity, lowRank, type Matrix, matrix, orthogonalityError, product, random, transposed } from "./matrices.ts";

// Less than a panel of 32, one, and more; a rank that ends inside one.
const TALL = [random(5, 1, 1), random(7, 7, 2), random(40, 32, 3), random(80, 70, 4), lowRank(90, 65, 10, 5)];

Deno.test("QR in panels: Q is orthonormal, Q R the matrix, wherever R is put", () => {
  for (const { values, rows, columns } of TALL) {
    for (const [rowStep, columnStep] of [[columns, 1], [1, columns]]) {
      using workspace = openWorkspace();
      const [a, r, x] = [rows * columns, columns * columns, rows * rows].map((count) => workspace.take(count));
      workspace.numbers.set(transpose(values, rows, columns), a);
      workspace.numbers.fill(0, r, r + columns * columns);
      const q = factorisePanels(workspace, { start: a, stride: rows }, columns, rows, {
        start: r,
        rowStep,
        columnStep,
      });
      workspace.numbers.set(identity(rows).values, x);
      applyReflections(workspace, q, { start: x, stride: rows }, rows);
      const numbers = workspace.numbers;
      const full: Matrix = matrix(rows, rows, (i, j) => numbers[x + j * rows + i]);
      const triangle = matrix(rows, columns, (i, j) => i <= j ? numbers[r + i * rowStep + j * columnStep] : 0);
      assert.ok(orthogonalityError(full) < 1e-14, `${rows} x ${columns}: ${orthogonalityError(full)}`);
      assertClose(product(full, triangle).values, values, 2e-14, `${rows} x ${columns}`);
    }
  }
});

Deno.test("the reduction to bidiagonal form keeps Q orthonormal, and (Q^T A) (Q^T A)^T is B B^T", () => {
  for (const a of [random(1, 1, 1), random(2, 2, 2), random(33, 33, 3), random(70, 70, 4), lowRank(65, 65, 3, 5)]) {
    using workspace = openWorkspace();
    const size = a.rows;
    const [columns, x] = [workspace.take(size * size), workspace.take(size * size)];
    workspace.numbers.set(transposed(a).values, columns);
    const { diagonal, upper, reflections } = bidiagonalise(workspace, { start: columns, stride: size }, size);
    formReflections(workspace, reflections, { start: x, stride: size });
    const { numbers } = workspace;
    const q = matrix(size, size, (i, j) => numbers[x + j * size + i]);
    const b = matrix(size, size, (i, j) => i === j ? diagonal[i] : i + 1 === j ? upper[i] : 0);
    assert.ok(orthogonalityError(q) < 1e-14, `${size}`);
    const rest = product(transposed(q), a);
    assertClose(product(rest, transposed(rest)).values, product(b, transposed(b)).values, 2e-13, `${size}`);
  }
});
