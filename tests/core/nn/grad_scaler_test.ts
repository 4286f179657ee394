import assert from "node:assert/strict";
import { GradScaler } from "../../../core/nn/grad_scaler.ts";
import { createOptimiser } from "../../../core/nn/optimisers.ts";
import { ParameterStore } from "../../../core/nn/parameter_store.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";

const all = [float64, ...backends];

testBackends("gradients are unscaled, and then clipped", async (backend) => {
  const ops = createOps(backend);
  const scaler = new GradScaler(ops, { scale: 4 });
  const gradients = [ops.tensor([12, 0]), ops.tensor([0, 16, 0])]; // of norm 5, times 4
  assertClose(await scaler.unscale(gradients, null).read(), [0.25, 0], 1e-6);
  assertClose(await scaler.unscale(gradients, 10).read(), [0.25, 0], 1e-6);
  assertClose(await scaler.unscale(gradients, 1).read(), [0.25 / 5, 0], 1e-6);
}, all);

testBackends("a scale doubles after enough finite steps, and halves at each that is not", async (backend) => {
  const ops = createOps(backend);
  const scaler = new GradScaler(ops, { scale: 2, growthInterval: 2 });
  const [finite, infinite, nan] = [[1, 2], [1, -Infinity], [NaN, 1]].map((numbers) => ops.tensor(numbers));
  const after = async (gradient: typeof finite) => {
    const [factor] = await scaler.unscale([gradient], null).read();
    return [factor < 0 ? "skipped" : factor, ...await scaler.state.read()];
  };
  assert.deepEqual(await after(finite), [1 / 2, 2, 1, 0]);
  assert.deepEqual(await after(infinite), ["skipped", 1, 0, 1]);
  assert.deepEqual(await after(finite), [1, 1, 1, 1]);
  assert.deepEqual(await after(finite), [1, 2, 0, 1]);
  assert.deepEqual(await after(nan), ["skipped", 1, 0, 2]);
  assert.deepEqual(await after(nan), ["skipped", 0.5, 0, 3]);
  assert.deepEqual(await after(finite), ["skipped", 0.25, 0, 4], "below 1 nothing is trained any more");
}, all);

testBackends("a scale grows to 2^24 at most", async (backend) => {
  const ops = createOps(backend);
  const scaler = new GradScaler(ops, { scale: 2 ** 24, growthInterval: 1 });
  await scaler.unscale([ops.tensor([1])], null).read();
  assert.deepEqual([...await scaler.state.read()], [2 ** 24, 0, 0]);
}, all);

/** The weights after steps with these gradients, of a loss that is scaled by 16. */
async function trained(ops: Ops, options: Parameters<typeof createOptimiser>[2], gradients: readonly number[][]) {
  const store = new ParameterStore(ops, [{ name: "w", shape: [2] }]);
  store.set("w", [1, -2]);
  const optimiser = createOptimiser(ops, store, options);
  const scaler = new GradScaler(ops, { scale: 16 });
  for (const [index, gradient] of gradients.entries()) {
    const [scale] = await scaler.state.read();
    store.gather([ops.tensor(gradient.map((g) => g * scale))]);
    const gradientScale = scaler.unscale([store.parts[0].gradient], null);
    optimiser.step({ rate: 0.1, weightDecay: 0.01, gradientScale, step: index + 1 });
  }
  return await ops.read([store.get("w"), ...optimiser.state.values()]);
}

testBackends("a skipped step leaves no trace, whatever the optimiser", async (backend) => {
  const ops = createOps(backend);
  for (
    const options of [
      { use: "sgd", momentum: 0.9, nesterov: true },
      { use: "adamw", betas: [0.9, 0.999], epsilon: 1e-8 },
      { use: "adamw", betas: [0, 0.5], epsilon: 1e-8 },
    ] as const
  ) {
    const plain = await trained(ops, options, [[1, 2], [3, -1], [0.5, 0.5]]);
    const skipped = await trained(ops, options, [[NaN, 1], [1, 2], [3, -1], [Infinity, 0], [0.5, 0.5]]);
    skipped.forEach((numbers, index) => assertClose(numbers, plain[index], 2e-6, `${options.use}, ${index}`));
    assert.notEqual(plain[0][0], 1);
  }
}, all);
