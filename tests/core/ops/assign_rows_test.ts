import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";

testBackends("assignRows overwrites the named rows and leaves the others", async (backend) => {
  const ops = createOps(backend);
  const target = ops.tensor([0, 1, 10, 11, 20, 21, 30, 31], [4, 2]);
  ops.assignRows(target, ops.tensor([3, 0]), ops.tensor([1, 2, 3, 4], [2, 2]));
  assert.deepEqual([...await target.read()], [3, 4, 10, 11, 20, 21, 1, 2]);
}, [float64, ...backends]);

testBackends("assignRows refuses shapes that do not fit, and keeps no memory", (backend) => {
  const ops = createOps(backend);
  const target = ops.full([4, 2], 0);
  const before = backend.memory().storages;
  const assign = (count: number, width: number) =>
    ops.scope(() => ops.assignRows(target, ops.full([count], 1), ops.full([1, width], 0)));
  assert.throws(() => assign(1, 3), {
    name: "RangeError",
    message: "Cannot assign [1, 3] to 1 rows of a tensor of [4, 2]",
  });
  assert.throws(() => assign(2, 2), { message: "Cannot assign [1, 2] to 2 rows of a tensor of [4, 2]" });
  assign(1, 2);
  assert.equal(backend.memory().storages, before);
}, [float64]);
