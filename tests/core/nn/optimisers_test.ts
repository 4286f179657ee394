import assert from "node:assert/strict";
import { clipScale, createOptimiser } from "../../../core/nn/optimisers.ts";
import { ParameterStore } from "../../../core/nn/parameter_store.ts";
import { namedParts } from "../../../core/nn/tensor_store.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

const all = [float64, ...backends];
const shapes = [{ name: "a", shape: [3, 5] }, { name: "b", shape: [70] }];
const start = [pseudoRandom(1, 15), pseudoRandom(2, 70)];
const gradientsAt = (step: number) => [pseudoRandom(10 + step, 15), pseudoRandom(20 + step, 70)];
const settings = { rate: 0.05, weightDecay: 0.1 };

function storeWith(ops: Ops): ParameterStore {
  const store = new ParameterStore(ops, shapes);
  shapes.forEach(({ name }, index) => store.set(name, start[index]));
  return store;
}

async function threeSteps(ops: Ops, options: Parameters<typeof createOptimiser>[2]): Promise<Float64Array> {
  const store = storeWith(ops);
  const optimiser = createOptimiser(ops, store, options);
  for (let step = 1; step <= 3; step++) {
    ops.scope(() => {
      store.gather(gradientsAt(step).map((data, index) => ops.tensor(data, shapes[index].shape)));
      optimiser.step({ ...settings, gradientScale: ops.full([1], 0.5), step });
    });
  }
  const result = await ops.read([store.get("a"), store.get("b")]);
  return Float64Array.from([...result[0], ...result[1]]);
}

/** The same three steps, number by number. */
function reference(update: (w: number, g: number, state: { v: number; m: number }, step: number) => number) {
  return Float64Array.from(
    start.flatMap((data, index) =>
      [...data].map((w, i) => {
        const state = { v: 0, m: 0 };
        for (let step = 1; step <= 3; step++) w = update(w, 0.5 * gradientsAt(step)[index][i], state, step);
        return w;
      })
    ),
  );
}

testBackends("SGD follows velocity = momentum velocity + g, with and without Nesterov", async (backend) => {
  const ops = createOps(backend);
  for (const nesterov of [false, true]) {
    const expected = reference((w, gradient, state) => {
      const g = gradient + settings.weightDecay * w;
      state.v = 0.9 * state.v + g;
      return w - settings.rate * (nesterov ? g + 0.9 * state.v : state.v);
    });
    assertClose(await threeSteps(ops, { use: "sgd", momentum: 0.9, nesterov }), expected, 1e-6);
  }
}, all);

testBackends("AdamW corrects its averages and decays weights apart from the gradient", async (backend) => {
  const ops = createOps(backend);
  const expected = reference((w, g, state, step) => {
    state.m = 0.9 * state.m + 0.1 * g;
    state.v = 0.99 * state.v + 0.01 * g * g;
    const direction = state.m / (1 - 0.9 ** step) / (Math.sqrt(state.v / (1 - 0.99 ** step)) + 1e-8);
    return w * (1 - settings.rate * settings.weightDecay) - settings.rate * direction;
  });
  assertClose(await threeSteps(ops, { use: "adamw", betas: [0.9, 0.99], epsilon: 1e-8 }), expected, 1e-5);
}, all);

testBackends("the clip factor brings the norm of all gradients together to the bound, or is 1", async (backend) => {
  const ops = createOps(backend);
  const gradients = [ops.tensor([3, 0]), ops.tensor([0, 4, 0])];
  assertClose(await clipScale(ops, gradients, 1).read(), [0.2], 1e-6);
  assertClose(await clipScale(ops, gradients, 10).read(), [1], 1e-6);
  assertClose(await clipScale(ops, gradients, null).read(), [1], 0);
}, all);

