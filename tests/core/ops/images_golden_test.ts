import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import golden from "../../golden/images.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertFingerprint } from "../../support/fingerprints.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { sizeOf } from "../../../core/tensor.ts";

const all = [float64, ...backends];
// PyTorch takes a float32 for the sixth in the gradients of the hard functions, in float64 too.
const toleranceOf = ({ precision }: { precision: string }) => precision === "float64" ? 1e-7 : 1e-5;

testBackends("convolutions with groups and dilation, and their gradients, are PyTorch's", async (backend) => {
  const ops = createOps(backend);
  const made = (seed: number, shape: readonly number[]) => ops.tensor(pseudoRandom(seed, sizeOf(shape)), shape);
  for (const [number, expected] of golden.convolutions.entries()) {
    const [x, filter] = [made(51, expected.x), made(52, expected.filter)];
    const y = ops.conv2d(x, filter, expected.options);
    assert.deepEqual(y.shape, expected.shape);
    const { gradients: [dx, dfilter] } = ops.differentiate(
      () => ops.sum(ops.multiply(ops.conv2d(x, filter, expected.options), made(53, y.shape))),
      [x, filter],
    );
    const tolerance = toleranceOf(backend);
    assertFingerprint(await y.read(), expected.y, 54, tolerance, `${number}: y`);
    assertFingerprint(await dx!.read(), expected.dx, 55, tolerance, `${number}: dx`);
    assertFingerprint(await dfilter!.read(), expected.dfilter, 56, tolerance, `${number}: dfilter`);
  }
}, all);

testBackends("relu6, SiLU, hard-sigmoid and hard-swish, and their gradients, are PyTorch's", async (backend) => {
  const ops = createOps(backend);
  for (const [name, expected] of Object.entries(golden.functions)) {
    const call = ops[name as keyof typeof golden.functions];
    const x = ops.tensor(expected.x);
    assertClose(await call(x).read(), expected.y, toleranceOf(backend), name);
    const { gradients: [dx] } = ops.differentiate(() => ops.sum(call(x)), [x]);
    assertClose(await dx!.read(), expected.dx, toleranceOf(backend), `${name}'s gradient`);
  }
}, all);
