import assert from "node:assert/strict";
import { compileKernels } from "../../../core/backend/cpu/wasm/load.ts";
import { openWorkspace, ownRoom, partOf, Workspace } from "../../../core/linalg/workspace.ts";
import { assertClose } from "../../support/numbers.ts";
import { random } from "./matrices.ts";

/** With fused multiply-add, where the engine has it, and without. */
const BINARIES = [true, false].map((relaxed) => compileKernels(relaxed));

const GAP = 3;

/** A random matrix in a workspace, numbers between its rows, and how it was. */
function put(workspace: Workspace, rows: number, columns: number, seed: number) {
  const stride = columns + GAP, start = workspace.take(rows * stride);
  const before = random(rows, stride, seed).values;
  workspace.numbers.set(before, start);
  return {
    block: { start, stride },
    before,
    at: (i: number, j: number) => before[i * stride + j],
    now: () => workspace.numbers.slice(start, start + rows * stride),
  };
}

// Below, at and above a tile (6 x 4), a block of depth (64) and one of columns (1024).
const PRODUCTS = [[1, 1, 1], [6, 4, 64], [7, 5, 3], [5, 3, 65], [13, 1030, 2], [12, 8, 0], [2, 6, 520], [30, 31, 32]];

Deno.test("C += sign op(A) op(B), and the numbers between the rows of C stay", () => {
  for (const compiled of BINARIES) {
    for (const [m, n, k] of PRODUCTS) {
      for (
        const [transA, transB, sign] of [[false, false, 1], [true, false, -1], [false, true, 1], [
          true,
          true,
          -1,
        ]] as const
      ) {
        const workspace = new Workspace(ownRoom(compiled));
        const flags = { transA, transB };
        const a = flags.transA ? put(workspace, k, m, 1) : put(workspace, m, k, 1);
        const b = flags.transB ? put(workspace, n, k, 2) : put(workspace, k, n, 2);
        const c = put(workspace, m, n, 3);
        const expected = c.before.slice();
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            for (let l = 0; l < k; l++) {
              const left = flags.transA ? a.at(l, i) : a.at(i, l), right = flags.transB ? b.at(j, l) : b.at(l, j);
              expected[i * (n + GAP) + j] += sign * left * right;
            }
          }
        }
        workspace.multiply([m, n, k], sign, a.block, b.block, c.block, flags);
        assertClose(c.now(), expected, 1e-13, `${m} x ${n} x ${k}, ${transA}, ${transB}`);
        assert.deepEqual(a.now(), a.before);
        assert.deepEqual(b.now(), b.before);
      }
    }
  }
});

Deno.test("products of a matrix with a vector from the right and from the left, for all remainders", () => {
  for (const compiled of BINARIES) {
    for (const [rows, columns] of [[1, 1], [3, 2], [4, 4], [5, 7], [9, 6], [8, 13], [2, 33]]) {
      const workspace = new Workspace(ownRoom(compiled));
      const a = put(workspace, rows, columns, 4);
      const x = put(workspace, 1, columns, 5), y = put(workspace, 1, rows, 6);
      const z = put(workspace, 1, columns, 7);
      workspace.rowProducts(rows, columns, a.block, x.block.start, y.block.start);
      const products = y.before.slice();
      for (let i = 0; i < rows; i++) {
        products[i] = 0;
        for (let j = 0; j < columns; j++) products[i] += a.at(i, j) * x.at(0, j);
      }
      assertClose(y.now(), products, 1e-14, `${rows} x ${columns}`);
      workspace.addRows(rows, columns, -1, a.block, y.block.start, z.block.start);
      const sums = z.before.slice();
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) sums[j] -= products[i] * a.at(i, j);
      assertClose(z.now(), sums, 1e-13, `${rows} x ${columns}`);
    }
  }
});

Deno.test("runs of rotations turn neighbouring rows, panel by panel, in their order", () => {
  const rows = 5, panels = 2;
  // One by one; and two at a time, the second as long as the first, shorter, and of one rotation.
  const runs = [
    { first: 1, angles: [0.3, -1, 2] },
    { first: 0, angles: [0.7] },
    { first: 0, angles: [0.2, -0.4, 1, 0.6] },
    { first: 2, angles: [1, -2] },
    { first: 2, angles: [0.4, 0.9] },
    { first: 0, angles: [2, 0.5, -1, 1.5] },
    { first: 0, angles: [0.8] },
    { first: 3, angles: [1.1] },
    { first: 3, angles: [-0.3] },
    { first: 0, angles: [0.1, 0.5, 0.2] },
    { first: 0, angles: [-0.7, 0.3, 1, 2] },
  ];
  for (const compiled of BINARIES) {
    const workspace = new Workspace(ownRoom(compiled));
    const a = put(workspace, panels * rows, 8 - GAP, 8);
    const numbers = runs.flatMap(({ first, angles }) => [
      ...[first, angles.length],
      ...angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]),
    ]);
    const place = workspace.take(numbers.length);
    workspace.numbers.set(numbers, place);
    const expected = a.before.slice();
    for (let panel = 0; panel < panels; panel++) {
      for (const { first, angles } of runs) {
        angles.forEach((angle, step) => {
          for (let j = 0; j < 8; j++) {
            const upper = (panel * rows + first + step) * 8 + j, lower = upper + 8;
            const [x, y] = [expected[upper], expected[lower]];
            expected[upper] = Math.cos(angle) * x + Math.sin(angle) * y;
            expected[lower] = Math.cos(angle) * y - Math.sin(angle) * x;
          }
        });
      }
    }
    workspace.rotatePanels(rows, panels, a.block.start, runs.length, place);
    assertClose(a.now(), expected, 4e-15);
  }
});

Deno.test("a part of a block has the block's rows", () => {
  assert.deepEqual(partOf({ start: 10, stride: 7 }, 2, 3), { start: 27, stride: 7 });
});

Deno.test("memory grows as it is taken, what was there stays, and all of it is given back at once", () => {
  const workspace = new Workspace(ownRoom(BINARIES[0]));
  const first = workspace.take(3);
  workspace.numbers.set([1, 2, 3], first);
  const large = workspace.take(2_000_000);
  workspace.numbers[large + 1_999_999] = 4;
  assert.deepEqual([...workspace.numbers.subarray(first, first + 3)], [1, 2, 3]);
  assert.ok(large >= first + 3 && workspace.numbers.length >= large + 2_000_000);
});

Deno.test("a workspace that was closed leaves its memory to the next one", () => {
  const places = () => {
    using workspace = openWorkspace();
    return [100_000, 200_000, 1000].map((count) => workspace.take(count));
  };
  assert.deepEqual(places(), places());
});
