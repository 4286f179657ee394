import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";

const all = [float64, ...backends];
const image = [1, 2, 3, 4, 5, 6, 7, 8, 9];

testBackends("a 2 x 2 filter slides over a 3 x 3 image", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor(image, [1, 3, 3, 1]);
  const filter = ops.tensor([1, 2, 3, 4], [1, 1, 2, 2]);
  const y = ops.conv2d(x, filter);
  assert.deepEqual(y.shape, [1, 2, 2, 1]);
  // 1*1 + 2*2 + 3*4 + 4*5 = 37: not turned around, as in every deep learning library.
  assert.deepEqual([...await y.read()], [37, 47, 67, 77]);
}, all);

testBackends("padding is zeros and the stride skips positions", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor(image, [1, 3, 3, 1]);
  const filter = ops.full([1, 1, 3, 3], 1);
  const y = ops.conv2d(x, filter, { stride: 2, padding: 1 });
  assert.deepEqual(y.shape, [1, 2, 2, 1]);
  assert.deepEqual([...await y.read()], [12, 16, 24, 28]);
}, all);

testBackends("filters are [out, in, height, width], images channels last", async (backend) => {
  const ops = createOps(backend);
  // One image of 1 x 2 pixels with 3 channels; two filters of 1 x 2.
  const x = ops.tensor([1, 10, 100, 2, 20, 200], [1, 1, 2, 3]);
  const filter = ops.tensor([1, 0, 0, 1, 1, 1, 0, 2, 0, 0, 3, 0], [2, 3, 1, 2]);
  const y = ops.conv2d(x, filter);
  assert.deepEqual(y.shape, [1, 1, 1, 2]);
  // Filter 0: channel 0 left, 1 right, 2 both. Filter 1: channel 0 twice right, 2 three times left; channel 1 unused.
  assert.deepEqual([...await y.read()], [1 + 20 + 100 + 200, 2 * 2 + 3 * 100]);
}, all);

testBackends("gradients of the sum count how often a number is used", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor(image, [1, 3, 3, 1]);
  const filter = ops.tensor([1, 2, 3, 4], [1, 1, 2, 2]);
  const { gradients } = ops.differentiate(() => ops.sum(ops.conv2d(x, filter)), [x, filter]);
  const [dx, dfilter] = await ops.read(gradients.map((gradient) => gradient!));
  assert.deepEqual([...dx], [1, 3, 2, 4, 10, 6, 3, 7, 4]);
  assert.deepEqual([...dfilter], [12, 16, 24, 28]);
  assert.deepEqual(gradients[1]!.shape, filter.shape);
}, all);

testBackends("gradients that nobody asked for are not computed", (backend) => {
  const ops = createOps(backend);
  const [x, filter] = [ops.full([2, 4, 4, 3], 1), ops.full([5, 3, 3, 3], 1)];
  const dispatches = (targets: (typeof x)[]) => {
    const before = backend.work().dispatches;
    ops.differentiate(() => ops.sum(ops.conv2d(x, filter)), targets);
    return backend.work().dispatches - before;
  };
  assert.equal(dispatches([filter]), dispatches([x, filter]) - 1);
  assert.ok(dispatches([x]) < dispatches([x, filter]));
}, all);

testBackends("what does not fit is refused", (backend) => {
  const ops = createOps(backend);
  const x = ops.full([1, 4, 4, 3], 1);
  const filter = (...shape: number[]) => ops.full(shape, 1);
  const refuses = (body: () => unknown, message: string) => assert.throws(body, { name: "RangeError", message });
  refuses(
    () => ops.conv2d(x, filter(2, 4, 3, 3)),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 4, 3, 3] as the channels must be the same: 3 and 4",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 3, 3)),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 3, 3]: " +
      "images are [batch, height, width, in], filters [out, in, height, width]",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 3, 5, 5)),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 3, 5, 5] as 5 pixels do not fit into 4 with padding 0",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 3, 1, 1), { stride: 0 }),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 3, 1, 1] with stride 0: it must be a whole number from 1 on",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 3, 1, 1), { padding: -1 }),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 3, 1, 1] with padding -1: it must be a whole number from 0 on",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 3, 1, 1), { dilation: 0 }),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 3, 1, 1] with dilation 0: it must be a whole number from 1 on",
  );
  refuses(
    () => ops.conv2d(x, filter(3, 3, 1, 1), { groups: 3 }),
    "Cannot convolve [1, 4, 4, 3] with a filter of [3, 3, 1, 1] in 3 groups: " +
      "expected a filter of [a multiple of 3, 3 / 3, height, width]",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 1, 1, 1), { groups: 3 }),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 1, 1, 1] in 3 groups: " +
      "expected a filter of [a multiple of 3, 3 / 3, height, width]",
  );
  refuses(
    () => ops.conv2d(x, filter(2, 3, 3, 3), { dilation: 2 }),
    "Cannot convolve [1, 4, 4, 3] with a filter of [2, 3, 3, 3] as 5 pixels do not fit into 4 with padding 0",
  );
}, [float64]);
