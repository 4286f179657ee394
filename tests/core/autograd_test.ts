import assert from "node:assert/strict";
import { createOps } from "../../core/ops/ops.ts";
import { float64, testBackends } from "../support/backends.ts";
import { assertClose } from "../support/numbers.ts";

testBackends("gradients of two paths to one tensor add up", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([2, 3]);
  // d/dx (x^2 + 4 x) = 2 x + 4
  const { loss, gradients } = ops.differentiate(() => ops.sum(ops.add(ops.square(x), ops.scale(x, 4))), [x]);
  assertClose(await loss.read(), [4 + 8 + 9 + 12], 0);
  assertClose(await gradients[0]!.read(), [8, 10], 1e-12);
}, [float64]);

testBackends("nothing goes through a constant, nor to a tensor that the loss does not depend on", async (backend) => {
  const ops = createOps(backend);
  const [x, y] = [ops.tensor([2]), ops.tensor([5])];
  const body = () => ops.sum(ops.multiply(x, ops.constant(() => ops.square(x))));
  const { gradients } = ops.differentiate(body, [x, y]);
  assertClose(await gradients[0]!.read(), [4], 1e-12);
  assert.equal(gradients[1], null);
}, [float64]);

testBackends(
  "gradients are taken one by one, each when it is whole, and nothing of the walk stays",
  async (backend) => {
    const ops = createOps(backend);
    const [x, y, unused] = [ops.tensor([2, 3]), ops.tensor([5, 7]), ops.tensor([1])];
    // Its gradient is one tensor for both terms of the sum, and x is met again later.
    const body = () => ops.sum(ops.multiply(ops.add(ops.add(x, y), x), ops.square(x)));
    const { gradients } = ops.differentiate(body, [x, y, unused]);
    const expected = await ops.read([gradients[0]!, gradients[1]!]);
    // d/dx (2 x + y) x^2 = 2 x^2 + 2 x (2 x + y), d/dy = x^2
    assert.deepEqual(expected.map((values) => [...values]), [[8 + 36, 18 + 78], [4, 9]]);
    assert.equal(gradients[2], null);

    const targets = [x, y, unused];
    const sums = targets.map(({ shape }) => ops.keep(ops.full(shape, NaN)));
    const live = () => backend.memory().storages;
    const [before, order] = [live(), [] as number[]];
    const left = ops.scope(() => {
      const made = ops.differentiate(body, targets, (index, gradient) => {
        order.push(index);
        if (gradient) ops.assign(sums[index], gradient);
      });
      assert.deepEqual(made.gradients, []);
      return live() - before;
    });
    assert.deepEqual(order, [2, 0, 1]);
    assert.deepEqual((await ops.read(sums.slice(0, 2))).map((values) => [...values]), expected.map((v) => [...v]));
    // The five outputs of the forward pass: those of the backward pass are gone.
    assert.equal(left, 5);
  },
);

testBackends("a tensor that is asked for twice has its gradient twice, and a loss itself has 1", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([3], []);
  const { gradients } = ops.differentiate(() => ops.square(x), [x, x]);
  assert.deepEqual(await Promise.all(gradients.map(async (gradient) => [...await gradient!.read()])), [[6], [6]]);
  assertClose(await ops.differentiate(() => x, [x]).gradients[0]!.read(), [1], 0);
}, [float64]);

testBackends("a loss must be a scalar", (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([2, 3]);
  assert.throws(() => ops.differentiate(() => ops.square(x), [x]), {
    message: "Cannot differentiate a loss of 2 elements: it must be a scalar",
  });
}, [float64]);

testBackends("assigning overwrites a tensor in order, and no gradient goes through it", async (backend) => {
  const ops = createOps(backend);
  const [x, state] = [ops.tensor([2, 3]), ops.tensor([10, 20])];
  const { loss, gradients } = ops.differentiate(() => {
    const before = ops.multiply(x, ops.scale(state, 1));
    ops.assign(state, ops.square(x));
    return ops.sum(ops.add(before, ops.scale(state, 1)));
  }, [x]);
  assertClose(await state.read(), [4, 9], 0);
  assertClose(await loss.read(), [2 * 10 + 3 * 20 + 4 + 9], 1e-6);
  assertClose(await gradients[0]!.read(), [10, 20], 0);
  assert.throws(() => ops.assign(state, ops.full([2, 1], 0)), {
    message: "Cannot assign [2, 1] to a tensor of [2]: the shapes must be equal",
  });
});

testBackends("shapes that do not fit are named", (backend) => {
  const ops = createOps(backend);
  assert.throws(() => ops.add(ops.full([2, 3], 0), ops.full([4], 0)), {
    message: "Cannot broadcast [2, 3] with [4] as extents must be equal or 1: 3 and 4",
  });
  assert.throws(() => ops.reshape(ops.full([2, 3], 0), [4, -1]), { message: /Cannot reshape \[2, 3\] to \[4, -1\]/ });
  assert.throws(() => ops.permute(ops.full([2, 3], 0), [0, 0]), { message: /each axis must stand there once/ });
  assert.throws(() => ops.tensor([1, 2, 3], [2]), { message: "Cannot fill a tensor of shape [2] with 3 numbers" });
}, [float64]);
