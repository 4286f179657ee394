import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";

const all = [float64, ...backends];

testBackends("argmax gives the first of the largest along the last dimension", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([1, 3, 3, 5, 4, 0, 0, 1, 2, -1, -2, -1], [2, 2, 3]);
  const largest = ops.argmax(x);
  assert.deepEqual(largest.shape, [2, 2]);
  assert.deepEqual([...await largest.read()], [1, 0, 2, 0]);
}, all);

testBackends("argmaxIs says where the largest entry stands at an index, at -1 nowhere", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([1, 3, 3, 5, 4, 0, 0, 1, 2, -1, -2, -1], [2, 2, 3]);
  const right = ops.argmaxIs(x, ops.tensor([1, -1, 1, 0], [2, 2]));
  assert.deepEqual(right.shape, [2, 2]);
  assert.deepEqual([...await right.read()], [1, 0, 0, 1]);
}, all);

testBackends("argmax and argmaxIs refuse shapes that do not fit", (backend) => {
  const ops = createOps(backend);
  assert.throws(() => ops.argmax(ops.scalar(1)), {
    name: "RangeError",
    message: "Cannot find the largest entry of each row of []",
  });
  assert.throws(() => ops.argmaxIs(ops.full([2, 3], 0), ops.full([3], 0)), {
    name: "RangeError",
    message: "Cannot compare the largest entries of [2, 3] with [3]: expected [2]",
  });
}, [float64]);
