import assert from "node:assert/strict";
import { diagonalise } from "../../../core/linalg/bidiagonal_qr.ts";
import { jacobiSvd } from "../../../core/linalg/jacobi_svd.ts";
import { identity, matrix, maxAbs, orthogonalityError, product, transposed } from "./matrices.ts";

const SIZE = 40;

/** Diagonal and numbers above it: what makes the iteration take another turn. */
const BIDIAGONALS: Readonly<Record<string, readonly [(i: number) => number, (i: number) => number]>> = {
  "ones": [() => 1, () => 1],
  "waves": [Math.sin, Math.cos],
  "zero": [() => 0, () => 0],
  "diagonal": [(i) => (-1) ** i * i, () => 0],
  "nilpotent": [() => 0, () => 1],
  "a zero at the beginning": [Number, () => 1],
  "a zero in the middle": [(i) => i - 20, () => 1],
  "a zero at the end": [(i) => SIZE - 1 - i, () => 1],
  "descending": [(i) => 10 ** -i, (i) => 10 ** -i],
  "ascending": [(i) => 10 ** (i - SIZE), (i) => 10 ** (i - SIZE)],
  "a zero after rotations that underflow": [(i) => Number(i % 30 > 0), () => 1e-15],
  "two blocks": [() => 1, (i) => Number(i !== 17)],
  "tiny diagonal": [(i) => 1e-12 * Math.sin(i), () => 1],
  "below underflow": [(i) => 10 ** (-12 * i), (i) => 10 ** (-9 * i)],
  "noise": [(i) => i < 5 ? 1 : 1e-16, (i) => i < 5 ? 1 : -1e-16],
};

/** Diagonalises, and applies the rotations to the identity as they are written down. */
function run(diagonal: Float64Array, upper: Float64Array, capacity: number) {
  const rows = identity(SIZE).values, buffer = new Float64Array(capacity);
  const flush = (count: number) => {
    let at = 0;
    for (let run = 0; run < count; run++) {
      const first = buffer[at++], length = buffer[at++];
      for (let i = first; i < first + length; i++) {
        const cosine = buffer[at++], sine = buffer[at++];
        for (let j = 0; j < SIZE; j++) {
          const x = rows[i * SIZE + j], y = rows[(i + 1) * SIZE + j];
          rows[i * SIZE + j] = cosine * x + sine * y;
          rows[(i + 1) * SIZE + j] = cosine * y - sine * x;
        }
      }
    }
    assert.ok(at <= capacity);
  };
  const runs = diagonalise(diagonal, upper, { buffer, flush });
  return { runs, u: transposed({ values: rows, rows: SIZE, columns: SIZE }) };
}

Deno.test("U^T B B^T U is the diagonal of the squares, whatever the bidiagonal matrix, in few runs", () => {
  for (const [name, [onDiagonal, above]] of Object.entries(BIDIAGONALS)) {
    const b = matrix(SIZE, SIZE, (i, j) => i === j ? onDiagonal(i) : i + 1 === j ? above(i) : 0);
    const diagonal = Float64Array.from({ length: SIZE }, (_, i) => onDiagonal(i));
    const { runs, u } = run(diagonal, Float64Array.from({ length: SIZE - 1 }, (_, i) => above(i)), 300);
    assert.ok(runs <= 3 * SIZE, `${name}: ${runs} runs`);
    assert.ok(orthogonalityError(u) < 2e-14, `${name}: ${orthogonalityError(u)}`);
    const rest = product(transposed(u), b), gram = product(rest, transposed(rest));
    const scale = maxAbs(diagonal) ** 2 || 1;
    const error = maxAbs(gram.values.map((x, k) => x - (k % (SIZE + 1) === 0 ? diagonal[k / (SIZE + 1)] ** 2 : 0)));
    assert.ok(error <= 2e-14 * scale, `${name}: ${error}`);
    const expected = jacobiSvd(b.values, SIZE, SIZE).singularValues;
    const found = diagonal.map(Math.abs).sort().reverse();
    assert.ok(maxAbs(found.map((x, k) => x - expected[k])) <= 1e-14 * (expected[0] || 1), name);
  }
});

Deno.test("a single number is its own singular value", () => {
  const diagonal = Float64Array.of(-2);
  assert.equal(diagonalise(diagonal, new Float64Array(0), { buffer: new Float64Array(2), flush: () => {} }), 0);
  assert.deepEqual([...diagonal], [-2]);
});
