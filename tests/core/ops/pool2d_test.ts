import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";

const all = [float64, ...backends];

testBackends("maxPool2d takes the largest of each window and channel", async (backend) => {
  const ops = createOps(backend);
  // 2 x 4 pixels with two channels, the second the negative of the first.
  const x = ops.tensor([1, 5, 3, 2, 4, 0, 6, 7].flatMap((value) => [value, -value]), [1, 2, 4, 2]);
  const y = ops.maxPool2d(x, { size: 2 });
  assert.deepEqual(y.shape, [1, 1, 2, 2]);
  assert.deepEqual([...await y.read()].map((value) => value + 0), [5, 0, 7, -2]);
}, all);

testBackends("the first of equal values gets the gradient", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([3, 3, 3, 3], [1, 2, 2, 1]);
  const { gradients } = ops.differentiate(() => ops.sum(ops.maxPool2d(x, { size: 2 })), [x]);
  assert.deepEqual([...await gradients[0]!.read()], [1, 0, 0, 0]);
}, all);

testBackends("an element that is largest in several windows gets all their gradients", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([0, 0, 0, 0, 9, 0, 0, 0, 1], [1, 3, 3, 1]);
  const { gradients } = ops.differentiate(() => ops.sum(ops.maxPool2d(x, { size: 2, stride: 1 })), [x]);
  assert.deepEqual([...await gradients[0]!.read()], [0, 0, 0, 0, 4, 0, 0, 0, 0]);
}, all);

testBackends("padding is never the largest, but counts in means", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([-4, -8, -12, -16], [1, 2, 2, 1]);
  const options = { size: 2, stride: 2, padding: 1 };
  assert.deepEqual([...await ops.maxPool2d(x, options).read()], [-4, -8, -12, -16]);
  assert.deepEqual([...await ops.averagePool2d(x, options).read()], [-1, -2, -3, -4]);
}, all);

testBackends("averagePool2d spreads its gradient evenly", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const { loss, gradients } = ops.differentiate(
    () => ops.sum(ops.averagePool2d(x, { size: 2, stride: 1 })),
    [x],
  );
  const [sum, dx] = await ops.read([loss, gradients[0]!]);
  assert.deepEqual([...sum], [3 + 4 + 6 + 7]);
  assert.deepEqual([...dx], [0.25, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 0.25]);
}, all);

testBackends("windows that do not fit are refused", (backend) => {
  const ops = createOps(backend);
  const x = ops.full([1, 3, 3, 1], 1);
  const refuses = (body: () => unknown, message: string) => assert.throws(body, { name: "RangeError", message });
  refuses(
    () => ops.maxPool2d(x, { size: 4 }),
    "Cannot pool [1, 3, 3, 1] in windows of 4 x 4 as 4 pixels do not fit into 3 with padding 0",
  );
  refuses(
    () => ops.maxPool2d(x, { size: 2, padding: 2 }),
    "Cannot pool [1, 3, 3, 1] in windows of 2 x 2 with padding 2: it may be half of the size at most",
  );
  refuses(
    () => ops.averagePool2d(x, { size: 0 }),
    "Cannot pool [1, 3, 3, 1] in windows of 0 x 0: the size must be a whole number from 1 on",
  );
  refuses(
    () => ops.averagePool2d(ops.full([3, 3], 1), { size: 2 }),
    "Cannot pool [3, 3] in windows of 2 x 2: images are [batch, height, width, channels]",
  );
}, [float64]);
