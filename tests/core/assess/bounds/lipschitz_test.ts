import assert from "node:assert/strict";
import { lipschitzOf } from "../../../../core/assess/bounds/lipschitz.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { jacobiSvd } from "../../../../core/linalg/jacobi_svd.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { pseudoRandom } from "../../../support/numbers.ts";
import { testBackends } from "../../../support/backends.ts";
import { built, images } from "../../onnx/onnx_models.ts";
import { type Built, logitsAndSlopes, NETWORKS, Opened, written } from "./networks.ts";

/** The largest singular value of a linear model, from its logits for each unit vector. */
async function largestSingularValue(model: Built, size: number): Promise<number> {
  const exact = createOps(await CpuBackend.create({ precision: "float64" }));
  const units = new Float64Array((size + 1) * size);
  for (let i = 0; i < size; i++) units[(i + 1) * size + i] = 1;
  const { logits } = await logitsAndSlopes(exact, model, units);
  const classes = logits.length / (size + 1);
  // Row i: what pixel i does to the logits.
  const matrix = logits.slice(classes).map((logit, i) => logit - logits[i % classes]);
  await exact.backend.close();
  return jacobiSvd(Float64Array.from(matrix), size, classes).singularValues[0];
}

testBackends("the norm of a convolution is that of its map of images, not of its filters' matrix", async (backend) => {
  // Norm, stride, a pool and the last matrix are one linear map.
  const stack = built("cnn", {
    layers: [
      { use: "conv", channels: 3, size: 3, stride: 2, activation: "none" },
      { use: "average-pool", size: 2, stride: 1 },
    ],
  }, images(6, 5, 2));
  const exact = await largestSingularValue(stack, 60);
  await using opened = await Opened.on(backend, stack);
  const { estimate, bound } = await lipschitzOf(opened.device, 5);
  assert.ok(Math.abs(estimate / exact - 1) < 1e-3, `${estimate} of ${exact}`);
  assert.ok(bound >= exact && bound < 1.12 * exact, `${bound} of ${exact}`);
});

testBackends("where two ways meet their bounds are added", async (backend) => {
  const meeting = written(3, { w: [3, 3] }, { w: [0, 2, 0, 0, 0, 2, 2, 0, 0] }, ({ ops, weights, batch }) => {
    const x = ops.reshape(batch.image, [-1, 3]);
    return ops.add(ops.linear(x, weights.get("w")), ops.relu(ops.scale(x, -3)));
  });
  await using opened = await Opened.on(backend, meeting);
  const { estimate, bound } = await lipschitzOf(opened.device, 5);
  assert.ok(Math.abs(estimate - 5) < 1e-4 && bound >= 5 && bound < 5.5, `${estimate}, ${bound}`);
});

Deno.test("no two images have logits farther apart than the bound says", async () => {
  const backend = await CpuBackend.create();
  const plain = createOps(backend);
  for (const [name, model] of Object.entries(NETWORKS)) {
    await using opened = await Opened.on(backend, model);
    const { estimate, bound } = await lipschitzOf(opened.device, 5);
    const size = model.input.image!.size.reduce((a, b) => a * b);
    const start = pseudoRandom(3, size);
    let most = 0;
    // Steps along the gradients of single logits are where they change most.
    for (let round = 0; round < 2; round++) {
      const classes = model.input.classes.length;
      const unit = Float64Array.from({ length: classes * classes }, (_, i) => i % (classes + 1) === 0 ? 1 : 0);
      const points = Float64Array.from({ length: classes * size }, (_, i) => start[i % size] * (1 + round));
      const { logits, slopes } = await logitsAndSlopes(plain, model, points, unit);
      const moved = await logitsAndSlopes(plain, model, points.map((one, i) => one + 0.02 * slopes[i]));
      for (let row = 0; row < classes; row++) {
        const apart = Math.hypot(
          ...logits.slice(row * classes, (row + 1) * classes).map((one, c) => moved.logits[row * classes + c] - one),
        );
        most = Math.max(most, apart / (0.02 * Math.hypot(...slopes.slice(row * size, (row + 1) * size))));
      }
    }
    assert.ok(most <= estimate * 1.001 && estimate <= bound, `${name}: ${most}, ${estimate}, ${bound}`);
  }
  await backend.close();
});
