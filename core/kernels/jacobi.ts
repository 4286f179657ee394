import rotationsShader from "../../shaders/jacobi.wgsl" with { type: "text" };
import rotateShader from "../../shaders/jacobi_rotate.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";

/** Columns of a block; a workgroup takes two blocks. */
export const BLOCK = 16;
const PAIR = 2 * BLOCK;

/** Squared length below which a column counts as zero, as in the shader. */
const TINY = 1e-30;

const parameters = { rows: "u32", columns: "u32", slot: "u32", tolerance: "f32" } as const;

/**
 * For each pair of neighbouring blocks of a row-major matrix whose `columns` are a multiple of 32 (zeros fill it up), a
 * 32 x 32 rotation W that brings the pair's columns nearer to right angles, each pair of columns being turned once, is
 * kept less the identity. The largest |cosine| before goes to `cosines[slot + pair]`; up to `tolerance` W is left as it
 * was.
 */
export const jacobiRotationsKernel = defineKernel({
  name: "jacobi rotations",
  reads: { input: "vec4f" },
  writes: { rotation: "f32", cosines: "f32" },
  parameters,
  launch: (p) => ({ shader: rotationsShader, workgroups: [p.columns / PAIR, 1, 1] }),
  // Inner products, then 31 steps of 16 turns of two rows and two columns of G and of W.
  operations: (p) => 2 * PAIR * p.rows * p.columns + 6 * 3 * (PAIR - 1) * BLOCK * p.columns,
  cpu: ({ input, rotation, cosines }, { rows, columns, slot, tolerance }) => {
    for (let pair = 0; pair < columns / PAIR; pair++) {
      const g = square((i, j) => {
        let sum = 0;
        for (let k = 0; k < rows; k++) {
          sum += input[k * columns + pair * PAIR + i] * input[k * columns + pair * PAIR + j];
        }
        return sum;
      });
      const w = square((i, j) => Number(i === j));
      cosines[slot + pair] = largestCosine(g);
      if (cosines[slot + pair] <= tolerance) continue;
      for (let step = 0; step < PAIR - 1; step++) {
        for (let i = 0; i < BLOCK; i++) {
          const [x, y] = i === 0 ? [step, PAIR - 1] : [(step + i) % (PAIR - 1), (step + PAIR - 1 - i) % (PAIR - 1)];
          const [cosine, sine] = turnOf(g[x][x], g[y][y], g[x][y], tolerance);
          [g[x], g[y]] = [
            g[x].map((a, k) => cosine * a - sine * g[y][k]),
            g[x].map((a, k) => sine * a + cosine * g[y][k]),
          ];
          for (const row of [...g, ...w]) {
            [row[x], row[y]] = [cosine * row[x] - sine * row[y], sine * row[x] + cosine * row[y]];
          }
        }
      }
      w.forEach((row, i) =>
        row.forEach((value, j) => rotation[(pair * PAIR + i) * PAIR + j] = value - Number(i === j))
      );
    }
  },
});

function square(entry: (i: number, j: number) => number): number[][] {
  return Array.from({ length: PAIR }, (_, i) => Array.from({ length: PAIR }, (_, j) => entry(i, j)));
}

function largestCosine(g: number[][]): number {
  let largest = 0;
  for (let i = 0; i < PAIR; i++) {
    for (let j = 0; j < i; j++) {
      if (g[i][i] < TINY || g[j][j] < TINY) continue;
      largest = Math.max(largest, Math.abs(g[i][j]) / Math.sqrt(g[i][i] * g[j][j]));
    }
  }
  return largest;
}

/** Cosine and sine of the smaller rotation that brings columns with these inner products to a right angle. */
function turnOf(x: number, y: number, product: number, tolerance: number): [number, number] {
  if (x < TINY || y < TINY || Math.abs(product) <= 0.1 * tolerance * Math.sqrt(x * y)) return [1, 0];
  const zeta = (y - x) / (2 * product);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  return [cosine, cosine * tangent];
}

/**
 * Multiplies each pair of blocks by its rotation, where there is one, and moves the blocks to their places in the next
 * round: after `columns / 16 - 1` rounds each block has met each other and is back where it began.
 */
export const jacobiRotateKernel = defineKernel({
  name: "jacobi rotate",
  reads: { input: "vec4f", rotation: "vec4f", cosines: "f32" },
  writes: { output: "vec4f" },
  parameters,
  launch: (p) => ({
    shader: rotateShader,
    workgroups: [Math.ceil(p.rows / 32), p.columns / PAIR, 1],
  }),
  operations: (p) => 2 * PAIR * p.rows * p.columns,
  cpu: ({ input, rotation, cosines, output }, { rows, columns, slot, tolerance }) => {
    for (let source = 0; source < columns; source++) {
      const pair = Math.floor(source / PAIR), still = cosines[slot + pair] <= tolerance;
      const target = placeOf(Math.floor(source / BLOCK), columns / BLOCK) * BLOCK + source % BLOCK;
      for (let k = 0; k < rows; k++) {
        let sum = input[k * columns + source];
        for (let i = 0; i < PAIR && !still; i++) {
          sum += input[k * columns + pair * PAIR + i] * rotation[(pair * PAIR + i) * PAIR + source % PAIR];
        }
        output[k * columns + target] = sum;
      }
    }
  },
});

/** Where a block goes for the next round: all but the first move on round a circle, even places on, odd ones back. */
function placeOf(block: number, blocks: number): number {
  if (block === 0 || blocks === 2) return block;
  if (block === 1) return 2;
  if (block % 2 === 1) return block - 2;
  return block === blocks - 2 ? block + 1 : block + 2;
}
