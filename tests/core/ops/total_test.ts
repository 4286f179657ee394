import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { pseudoRandom } from "../../support/numbers.ts";

/** What a loss of three tensors is, and its gradients. */
async function numbersOf(ops: Ops, loss: (tensors: readonly Tensor[]) => Tensor): Promise<number[][]> {
  const tensors = [1, 2, 3].map((seed) => ops.tensor(pseudoRandom(seed, 40), [8, 5]));
  const { loss: value, gradients } = ops.differentiate(() => ops.mean(ops.square(loss(tensors))), tensors);
  const read = await ops.read([value, ...gradients.map((gradient) => gradient!)]);
  return read.map((values) => [...values]);
}

testBackends("total is to the last bit what adding from the first on gives, with its gradients", async (backend) => {
  const ops = createOps(backend);
  const total = await numbersOf(ops, (tensors) => ops.total(tensors));
  assert.deepEqual(total, await numbersOf(ops, ([a, b, c]) => ops.add(ops.add(a, b), c)));
}, [float64, ...backends]);

testBackends("complement is to the last bit one and the negative, with its gradient", async (backend) => {
  const ops = createOps(backend);
  const all = (one: (x: Tensor) => Tensor) => ([a, b, c]: readonly Tensor[]) => ops.total([one(a), one(b), one(c)]);
  const complement = await numbersOf(ops, all((x) => ops.complement(x)));
  assert.deepEqual(complement, await numbersOf(ops, all((x) => ops.offset(ops.negate(x), 1))));
}, [float64, ...backends]);

testBackends("the total of one tensor is that tensor, and that of none is refused", (backend) => {
  const ops = createOps(backend);
  const x = ops.full([2], 1);
  assert.equal(ops.total([x]), x);
  assert.throws(() => ops.total([]), {
    name: "RangeError",
    message: "Cannot add up no tensors: their shape is not known",
  });
}, [float64]);
