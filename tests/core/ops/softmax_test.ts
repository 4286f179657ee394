import { createOps } from "../../../core/ops/ops.ts";
import { testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";

testBackends("log-softmax keeps its digits beside large numbers", async (backend) => {
  const ops = createOps(backend);
  for (const large of [1e4, -1e4, 1e8, 3e38]) {
    const [equal, two] = await ops.read([
      ops.logSoftmax(ops.full([2, 3], large)),
      ops.logSoftmax(ops.tensor([large, large, -Infinity])),
    ]);
    assertClose(equal, Array(6).fill(-Math.log(3)), 1e-6, `${large} three times`);
    assertClose(two.slice(0, 2), Array(2).fill(-Math.log(2)), 1e-6, `${large} twice`);
  }
});

testBackends(
  "softmax of a row without any finite number is NaN, and zero where a mask leaves nothing",
  async (backend) => {
    const ops = createOps(backend);
    const lowest = ops.full([1, 5], -Infinity);
    const [plain, masked, nothing] = await ops.read([
      ops.softmax(lowest),
      ops.maskedSoftmax(lowest, ops.tensor([0, 1, 1, 0, 0], [1, 5])),
      ops.maskedSoftmax(lowest, ops.full([1, 5], 0)),
    ]);
    assertClose([...plain].map(Number.isNaN).map(Number), [1, 1, 1, 1, 1], 0, "softmax");
    assertClose([...masked].slice(1, 3).map(Number.isNaN).map(Number), [1, 1], 0, "masked softmax");
    assertClose(nothing, [0, 0, 0, 0, 0], 0, "all masked");
  },
);
