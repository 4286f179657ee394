import assert from "node:assert/strict";
import { normFactors, tracedNorm } from "../../../core/onnx/traced_norm.ts";
import { traceModel } from "../../../core/onnx/trace.ts";
import { imageData } from "../../support/inputs.ts";
import { madeUpModel } from "../../support/subjects.ts";

Deno.test("a batch norm of a trace has its parts by name, PyTorch's epsilon, and what it multiplies by", () => {
  const model = madeUpModel({ w: [1], b: [1], m: [1], v: [1] }, ({ ops, weights, batch }) => {
    const get = (name: string) => weights.get(name);
    const options = { runningMean: get("m"), runningVariance: get("v"), training: false, activation: "relu" as const };
    return ops.reshape(ops.batchNorm(batch.image, get("w"), get("b"), options, batch.image), [batch.image.shape[0], 4]);
  });
  const { steps: [step] } = traceModel(model, imageData([2, 2, 1], ["a", "b", "c", "d"]));
  const { x, residual, epsilon, activation, training, ...vectors } = tracedNorm(step);
  const names = Object.entries(vectors).map(([name, { source }]) => [name, source.kind === "weight" && source.name]);
  assert.deepEqual(Object.fromEntries(names), { weight: "w", bias: "b", mean: "m", variance: "v" });
  assert.deepEqual([epsilon, activation, training, residual === x], [1e-5, "relu", false, true]);
  assert.deepEqual([...normFactors([2, 3], [0, 8.75], 0.25)], [4, 1]);
});
