import assert from "node:assert/strict";
import type { Backend, Floats } from "../../../core/backend/backend.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { hasTangent, type OpName } from "../../../core/ops/tangents.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases.ts";

const valuesOf = ({ inputs }: Case): Float64Array[] =>
  inputs.map(({ shape, low = -1, high = 1 }, index) => pseudoRandom(17 + index, sizeOf(shape), low, high));

/** A number of the gradients by all inputs of a number that depends on the output in a curve. */
function lossOf(ops: Ops, { call }: Case, inputs: readonly Tensor[]): Tensor {
  const moved = inputs.map((input) => ops.scale(input, 1)); // what the gradients are taken by lies on the way
  const output = call(ops, moved);
  const weights = ops.tensor(pseudoRandom(99, output.size, 0.5, 1.5), output.shape);
  const y = ops.sum(ops.multiply(weights, ops.tanh(output)));
  return ops.total(moved.map((x, index) => {
    const coefficients = ops.tensor(pseudoRandom(50 + index, x.size, 0.5, 1.5), x.shape);
    return ops.sum(ops.multiply(coefficients, ops.gradient(y, x)));
  }));
}

async function evaluate(backend: Backend, aCase: Case, values: readonly Float64Array[]): Promise<Floats[]> {
  const ops = createOps(backend);
  const kept = ops.scope(() => {
    const inputs = values.map((data, index) => ops.tensor(data, aCase.inputs[index].shape));
    const { loss, gradients } = ops.differentiate(() => lossOf(ops, aCase, inputs), inputs);
    return [loss, ...gradients.map((gradient, index) => gradient ?? ops.full(inputs[index].shape, 0))];
  });
  const read = await ops.read(kept);
  kept.forEach((tensor) => tensor.dispose());
  assert.equal(backend.memory().storages, 0, "all storages are freed");
  return read;
}

const twice = Object.entries(cases).filter(([name]) => hasTangent(name as OpName));

testBackends("second derivatives of every operation that has them agree with finite differences", async (backend) => {
  for (const [name, list] of twice) {
    for (const [number, aCase] of list.slice(0, 3).entries()) {
      const values = valuesOf(aCase);
      const [, ...gradients] = await evaluate(backend, aCase, values);
      const step = 1e-5;
      for (const [which, data] of values.entries()) {
        const stride = Math.max(1, Math.ceil(data.length / 6));
        for (let i = 0; i < data.length; i += stride) {
          const at = async (x: number) =>
            (await evaluate(backend, aCase, values.map((other, index) => index === which ? other.with(i, x) : other)))[
              0
            ][0];
          const numeric = (await at(data[i] + step) - await at(data[i] - step)) / (2 * step);
          const error = Math.abs(gradients[which][i] - numeric) / Math.max(1, Math.abs(numeric));
          assert.ok(error < 1e-6, `${name}, case ${number}, input ${which}: ${gradients[which][i]} against ${numeric}`);
        }
      }
    }
  }
}, [float64]);

testBackends("second derivatives equal the float64 reference", async (backend) => {
  const reference = await float64.open();
  for (const [name, list] of twice) {
    for (const [number, aCase] of list.slice(0, 2).entries()) {
      const expected = await evaluate(reference, aCase, valuesOf(aCase));
      const actual = await evaluate(backend, aCase, valuesOf(aCase));
      expected.forEach((part, index) => assertClose(actual[index], part, 2e-4, `${name}, case ${number}: ${index}`));
    }
  }
  await reference.close();
});

testBackends("the gradient of a product of a tensor with itself is taken along both ways", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([2, -3]);
  // y = x^3: dy/dx = 3 x^2, whose sum has the gradient 6 x.
  const { loss, gradients } = ops.differentiate(() => {
    const z = ops.scale(x, 1);
    const g = ops.gradient(ops.sum(ops.multiply(ops.multiply(z, z), z)), z);
    return ops.sum(g);
  }, [x]);
  assert.deepEqual([...await loss.read()], [39]);
  assert.deepEqual([...await gradients[0]!.read()], [12, -18]);
}, [float64]);

testBackends("a gradient is refused where it would be wrong or none", (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([1, 2]);
  const other = ops.tensor([3, 4]);
  const within = (body: () => Tensor) => () => ops.differentiate(() => ops.sum(body()), [x]);
  assert.throws(() => ops.gradient(ops.sum(x), x), { message: /^Cannot take a gradient outside of the body of/ });
  assert.throws(() => ops.watch(x), { message: /^Cannot watch a tensor outside of the body of differentiate/ });
  assert.throws(within(() => ops.gradient(ops.square(x), x)), {
    message: "Cannot take the gradient of a tensor of shape [2]: it must be a scalar",
  });
  assert.throws(within(() => ops.gradient(ops.sum(ops.multiply(other, x)), other)), {
    message: "Cannot take the gradient by a tensor of shape [2] that follows from nothing differentiated: what is " +
      "computed from it may not be recorded; watch it before",
  });
  assert.throws(within(() => ops.gradient(ops.sum(ops.watch(other)), x)), {
    message: "Cannot take the gradient by a tensor of shape [2]: the scalar does not depend on it",
  });
  assert.throws(within(() => ops.gradient(ops.sum(ops.hardSwish(x)), x)), {
    message: "Cannot take a gradient that is differentiated further through hardSwish: it has no second derivative",
  });
  assert.throws(
    within(() => {
      const g = ops.gradient(ops.sum(ops.square(ops.scale(x, 2))), x);
      return ops.gradient(ops.sum(ops.square(g)), x);
    }),
    { message: /through gradient: it has no second derivative$/ },
  );
}, [float64]);

testBackends(
  "a watched tensor that nothing differentiated leads to has a gradient, and what follows is differentiated",
  async (backend) => {
    const ops = createOps(backend);
    const [x, w] = [ops.tensor([1, 2]), ops.tensor([3, 5])];
    // d/dx sum(w x^2) = 2 w x, by w: 2 x.
    const { gradients } = ops.differentiate(() => {
      const seen = ops.watch(ops.scale(x, 1));
      return ops.sum(ops.gradient(ops.sum(ops.multiply(w, ops.square(seen))), seen));
    }, [w]);
    assert.deepEqual([...await gradients[0]!.read()], [2, 4]);
  },
  [float64],
);
