import assert from "node:assert/strict";
import { createOps } from "../../core/ops/ops.ts";
import { testBackends } from "../support/backends.ts";

testBackends("where only sizes are looked at nothing is computed, taken or changed", async (backend) => {
  const ops = createOps(backend);
  const state = ops.keep(ops.tensor([1, 2, 3, 4], [2, 2]));
  const before = [backend.work(), backend.memory()];
  let shape: readonly number[] = [];
  ops.device.sizesOnly(() => {
    const x = ops.tensor(new Float32Array(2 * 10 ** 6), [10 ** 6, 2]);
    const { loss } = ops.differentiate(() => ops.sum(ops.square(ops.matmul(x, state))), [state]);
    ops.assign(state, ops.matmul(state, state));
    shape = loss.shape;
  });
  assert.deepEqual(shape, []);
  assert.deepEqual([backend.work(), backend.memory()], before);
  assert.deepEqual([...await state.read()], [1, 2, 3, 4]);
  assert.deepEqual([...await ops.square(state).read()], [1, 4, 9, 16], "afterwards it computes");
});

testBackends("a tensor that is too large is found by sizes alone, and what was made is gone", (backend) => {
  const ops = createOps(Object.assign(backend, { mostNumbers: 1000 }));
  const x = ops.keep(ops.full([30, 10], 1));
  assert.throws(() => ops.device.sizesOnly(() => ops.matmul(x, x, { transposeB: true }) && ops.full([1001], 0)), {
    name: "UserError",
    message: /^Cannot make a tensor of \[1001\]: it has 0 MiB, and a tensor on ".*" at most 0 MiB; /,
  });
  assert.equal(backend.memory().storages, 1);
  assert.equal(ops.square(x).size, 300, "the device computes again");
});
