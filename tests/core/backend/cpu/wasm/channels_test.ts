import assert from "node:assert/strict";
import { createMemory, loadKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import { Arena, assertClose, BINARIES, random } from "./arena.ts";

/** [rows, channels]: whole vectors and leftovers, fewer rows than a block and several blocks, and none. */
const SIZES: [number, number][] = [[1, 1], [5, 3], [7, 4], [3, 37], [513, 8], [1001, 13], [2000, 5], [9001, 1], [0, 6]];

/** What a result should be: the sum of the terms that `terms` lists for each element. */
function reference(length: number, terms: (element: number) => Iterable<number>) {
  const expected = { sum: new Float64Array(length), magnitude: new Float64Array(length) };
  for (let i = 0; i < length; i++) {
    for (const term of terms(i)) {
      expected.sum[i] += term;
      expected.magnitude[i] += Math.abs(term);
    }
  }
  return expected;
}

for (const [name, compiled] of BINARIES) {
  const arenaFor = (length: number) => new Arena(loadKernels(createMemory(length * 16 + 4000), compiled));

  Deno.test(`sums per channel (${name}) agree with float64`, () => {
    for (const [rows, channels] of SIZES) {
      const arena = arenaFor(rows * channels), { kernels } = arena, label = `[${rows}, ${channels}]`;
      const x = arena.take(rows * channels, random(rows * channels, 1));
      const gradient = arena.take(rows * channels, random(rows * channels, 2));
      const mean = arena.take(channels, random(channels, 3));
      const [sums, squares, biases, products] = [1, 2, 3, 4].map(() => arena.take(channels));
      const scratch = arena.take(kernels.channelScratch(channels) / 4).pointer;
      kernels.channelSums(rows, channels, x.pointer, sums.pointer, scratch);
      kernels.channelSquares(rows, channels, x.pointer, mean.pointer, squares.pointer, scratch);
      kernels.channelGradientSums(
        ...[rows, channels, x.pointer, gradient.pointer, mean.pointer] as const,
        ...[biases.pointer, products.pointer, scratch] as const,
      );
      arena.assertUntouched();

      const over = (term: (element: number, channel: number) => number) =>
        reference(channels, (c) => Array.from({ length: rows }, (_, row) => term(row * channels + c, c)));
      assertClose(sums.values, over((i) => x.values[i]), rows, label);
      assertClose(biases.values, over((i) => gradient.values[i]), rows, label);
      // The difference is rounded, too.
      assertClose(squares.values, over((i, c) => (x.values[i] - mean.values[c]) ** 2), rows + 2, label);
      const product = over((i, c) => gradient.values[i] * (x.values[i] - mean.values[c]));
      assertClose(products.values, product, rows + 1, label);
    }
  });

  Deno.test(`a long sum per channel (${name}) loses no more digits than its blocks allow`, () => {
    // One running sum of so many equal numbers is off by 5e-4.
    const rows = 400_000, arena = arenaFor(rows);
    const x = arena.take(rows), sums = arena.take(1);
    x.values.fill(0.1);
    arena.kernels.channelSums(rows, 1, x.pointer, sums.pointer, 0);
    assert(Math.abs(sums.values[0] / (rows * Math.fround(0.1)) - 1) < 1e-5, `${sums.values[0]}`);
  });

  Deno.test(`affine maps per channel (${name}) agree with float64, also in place`, () => {
    for (const [rows, channels] of SIZES) {
      const length = rows * channels, arena = arenaFor(length), { kernels } = arena, label = `[${rows}, ${channels}]`;
      const x = arena.take(length, random(length, 1)), gradient = arena.take(length, random(length, 2));
      const before = x.values.slice(), incoming = gradient.values.slice(), y = arena.take(length);
      // Shifts far enough that some results are beyond 6.
      const [a, b] = [3, 4].map((seed) => arena.take(channels, random(channels, seed).map((n) => 9 * n)));
      const coefficients = arena.take(4 * channels, random(4 * channels, 5));

      const affine = (added: number | null, to: number, activation: number) =>
        kernels.channelAffine(rows, channels, x.pointer, a.pointer, b.pointer, added, to, activation);
      affine(null, y.pointer, 0);
      const terms = (i: number) => [before[i] * a.values[i % channels], b.values[i % channels]];
      assertClose(y.values, reference(length, terms), 2, label);
      affine(gradient.pointer, y.pointer, 0);
      assertClose(y.values, reference(length, (i) => [...terms(i), incoming[i]]), 3, label);
      const positive = y.values.map((value) => Math.max(value, 0));
      const capped = positive.map((value) => Math.min(value, 6));
      affine(gradient.pointer, y.pointer, 2);
      assert.deepEqual(y.values, capped);

      const combined = reference(length, (i) => {
        const [factor, mean, slope, offset] = [0, 1, 2, 3].map((row) =>
          coefficients.values[row * channels + i % channels]
        );
        return [incoming[i] * factor, before[i] * slope, -mean * slope, offset];
      });
      const dx = gradient.pointer;
      kernels.channelGradient(rows, channels, x.pointer, gradient.pointer, coefficients.pointer, dx);
      assertClose(gradient.values, combined, 5, label);

      gradient.values.set(incoming);
      affine(gradient.pointer, x.pointer, 1);
      assert.deepEqual(x.values, positive);
      arena.assertUntouched();
    }
  });

  Deno.test(`relu, its gradient and addition (${name}) agree with JavaScript, also in place`, () => {
    for (const length of [0, 1, 3, 4, 5, 16, 127]) {
      const arena = arenaFor(length), { kernels } = arena;
      const x = arena.take(length, random(length, 1)), g = arena.take(length, random(length, 2));
      const [y, dx, sum] = [1, 2, 3].map(() => arena.take(length));
      x.values.set([0, -0, NaN, Infinity, -Infinity].slice(0, length));
      kernels.relu(length, x.pointer, y.pointer);
      kernels.reluGradient(length, x.pointer, g.pointer, dx.pointer);
      kernels.add(length, x.pointer, g.pointer, sum.pointer);
      assert.deepEqual([...y.values], [...x.values].map((value) => Math.max(value, 0)));
      assert.deepEqual([...dx.values], [...g.values].map((value, i) => x.values[i] > 0 ? value : 0));
      assert.deepEqual([...sum.values], [...g.values].map((value, i) => Math.fround(x.values[i] + value)));

      kernels.reluGradient(length, x.pointer, g.pointer, g.pointer);
      assert.deepEqual([...g.values], [...dx.values]);
      const positive = [...y.values];
      kernels.add(length, sum.pointer, y.pointer, y.pointer);
      assert.deepEqual([...y.values], positive.map((value, i) => Math.fround(sum.values[i] + value)));
      kernels.relu(length, x.pointer, x.pointer);
      assert.deepEqual([...x.values], positive);
      arena.assertUntouched();
    }
  });

  Deno.test(`relu6, hard-swish, SiLU and their gradients (${name}) agree with JavaScript, also in place`, () => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const functions = {
      relu6: [(x: number) => Math.min(Math.max(x, 0), 6), (x: number) => x > 0 && x < 6 ? 1 : 0],
      hardSwish: [
        (x: number) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
        (x: number) => x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5,
      ],
      silu: [(x: number) => x * sigmoid(x), (x: number) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))],
    } as const;
    for (const length of [0, 1, 3, 4, 5, 16, 127]) {
      for (const [kernel, [value, slope]] of Object.entries(functions)) {
        const arena = arenaFor(length), { kernels } = arena;
        const x = arena.take(length, random(length, 1).map((number) => 9 * number)),
          g = arena.take(length, random(length, 2));
        x.values.set([3, -3, NaN, 0, 100, -80].slice(0, length));
        const [inputs, gradients] = [[...x.values], [...g.values]];
        const close = (actual: Float32Array, expected: number[]) =>
          actual.forEach((number, i) => {
            const right = Object.is(number, NaN) === Object.is(expected[i], NaN) &&
              !(Math.abs(number - expected[i]) > 1e-6 * Math.max(1, Math.abs(expected[i])));
            assert.ok(right, `${kernel} of ${inputs[i]} is ${number}, not ${expected[i]}`);
          });
        const names = [kernel, `${kernel}Gradient`] as ["relu6", "relu6Gradient"];
        // NaN is no number between 0 and 6: as everywhere, the gradient of what is not passed on is 0.
        const slopes = inputs.map((input, i) => gradients[i] * slope(input));
        kernels[names[1]](length, x.pointer, g.pointer, g.pointer);
        close(g.values, slopes);
        kernels[names[0]](length, x.pointer, x.pointer);
        close(x.values, inputs.map(value));
        arena.assertUntouched();
      }
    }
  });
}
