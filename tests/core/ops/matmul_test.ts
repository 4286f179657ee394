import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

const all = [float64, ...backends];

testBackends("matmul multiplies rows by columns", async (backend) => {
  const ops = createOps(backend);
  const a = ops.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const b = ops.tensor([1, 0, 2, -1, 0, 3], [3, 2]);
  const product = ops.matmul(a, b);
  assert.deepEqual(product.shape, [2, 2]);
  assert.deepEqual([...await product.read()], [5, 7, 14, 13]);
}, all);

testBackends("matmul reads transposed factors in place", async (backend) => {
  const ops = createOps(backend);
  const a = ops.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const aTa = ops.matmul(a, a, { transposeA: true });
  assert.deepEqual(aTa.shape, [3, 3]);
  assert.deepEqual([...await aTa.read()], [17, 22, 27, 22, 29, 36, 27, 36, 45]);
  const before = backend.work().dispatches;
  const aaT = ops.matmul(a, a, { transposeB: true });
  assert.equal(backend.work().dispatches - before, 1, "no copy is made");
  assert.deepEqual([...await aaT.read()], [14, 32, 32, 77]);
}, all);

testBackends("matmul broadcasts leading dimensions", async (backend) => {
  const ops = createOps(backend);
  const shapes: [number[], number[], number[]][] = [
    [[4, 2, 3], [3, 5], [4, 2, 5]],
    [[2, 3], [4, 3, 5], [4, 2, 5]],
    [[4, 1, 2, 3], [6, 3, 5], [4, 6, 2, 5]],
    [[1, 1, 2, 3], [3, 5], [1, 1, 2, 5]],
    [[2, 3], [1, 1, 3, 5], [1, 1, 2, 5]],
  ];
  for (const [a, b, shape] of shapes) assert.deepEqual(ops.matmul(ops.full(a, 1), ops.full(b, 1)).shape, shape);
  // Image 1 of the left factors times image 2 of the right ones.
  const left = ops.tensor([1, 2, 10, 20], [2, 1, 1, 2]);
  const right = ops.tensor([1, 1, 0, 1, 5, 7], [3, 2, 1]);
  const product = ops.matmul(left, right);
  assert.deepEqual([...await product.read()], [3, 2, 19, 30, 20, 190]);
}, all);

testBackends("a long sum for a small result equals the sum of products", async (backend) => {
  const ops = createOps(backend);
  const [x, y] = [pseudoRandom(1, 6000 * 3), pseudoRandom(2, 6000 * 2)];
  const product = ops.matmul(ops.tensor(x, [6000, 3]), ops.tensor(y, [6000, 2]), { transposeA: true });
  const expected = Float64Array.from({ length: 6 }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < 6000; k++) sum += x[k * 3 + Math.floor(at / 2)] * y[k * 2 + at % 2];
    return sum;
  });
  assertClose(await product.read(), expected, 1e-5);
}, all);

testBackends("linear is x weight^T + bias", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor([1, 2, 3, 4], [2, 1, 2]);
  const weight = ops.tensor([1, 0, 0, 1, 1, 1], [3, 2]);
  const y = ops.linear(x, weight, ops.tensor([10, 20, 30]));
  assert.deepEqual(y.shape, [2, 1, 3]);
  assert.deepEqual([...await y.read()], [11, 22, 33, 13, 24, 37]);
  assert.deepEqual([...await ops.linear(x, weight).read()], [1, 2, 3, 3, 4, 7]);
}, all);

testBackends("gradients that nobody asked for are not computed", (backend) => {
  const ops = createOps(backend);
  const [x, weight] = [ops.full([4, 3], 1), ops.full([5, 3], 1)];
  const dispatches = (targets: (typeof x)[], body: (ops: Ops) => typeof x) => {
    const before = backend.work().dispatches;
    ops.differentiate(() => ops.sum(body(ops)), targets);
    return backend.work().dispatches - before;
  };
  const both = dispatches([x, weight], () => ops.linear(x, weight));
  assert.equal(dispatches([weight], () => ops.linear(x, weight)), both - 1);
  const product = () => ops.matmul(x, weight, { transposeB: true });
  assert.equal(dispatches([x], product), dispatches([x, weight], product) - 1);
}, all);

testBackends("factors that do not fit are refused", (backend) => {
  const ops = createOps(backend);
  const make = (...shape: number[]) => ops.full(shape, 1);
  const refuses = (body: () => unknown, message: string) => assert.throws(body, { name: "RangeError", message });
  refuses(
    () => ops.matmul(make(2, 3), make(4, 5)),
    "Cannot multiply [2, 3] by [4, 5] as the inner extents must be equal: 3 and 4",
  );
  refuses(
    () => ops.matmul(make(2, 3), make(2, 3), { transposeA: true, transposeB: true }),
    "Cannot multiply [2, 3] transposed by [2, 3] transposed as the inner extents must be equal: 2 and 3",
  );
  refuses(
    () => ops.matmul(make(2, 2, 3), make(3, 3, 4)),
    "Cannot multiply [2, 2, 3] by [3, 3, 4] as their leading extents must be equal or 1",
  );
  refuses(
    () => ops.matmul(make(3), make(3, 4)),
    "Cannot multiply [3] by [3, 4] as both must have two dimensions or more",
  );
  refuses(
    () => ops.linear(make(2, 3), make(5, 4)),
    "Cannot apply a linear layer with weight [5, 4] to [2, 3]: " +
      "the last extent of the input must be the second of the weight",
  );
  refuses(
    () => ops.linear(make(2, 3), make(5, 3), make(3)),
    "Cannot add a bias of shape [3] in a linear layer with weight [5, 3]: it must be [5]",
  );
}, [float64]);

testBackends("no matrices times one matrix are no matrices", async (backend) => {
  const ops = createOps(backend);
  const [none, one] = [ops.tensor([], [0, 2, 3]), ops.tensor(new Float32Array(12), [3, 4])];
  const product = ops.matmul(none, one);
  assert.deepEqual([product.shape, (await product.read()).length], [[0, 2, 4], 0]);
}, all);
