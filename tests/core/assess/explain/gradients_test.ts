import assert from "node:assert/strict";
import { gaussLegendre } from "../../../../core/assess/explain/gauss_legendre.ts";
import { integratedGradients } from "../../../../core/assess/explain/integrated_gradients.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { testBackends } from "../../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";

Deno.test("the Gauss-Legendre rule of n points is exact for polynomials of degree 2 n - 1", () => {
  for (const points of [1, 2, 5, 16, 64]) {
    const { places, weights } = gaussLegendre(points);
    const integral = (f: (x: number) => number) => places.reduce((sum, x, index) => sum + weights[index] * f(x), 0);
    for (const degree of [0, 1, 2 * points - 1]) {
      assert.ok(Math.abs(integral((x) => x ** degree) - 1 / (degree + 1)) < 1e-13, `${points} points, x^${degree}`);
    }
    assert.ok(Math.abs(integral((x) => x ** (2 * points)) - 1 / (2 * points + 1)) > 1e-16 || points > 8);
  }
  assert.throws(() => gaussLegendre(0), /Cannot integrate by 0 points: a whole number from 1 up is needed/);
});

testBackends(
  "integrated gradients of a linear function are w (x - x0), and of a product half of it each",
  async (backend) => {
    const ops = createOps(backend);
    const [x, baseline] = [ops.tensor([1, 2, 3, -1, 0.5, 4], [2, 3]), ops.tensor([0, 1, 1, 1, 1, 1], [2, 3])];
    const w = ops.tensor([2, -1, 3]);
    const linear = integratedGradients(ops, (x) => ops.sum(ops.multiply(x, w), { axes: [1] }), {
      x,
      baseline,
      steps: 1,
    });
    assertClose(await linear.read(), [2, -1, 6, -4, 0.5, 9], 1e-6);
    const zero = ops.full([2, 3], 0);
    const column = (x: typeof w, begin: number) => ops.slice(x, { axis: 1, begin, length: 1 });
    const product = (x: typeof w) => ops.reshape(ops.multiply(column(x, 0), column(x, 2)), [2]);
    const halves = integratedGradients(ops, product, { x, baseline: zero, steps: 1 });
    assertClose(await halves.read(), [1.5, 0, 1.5, -2, 0, -2], 1e-6);
  },
);

testBackends("they add up to f(x) - f(x0), the nearer the more steps, and leave nothing behind", async (backend) => {
  const ops = createOps(backend);
  const weight = ops.tensor(pseudoRandom(1, 5 * 8, -1, 1), [5, 8]);
  const answers = (x: typeof weight) => ops.sum(ops.tanh(ops.linear(x, weight)), { axes: [1] });
  const [x, baseline] = [ops.tensor(pseudoRandom(2, 24, -2, 2), [3, 8]), ops.full([3, 8], 0.3)];
  const change = await ops.subtract(answers(x), answers(baseline)).read();
  const errorOf = async (steps: number) => {
    const before = backend.memory().storages;
    const found = ops.scope(() => integratedGradients(ops, answers, { x, baseline, steps }));
    const numbers = Array.from(await found.read());
    found.dispose();
    const sums = [0, 1, 2].map((row) => numbers.slice(8 * row, 8 * row + 8).reduce((sum, value) => sum + value, 0));
    assert.equal(backend.memory().storages, before);
    return Math.max(...sums.map((sum, row) => Math.abs(sum - change[row])));
  };
  const [few, many] = [await errorOf(2), await errorOf(24)];
  assert.ok(few > 1e-3, `${few} by 2 steps`);
  assert.ok(many < 2e-6, `${many} by 24 steps`);
});

Deno.test("weights that are rounded change them by steps of the rule where ReLUs open, and without kinks by rounding", async () => {
  const ops = createOps(await CpuBackend.create({ precision: "float64" }));
  const [inputs, hidden] = [16, 20_000];
  const numbers = (seed: number, size: number) => pseudoRandom(seed, size);
  const [first, second] = [numbers(1, inputs * hidden), numbers(2, hidden)];
  const [x, baseline] = [ops.tensor(numbers(3, inputs), [1, inputs]), ops.full([1, inputs], 0)];
  const shift = ops.tensor(numbers(4, hidden));
  const of = async (weights: ArrayLike<number>, curve: "relu" | "tanh") => {
    const [up, down] = [ops.tensor(weights, [hidden, inputs]), ops.tensor(second, [1, hidden])];
    const answers = (x: Parameters<typeof ops.relu>[0]) => {
      return ops.reshape(ops.linear(ops[curve](ops.linear(x, up, shift)), down), [1]);
    };
    return await integratedGradients(ops, answers, { x, baseline, steps: 32 }).read();
  };
  const apart = async (curve: "relu" | "tanh", by: number) => {
    const other = first.map((value, at) => value * (1 + by * (at % 7 - 3)));
    const [own, theirs] = [await of(first, curve), await of(other, curve)];
    return Math.max(...own.map((value, at) => Math.abs(value - theirs[at])));
  };
  const [smooth, kinked] = [await apart("tanh", 1e-5), await apart("relu", 1e-5)];
  assert.ok(smooth < 5e-3 && kinked > 4 * smooth, `${smooth}, ${kinked}`);
  await ops.backend.close();
});
