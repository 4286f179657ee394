import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import type { Backend } from "../../../../core/backend/backend.ts";
import { freeze } from "../../../../core/nn/frozen_weights.ts";
import { traceModel } from "../../../../core/onnx/trace.ts";
import type { InputDescription } from "../../../../core/plugin/dataset.ts";
import type { ForwardCall, Model } from "../../../../core/plugin/model.ts";
import { sizeOf, type Tensor } from "../../../../core/tensor.ts";
import { type LrpSettings, propagate } from "../../../../core/assess/explain/lrp/lrp.ts";
import { TraceRun } from "../../../../core/assess/explain/run_trace.ts";
import { madeUpModel } from "../../../support/subjects.ts";
import { pseudoRandom } from "../../../support/numbers.ts";

/** A model by the shapes of its weights and a function to logits, as anybody's plug-in could be one. */
export function modelOf(
  shapes: Readonly<Record<string, readonly number[]>>,
  logits: (call: ForwardCall, get: (name: string) => Tensor) => Tensor,
): Model {
  return madeUpModel(shapes, (call) => logits(call, (name) => call.weights.get(name)));
}

/** Numbers for a model's weights, all of about the size that keeps activations. */
export function numbersFor({ parameters }: Model, seed = 1): Map<string, Float32Array> {
  return new Map(parameters.map(({ name, shape }, index) => {
    const size = sizeOf(shape);
    const bound = Math.sqrt(3 / Math.max(1, size / shape[0]));
    return [name, Float32Array.from(pseudoRandom(seed + index, size, -bound, bound))];
  }));
}

/** LRP of a class's logit for images `[batch, ...size]`; the errors are logit - sum - what biases took. */
export async function lrpOf(
  backend: Backend,
  { model, numbers, input, image, target }: {
    readonly model: Model;
    readonly numbers: ReadonlyMap<string, Float32Array>;
    readonly input: InputDescription;
    readonly image: ArrayLike<number>;
    readonly target: number;
  },
  settings: Partial<LrpSettings>,
) {
  const ops: Ops = createOps(backend);
  const weights = freeze(ops, model, numbers);
  const examples = image.length / sizeOf(input.image!.size);
  const tensors = ops.scope(() => {
    const batch = { image: ops.tensor(image, [examples, ...input.image!.size]) };
    const run = new TraceRun(ops, traceModel(model, input), weights, batch);
    const logits = run.get(run.trace.logits);
    const chosen = new Float32Array(logits.size);
    for (let example = 0; example < examples; example++) chosen[example * logits.shape[1] + target] = 1;
    const relevance = ops.multiply(logits, ops.tensor(chosen, logits.shape));
    const given: LrpSettings = { rule: "epsilon", first: "same", epsilon: 1e-9, bounds: null, ...settings };
    const found = propagate(ops, run, relevance, given);
    return [found.relevance, found.biases, ops.sum(relevance, { axes: [1] })];
  });
  const [relevance, biases, logits] = await ops.read(tensors);
  tensors.forEach((tensor) => tensor.dispose());
  weights.dispose();
  const each = relevance.length / examples;
  const sums = Array.from(
    { length: examples },
    (_, example) =>
      Array.from(relevance.subarray(example * each, (example + 1) * each)).reduce((sum, value) => sum + value, 0),
  );
  const errors = sums.map((sum, example) => Math.abs(logits[example] - sum - biases[example]));
  return { relevance, biases, logits, errors };
}
