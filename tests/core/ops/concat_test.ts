import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";

const all = [float64, ...backends];

testBackends("tensors follow each other along the axis, in their order", async (backend) => {
  const ops = createOps(backend);
  const [a, b] = [ops.tensor([1, 2, 3, 4], [2, 2]), ops.tensor([5, 6], [2, 1])];
  const columns = ops.concat([a, b, a], { axis: 1 });
  assert.deepEqual(columns.shape, [2, 5]);
  assert.deepEqual([...await columns.read()], [1, 2, 5, 1, 2, 3, 4, 6, 3, 4]);
  const rows = ops.concat([a, ops.tensor([7, 8], [1, 2])], { axis: 0 });
  assert.deepEqual(rows.shape, [3, 2]);
  assert.deepEqual([...await rows.read()], [1, 2, 3, 4, 7, 8]);
}, all);

testBackends("slices of the whole are the parts again, and only what is asked for gets a gradient", async (backend) => {
  const ops = createOps(backend);
  const parts = [ops.tensor([1, 2], [1, 2]), ops.tensor([3], [1, 1])];
  const { gradients } = ops.differentiate(() => {
    const whole = ops.concat(parts, { axis: 1 });
    return ops.sum(ops.multiply(whole, ops.tensor([10, 20, 30], [1, 3])));
  }, [parts[1]]);
  assert.deepEqual([...await gradients[0]!.read()], [30]);
  const taken = ops.slice(ops.concat(parts, { axis: 1 }), { axis: 1, begin: 0, length: 2 });
  assert.deepEqual([...await taken.read()], [1, 2]);
}, all);

testBackends("what does not fit is refused", (backend) => {
  const ops = createOps(backend);
  const refuses = (shapes: number[][], axis: number, message: string) =>
    assert.throws(() => ops.concat(shapes.map((shape) => ops.full(shape, 0)), { axis }), {
      name: "RangeError",
      message: `Cannot join ${message}: expected shapes that differ along this axis alone`,
    });
  refuses([[2, 3], [3, 3]], 1, "[2, 3] and [3, 3] along axis 1");
  refuses([[2, 3], [2]], 0, "[2, 3] and [2] along axis 0");
  refuses([[2, 3]], 2, "[2, 3] along axis 2");
  refuses([[2, 3]], -1, "[2, 3] along axis -1");
  refuses([], 0, "no tensors along axis 0");
}, [float64]);
