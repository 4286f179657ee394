import assert from "node:assert/strict";
import { createMemory, loadKernels, type WasmKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import { loadThreadedKernels } from "../../../../../core/backend/cpu/wasm/threads.ts";
import { erf } from "../../../../../core/kernels/erf.ts";
import { Arena, BINARIES, random } from "./arena.ts";

/** [rows, columns]: whole vectors, leftovers, and nothing but leftovers. */
const SIZES: [number, number][] = [[1, 1], [4, 3], [6, 4], [3, 37], [70, 8], [2, 130], [0, 6]];

/** Asserts |actual - expected| <= tolerance * max(1, |expected|); written so that NaN fails. */
function assertNear(actual: ArrayLike<number>, expected: (index: number) => number, tolerance: number, label: string) {
  for (let i = 0; i < actual.length; i++) {
    const value = expected(i);
    if (!(Math.abs(actual[i] - value) <= tolerance * Math.max(1, Math.abs(value)))) {
      assert.fail(`${label}: element ${i} is ${actual[i]} instead of ${value}`);
    }
  }
}

const sumOf = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

for (const [name, compiled] of BINARIES) {
  const arenaFor = (length: number) => new Arena(loadKernels(createMemory(length * 32 + 8000), compiled));

  Deno.test(`gelu and its gradient (${name}) agree with float64, also in place and far out`, () => {
    for (const length of [0, 1, 3, 4, 5, 130]) {
      const arena = arenaFor(length), { kernels } = arena;
      const x = arena.take(length, random(length, 1).map((value) => 6 * value));
      const g = arena.take(length, random(length, 2));
      x.values.set([0, 60, -60, 1e30, -1e30].slice(0, length));
      const [y, dx] = [arena.take(length), arena.take(length)];
      kernels.gelu(length, x.pointer, y.pointer);
      kernels.geluGradient(length, x.pointer, g.pointer, dx.pointer);
      const distribution = (i: number) => (1 + erf(x.values[i] / Math.SQRT2)) / 2;
      assertNear(y.values, (i) => x.values[i] * distribution(i), 6e-7, `${length}`);
      const slope = (i: number) => {
        const value = x.values[i];
        return distribution(i) + value * Math.exp(-value * value / 2) / Math.sqrt(2 * Math.PI);
      };
      assertNear(dx.values, (i) => g.values[i] * slope(i), 6e-7, `gradient, ${length}`);
      kernels.geluGradient(length, x.pointer, g.pointer, g.pointer);
      assert.deepEqual(g.values, dx.values);
      kernels.gelu(length, x.pointer, x.pointer);
      assert.deepEqual(x.values, y.values);
      arena.assertUntouched();
    }
    const arena = arenaFor(1), x = arena.take(1, [NaN]);
    arena.kernels.gelu(1, x.pointer, x.pointer);
    assert.ok(Number.isNaN(x.values[0]));
  });

  Deno.test(`softmax and its gradient (${name}) agree with float64, with and without a mask`, () => {
    for (const [rows, columns] of SIZES) {
      const length = rows * columns, arena = arenaFor(length), { kernels } = arena, label = `[${rows}, ${columns}]`;
      const x = arena.take(length, random(length, 1).map((value, i) => i % 7 === 0 ? 1000 * value : 20 * value));
      const g = arena.take(length, random(length, 2)), [y, dx] = [arena.take(length), arena.take(length)];
      const masks = Math.ceil(rows / 2), mask = arena.take(masks * columns);
      mask.values.set(mask.values.map((_, i) => i % 3 === 1 ? 0 : 1));
      for (const masked of [false, true]) {
        const seen = (i: number) => !masked || mask.values[Math.floor(i / columns / 2) * columns + i % columns] !== 0;
        kernels.softmax(rows, columns, x.pointer, masked ? mask.pointer : null, 2, y.pointer);
        const row = (i: number) => Array.from({ length: columns }, (_, c) => i - i % columns + c);
        const expected = Float64Array.from({ length }, (_, i) => {
          const counted = row(i).filter(seen).map((at) => x.values[at]);
          const most = Math.max(...counted);
          return seen(i) ? Math.exp(x.values[i] - most) / sumOf(counted.map((value) => Math.exp(value - most))) : 0;
        });
        assertNear(y.values, (i) => expected[i], 1e-6, `${label}, mask ${masked}`);
        if (masked) assert.ok(y.values.every((value, i) => seen(i) || value === 0));
        kernels.softmaxGradient(rows, columns, y.pointer, g.pointer, dx.pointer);
        const dot = (i: number) => sumOf(row(i).map((at) => expected[at] * g.values[at]));
        assertNear(dx.values, (i) => expected[i] * (g.values[i] - dot(i)), 1e-6, `${label}, gradient`);
      }
      arena.assertUntouched();
    }
    // A number that is none must not become one.
    const arena = arenaFor(9), x = arena.take(9, [1, 2, 3, 4, NaN, 5, 6, 7, 8]);
    arena.kernels.softmax(1, 9, x.pointer, null, 1, x.pointer);
    assert.ok(x.values.every(Number.isNaN));
  });

  Deno.test(`layer norm and its gradients (${name}) agree with float64`, () => {
    for (const [rows, columns] of SIZES) {
      const length = rows * columns, arena = arenaFor(length), { kernels } = arena, label = `[${rows}, ${columns}]`;
      const x = arena.take(length, random(length, 1).map((value) => 3 + value));
      const g = arena.take(length, random(length, 2));
      const [weight, bias] = [3, 4].map((seed) => arena.take(columns, random(columns, seed)));
      const [y, dx] = [arena.take(length), arena.take(length)], [mean, scale] = [arena.take(rows), arena.take(rows)];
      const [sums, products] = [arena.take(columns), arena.take(columns)], epsilon = 0.01;
      const [xs, gs, ws, ms, ss] = [x, g, weight, mean, scale].map(({ pointer }) => pointer);
      kernels.layerNorm(rows, columns, xs, ws, bias.pointer, y.pointer, ms, ss, epsilon);
      kernels.layerNormGradient(rows, columns, xs, gs, ws, ms, ss, dx.pointer);
      const scratch = arena.take(kernels.channelScratch(columns) / 4).pointer;
      kernels.layerNormSums(rows, columns, xs, gs, ms, ss, sums.pointer, products.pointer, scratch);
      arena.assertUntouched();

      const rowOf = (values: Float32Array, i: number) => values.subarray(i - i % columns, i - i % columns + columns);
      const centre = (i: number) => sumOf(rowOf(x.values, i)) / columns;
      const factor = (i: number) => {
        const middle = centre(i);
        return 1 / Math.sqrt(sumOf([...rowOf(x.values, i)].map((value) => (value - middle) ** 2)) / columns + epsilon);
      };
      assertNear(mean.values, (row) => centre(row * columns), 1e-6, label);
      assertNear(scale.values, (row) => factor(row * columns), 1e-5, label);
      const normal = Float64Array.from(x.values, (value, i) => (value - centre(i)) * factor(i));
      assertNear(y.values, (i) => normal[i] * weight.values[i % columns] + bias.values[i % columns], 1e-5, label);
      const h = Float64Array.from(g.values, (value, i) => value * weight.values[i % columns]);
      const average = (values: Float64Array, i: number) =>
        sumOf(values.subarray(i - i % columns, i - i % columns + columns)) / columns;
      const both = h.map((value, i) => value * normal[i]);
      const gradient = (i: number) => factor(i) * (h[i] - average(h, i) - normal[i] * average(both, i));
      assertNear(dx.values, gradient, 2e-5, `${label}, gradient`);
      const over = (term: (i: number) => number) => (c: number) =>
        sumOf(Array.from({ length: rows }, (_, row) => term(row * columns + c)));
      assertNear(sums.values, over((i) => g.values[i]), 1e-5, `${label}, sums`);
      assertNear(products.values, over((i) => g.values[i] * normal[i]), 2e-5, `${label}, products`);
    }
  });
}

Deno.test("three threads give the bits that one gives, row by row and element by element", async () => {
  // Large enough for three threads even where an element is little work.
  const rows = 45_011, columns = 37, length = rows * columns;
  const outputsOf = (kernels: WasmKernels): Float32Array[] => {
    let end = 64;
    const take = (size: number, values?: Float32Array) => {
      const region = new Float32Array(kernels.memory.buffer, end, size);
      end += 4 * size;
      if (values) region.set(values);
      return region;
    };
    const [x, g, weight, bias] = [length, length, columns, columns].map((size, i) => take(size, random(size, i + 1)));
    const mask = take(rows * columns, random(rows * columns, 9).map((value) => value > 0 ? 1 : 0));
    const [ys, zs, ds, ms, ss] = [length, length, length, rows, rows].map((size) => take(size));
    const at = (region: Float32Array) => region.byteOffset;
    const copies: Float32Array[] = [];
    const keep = (...regions: Float32Array[]) => copies.push(...regions.map((region) => region.slice()));
    kernels.gelu(length, at(x), at(ys));
    kernels.geluGradient(length, at(x), at(g), at(ds));
    keep(ys, ds);
    kernels.softmax(rows, columns, at(x), at(mask), 1, at(ys));
    kernels.softmaxGradient(rows, columns, at(ys), at(g), at(ds));
    keep(ys, ds);
    kernels.layerNorm(rows, columns, at(x), at(weight), at(bias), at(zs), at(ms), at(ss), 1e-12);
    kernels.layerNormGradient(rows, columns, at(x), at(g), at(weight), at(ms), at(ss), at(ds));
    keep(zs, ms, ss, ds);
    return copies;
  };
  const bytes = length * 4 * 8;
  const threaded = await loadThreadedKernels(createMemory(bytes), 3);
  const several = outputsOf(threaded);
  await threaded.close();
  for (const [index, alone] of outputsOf(loadKernels(createMemory(bytes))).entries()) {
    assert.equal(alone.findIndex((value, i) => value !== several[index][i]), -1, `output ${index}`);
  }
});
