import assert from "node:assert/strict";
import { createOps } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { float64, testBackends } from "../support/backends.ts";
import { assertClose } from "../support/numbers.ts";

testBackends("a scope frees what it made, save what it returns and what is kept", async (backend) => {
  const ops = createOps(backend);
  let kept: Tensor | undefined;
  let lost: Tensor | undefined;
  const result = ops.scope(() => {
    const inner = ops.scope(() => {
      lost = ops.tensor([1]);
      return { list: [ops.tensor([2]), ops.reshape(ops.tensor([3]), [1, 1])] };
    });
    kept = ops.keep(ops.tensor([4]));
    return new Map([["sum", ops.add(inner.list[0], inner.list[1])]]);
  });
  assert.equal(lost!.disposed, true);
  assert.equal(backend.memory().storages, 2, "the result and the kept one live");
  assertClose(await result.get("sum")!.read(), [5], 0);
  assert.throws(() => ops.scope(() => ops.negate(lost!)), { message: /after it was freed: its scope has ended/ });
  result.get("sum")!.dispose();
  kept!.dispose();
  assert.deepEqual([backend.memory().storages, backend.memory().bytes], [0, 0]);
});

testBackends("a scope frees what it made when its body throws", (backend) => {
  const ops = createOps(backend);
  assert.throws(() =>
    ops.scope(() => {
      ops.tensor([1, 2]);
      throw new RangeError("stop");
    }), { message: "stop" });
  assert.equal(backend.memory().storages, 0);
});

testBackends("a scope refuses an async body", (backend) => {
  const ops = createOps(backend);
  assert.throws(() => ops.scope(() => Promise.resolve(1)), { message: "Cannot end a scope whose body is async" });
}, [float64]);

testBackends("a reshaped tensor keeps the storage that it shares", async (backend) => {
  const ops = createOps(backend);
  const reshaped = ops.scope(() => ops.reshape(ops.tensor([1, 2, 3, 4]), [2, 2]));
  assertClose(await reshaped.read(), [1, 2, 3, 4], 0);
  reshaped.dispose();
  assert.equal(backend.memory().storages, 0);
});

testBackends("live storages and bytes stay level over 50 differentiated steps", (backend) => {
  const ops = createOps(backend);
  const weight = ops.keep(ops.full([40, 30], 0.1));
  const levels = Array.from({ length: 50 }, () => {
    ops.scope(() => {
      const x = ops.full([8, 40], 1);
      ops.differentiate(() => ops.mean(ops.square(ops.relu(ops.contract("bi,io->bo", x, weight)))), [weight]);
    });
    const { storages, bytes } = backend.memory();
    return [storages, bytes];
  });
  levels.forEach((level) => assert.deepEqual(level, levels[0]));
  weight.dispose();
});

testBackends(
  "an extent that is no whole number is refused, and what comes after it has memory of its own",
  async (backend) => {
    const ops = createOps(backend);
    for (const shape of [[NaN], [0, NaN, 4], [-1], [1.5, 2]]) {
      assert.throws(() => ops.full(shape, 0), { name: "RangeError", message: /extents must be whole numbers from 0/ });
    }
    const [a, b] = [ops.full([3], 1), ops.full([3], 2)];
    assert.deepEqual([...await a.read()], [1, 1, 1]);
    assert.deepEqual([...await b.read()], [2, 2, 2]);
    assert.deepEqual([...await ops.tensor([], [0, 3]).read()], []);
  },
);
