import assert from "node:assert/strict";
import { norm } from "../../../core/linalg/vector.ts";
import { Random } from "../../../core/data/random.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { trainedNumbers } from "../../../core/overparameterise/weight_provider.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { anyTensors, onDevice, providerOf, PROVIDERS, showProvider, startOf } from "../../support/providers.ts";

testBackends("every kind starts as the weight that it is given, and merges to it", async (backend) => {
  const ops = createOps(backend);
  for (const [number, [entry, shape]] of PROVIDERS.entries()) {
    const [provider, name] = [providerOf(entry, shape)!, showProvider(entry, shape)];
    const weight = Float32Array.from(pseudoRandom(number + 1, sizeOf(shape)));
    const start = await startOf(backend, provider, weight);
    assertClose(provider.merge(start), weight, 1e-7, name);
    const made = ops.scope(() => provider.weight(ops, onDevice(ops, provider, start), null));
    assert.deepEqual(made.shape, shape);
    assertClose(await made.read(), weight, 1e-6, name);
    made.dispose();
  }
  assert.equal(backend.memory().storages, 0, "all storages are freed");
}, [float64, ...backends]);

testBackends("merging on the host is what the device makes, whatever was learned", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-13 : 1e-6;
  for (const [entry, shape] of PROVIDERS) {
    const provider = providerOf(entry, shape)!;
    const tensors = anyTensors(provider, 5);
    const made = ops.scope(() => provider.weight(ops, onDevice(ops, provider, tensors), null));
    const scale = norm(provider.merge(tensors));
    assertClose(await made.read(), provider.merge(tensors), tolerance * Math.max(1, scale), showProvider(entry, shape));
    made.dispose();
  }
}, [float64, ...backends]);

testBackends("the gradients agree with finite differences", async (backend) => {
  const ops = createOps(backend);
  for (const [entry, shape] of PROVIDERS) {
    const provider = providerOf(entry, shape)!;
    const tensors = anyTensors(provider, 11);
    const weights = pseudoRandom(1, sizeOf(shape));
    const gradients = ops.scope(() => {
      const inputs = onDevice(ops, provider, tensors);
      const loss = () => ops.sum(ops.multiply(provider.weight(ops, inputs, null), ops.tensor(weights, shape)));
      return ops.differentiate(loss, inputs).gradients.map((gradient) => gradient!);
    });
    const lossAt = (moved: readonly Float64Array[]) =>
      provider.merge(moved).reduce((sum, value, place) => sum + value * weights[place], 0);
    for (const [index, numbers] of (await ops.read(gradients)).entries()) {
      for (let place = 0; place < numbers.length; place += Math.max(1, Math.floor(numbers.length / 7))) {
        // The weight is linear in each tensor: a step of 1 has no error of its own.
        const at = (shift: number) =>
          lossAt(tensors.with(index, tensors[index].with(place, tensors[index][place] + shift)));
        assertClose([numbers[place]], [(at(1) - at(-1)) / 2], 1e-11, `${showProvider(entry, shape)}, ${index}`);
      }
    }
    gradients.forEach((gradient) => gradient.dispose());
  }
}, [float64]);

Deno.test("the numbers that are trained, and the multiplications, are those of a count by hand", () => {
  const counted = (entry: Parameters<typeof providerOf>[0], shape: readonly number[]) => {
    const provider = providerOf(entry, shape)!;
    return [trainedNumbers(provider), provider.multiplyAdds, provider.depth];
  };
  // Two kernels of 540 and their gains; 1x1 and mean of 60 each with gains.
  assert.deepEqual(counted({ use: "sum", kernels: 2 }, [10, 6, 3, 3]), [2 * 540 + 20 + 2 * 60 + 20, 1080 + 1200, 2]);
  assert.deepEqual(counted({ use: "sum", kernels: 1 }, [10, 6]), [60 + 10, 60, 2]);
  assert.deepEqual(counted({ use: "do-conv" }, [10, 6, 3, 3]), [540 + 6 * 81, 10 * 6 * 81, 2]);
  assert.deepEqual(counted({ use: "majority", kernels: 4 }, [10, 6]), [240, 240, 1]);
  // [1, 3, 2, 6] and [6, 2, 3, 1], one product of them.
  assert.deepEqual(counted({ cores: 2 }, [4, 9]), [36 + 36, 6 * 36, 2]);
});

Deno.test("one kernel of majority, and one core, are the weight as it is", () => {
  assert.equal(providerOf({ use: "majority", kernels: 1 }, [4, 9]), null);
  assert.equal(providerOf({ cores: 1 }, [4, 9]), null);
});