testBackends(
  "with zero gradient one step of decoupled decay scales a chain's product by (1 - rate decay)^n",
  async (backend) => {
    const ops = createOps(backend);
    const store = new ParameterStore(ops, ["0", "1", "2"].map((name) => ({ name, shape: [4, 4] })));
    const numbers = [5, 6, 7].map((seed) => pseudoRandom(seed, 16));
    numbers.forEach((data, index) => store.set(`${index}`, data));
    const product = () => ops.contract("ab,bc,cd->ad", store.get("0"), store.get("1"), store.get("2")).read();
    const before = await product();
    const optimiser = createOptimiser(ops, store, { use: "adamw", betas: [0.9, 0.999], epsilon: 1e-8 });
    optimiser.step({ rate: 0.1, weightDecay: 0.5, gradientScale: ops.full([1], 1), step: 1 });
    assertClose(await product(), before.map((value) => value * 0.95 ** 3), 1e-12);
  },
  [float64],
);

testBackends("a store refuses numbers of another length", (backend) => {
  const store = storeWith(createOps(backend));
  assert.throws(() => store.set("a", [1, 2]), { message: `Cannot set "a" of shape [3, 5] to 2 numbers` });
  assert.throws(() => store.get("c"), { message: `Cannot find the parameter "c"` });
}, [float64]);

for (
  const options of [{ use: "sgd", momentum: 0.9, nesterov: true }, {
    use: "adamw",
    betas: [0.9, 0.99],
    epsilon: 1e-8,
  }] as const
) {
  testBackends(`${options.use}: several storages give the numbers of one, bit for bit`, async (backend) => {
    const ops = createOps(backend);
    const specs = [
      { name: "a", shape: [3, 5] },
      { name: "b", shape: [70], rateScale: 2 },
      { name: "c", shape: [300] },
      { name: "d", shape: [64] },
    ];
    const results = [];
    // 64 + 128 + 320 + 64 numbers with their gaps.
    for (const most of [undefined, 192]) {
      const store = new ParameterStore(ops, specs, most);
      specs.forEach(({ name, shape }, index) => store.set(name, pseudoRandom(index, sizeOf(shape))));
      const optimiser = createOptimiser(ops, store, options);
      for (let step = 1; step <= 3; step++) {
        ops.scope(() => {
          store.gather(
            specs.map(({ shape }, index) =>
              index === 3 && step === 2 ? null : ops.tensor(pseudoRandom(10 * step + index, sizeOf(shape)), shape)
            ),
          );
          optimiser.step({ ...settings, gradientScale: ops.full([1], 0.5), step });
        });
      }
      results.push({ store, optimiser, numbers: await store.read() });
    }
    const [one, several] = results;
    assert.deepEqual(several.numbers, one.numbers);
    const names = options.use === "sgd" ? ["velocity"] : ["mean", "square"];
    assert.deepEqual([...one.optimiser.state.keys()], names);
    // c is larger than a storage is to be and has one for itself.
    assert.deepEqual(several.store.parts.map(({ flat }) => flat.size), [64, 320, 192]);
    assert.deepEqual(
      [...several.optimiser.state.keys()],
      ["", ".2", ".3"].flatMap((number) => names.map((name) => name + number)),
    );
    assert.deepEqual(namedParts("plain", several.store).map(([name]) => name), ["plain", "plain.2", "plain.3"]);
    for (const { store, optimiser } of results) {
      store.dispose();
      optimiser.dispose();
    }
    assert.equal(backend.memory().storages, 0);
  });
}

testBackends("a store without parameters takes no memory", (backend) => {
  assert.equal(new ParameterStore(createOps(backend), []).parts.length, 0);
  assert.equal(backend.memory().storages, 0);
}, [float64]);

testBackends("a parameter that the backend has no room for is named", (backend) => {
  const ops = createOps(backend);
  const full: Ops["full"] = (shape, value) => {
    if (sizeOf(shape) > 500) throw new RangeError(`Cannot allocate ${sizeOf(shape)} numbers`);
    return ops.full(shape, value);
  };
  const specs = [{ name: "small", shape: [3] }, { name: "embeddings", shape: [600, 2] }];
  assert.throws(() => new ParameterStore({ ...ops, full }, specs, 256), {
    name: "UserError",
    message: "Cannot hold the parameter embeddings [600, 2]: Cannot allocate 1216 numbers",
  });
}, [float64]);