testBackends("kernels of a sum differ from each other, and from run to run by the seed alone", async (backend) => {
  const weight = Float32Array.from(pseudoRandom(2, 7 * 5 * 9));
  const provider = providerOf({ use: "sum", kernels: 2 }, [7, 5, 3, 3])!;
  const { device } = createOps(backend);
  const kernels = async (seed: number) => (await provider.start(weight, { device, random: new Random(seed) }))[0];
  const [first, second] = [(await kernels(1)).slice(0, weight.length), (await kernels(1)).slice(weight.length)];
  assert.deepEqual(await kernels(1), await kernels(1));
  assert.notDeepEqual(await kernels(1), await kernels(2));
  // Each is as large as the weight, as if it were an independent one.
  const size = norm(Float64Array.from(weight));
  for (const kernel of [first, second]) assert.ok(Math.abs(norm(kernel) / size - 1) < 0.15);
  assert.ok(norm(first.map((value, at) => value - second[at])) > size);
}, [float64]);

testBackends("a step of gradient descent on a sum's kernels moves the weight as one on it does", async (backend) => {
  const ops = createOps(backend);
  const shape = [4, 3];
  for (const kernels of [1, 3]) {
    const provider = providerOf({ use: "sum", kernels }, shape)!;
    const start = await startOf(backend, provider, Float32Array.from(pseudoRandom(4, 12)));
    const by = pseudoRandom(9, 12);
    const [gradient] = ops.scope(() => {
      const inputs = onDevice(ops, provider, start);
      const loss = () => ops.sum(ops.multiply(provider.weight(ops, inputs, null), ops.tensor(by, shape)));
      return [ops.differentiate(loss, inputs).gradients[0]!];
    });
    const numbers = await gradient.read();
    const moved = provider.merge([start[0].map((value, at) => value - 0.1 * numbers[at]), start[1]]);
    const before = provider.merge(start);
    assertClose(moved.map((value, at) => value - before[at]), by.map((value) => -0.1 * value), 1e-12);
  }
}, [float64]);

testBackends(
  "a step of majority takes the mix that was drawn, and every mix of its start is the weight",
  async (backend) => {
    const ops = createOps(backend);
    const shape = [5, 3, 3, 3];
    const provider = providerOf({ use: "majority", kernels: 3 }, shape)!;
    const weight = Float32Array.from(pseudoRandom(4, sizeOf(shape)));
    const made = async (tensors: readonly Float64Array[], drawn: Float32Array | null) => {
      const mix = (): Tensor | null => drawn && ops.tensor(drawn);
      const tensor = ops.scope(() => provider.weight(ops, onDevice(ops, provider, tensors), mix()));
      return await tensor.read();
    };
    const mix = provider.draw!(new Random(8));
    assertClose(await made(await startOf(backend, provider, weight), mix), weight, 1e-6);
    const [kernels] = anyTensors(provider, 6);
    const size = sizeOf(shape);
    const mixed = Float64Array.from({ length: size }, (_, at) => {
      return [...mix].reduce((sum, share, kernel) => sum + share * kernels[kernel * size + at], 0);
    });
    assertClose(await made([kernels], mix), mixed, 1e-6);
    assertClose(await made([kernels], null), provider.merge([kernels]), 1e-6);
  },
  backends,
);

Deno.test("the shares of majority are uniform on the simplex: their moments are Dirichlet's", () => {
  const provider = providerOf({ use: "majority", kernels: 3 }, [2, 2])!;
  const random = new Random(5);
  const draws = Array.from({ length: 20_000 }, () => provider.draw!(random));
  for (const draw of draws) {
    assert.ok(draw.every((share) => share >= 0) && Math.abs(draw.reduce((a, b) => a + b) - 1) < 1e-6);
  }
  const mean = (of: (draw: Float32Array) => number) => draws.reduce((sum, draw) => sum + of(draw), 0) / draws.length;
  for (let kernel = 0; kernel < 3; kernel++) {
    assert.ok(Math.abs(mean((draw) => draw[kernel]) - 1 / 3) < 0.01);
    // E p^2 = 2 / (n (n + 1)).
    assert.ok(Math.abs(mean((draw) => draw[kernel] ** 2) - 1 / 6) < 0.005);
  }
  assert.ok(Math.abs(mean((draw) => draw[0] * draw[1]) - 1 / 12) < 0.005);
});

Deno.test("do-conv refuses a weight of one place, by its shape", () => {
  for (const shape of [[7, 5], [7, 5, 1, 1]]) {
    assert.throws(() => providerOf({ use: "do-conv" }, shape), {
      name: "UserError",
      message: `Cannot use do-conv where there is nothing to mix: expected kernels of more than one place, not [${
        shape.join(", ")
      }]; leave it out by "!" in layers`,
    });
  }
});
