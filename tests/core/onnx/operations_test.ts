import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { checkExportable } from "../../../core/onnx/check_exportable.ts";
import { encodeModel } from "../../../core/onnx/encode.ts";
import { countOperators } from "../../../core/onnx/graph.ts";
import { EXPORTED } from "../../../core/onnx/operations.ts";
import { OnnxModel } from "../../../core/onnx/run_model.ts";
import { writeGraph } from "../../../core/onnx/write_graph.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { ForwardCall, Model, ModelOutputs, ParameterSpec } from "../../../core/plugin/model.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { cases } from "../ops/cases.ts";
import { images } from "./onnx_models.ts";

const input = images(2, 2, 1);

/** A model that computes something. */
export function modelOf(parameters: readonly ParameterSpec[], forward: (call: ForwardCall) => Tensor): Model {
  return {
    parameters,
    config: {},
    fromForeign: (name) => name,
    forward: (call): ModelOutputs => {
      const logits = forward(call);
      return { logits, features: {}, hidden: [], attention: [], pooled: logits };
    },
  };
}

/** Those that are of losses and of training alone. */
const NOT_EXPORTED = [
  "huber",
  "meanSquaredDifference",
  "weightedSquaredDifferences",
  "crossEntropy",
  "crfLogMarginals",
  "crfLogPartition",
  "crfScore",
  "jensenShannonDivergence",
  "klDivergence",
  "pick",
  "pickWithRest",
  "dropout",
  // Derivatives, which losses differentiate again.
  "geluSlope",
  "geluTangent",
];

Deno.test("every operation that models compute with is exported; those of losses are not", () => {
  assert.deepEqual(Object.keys(cases).filter((name) => !EXPORTED.includes(name)).sort(), [...NOT_EXPORTED].sort());
});

Deno.test("every operation gives the same numbers in onnxruntime, of weights and of what is computed", async () => {
  const chosen = EXPORTED.flatMap((name) => {
    const all = cases[name as keyof typeof cases];
    // The first half of batch norm's is in training.
    const own = all.slice(name === "batchNorm" ? all.length / 2 : 0);
    const small = own.filter(({ inputs }) => inputs.every(({ shape }) => sizeOf(shape) <= 600));
    return (small.length > 0 ? small : own.slice(0, 1)).map((one) => ({ name, ...one }));
  });
  const parameters = chosen.flatMap(({ inputs }, index) =>
    inputs.map(({ shape }, place): ParameterSpec => ({
      name: `${index}.${place}`,
      shape,
      initialise: { use: "constant", value: 0 },
      trainable: true,
      overParameterisable: false,
    }))
  );
  const numbers = new Map(
    chosen.flatMap(({ inputs }, index) =>
      inputs.map(({ shape, low, high }, place): [string, Float32Array] => [
        `${index}.${place}`,
        Float32Array.from(pseudoRandom(index + place + 1, sizeOf(shape), low, high)),
      ])
    ),
  );
  const results: { readonly name: string; readonly length: number; readonly columns: number }[] = [];
  const model = modelOf(parameters, ({ ops, weights, batch }) => {
    const zero = ops.scale(ops.mean(batch.image), 0);
    results.length = 0;
    const parts = chosen.flatMap(({ name, inputs, call }, index) => {
      const known = inputs.map((_, place) => weights.get(`${index}.${place}`));
      return [known, known.map((weight) => ops.add(weight, zero))].map((tensors) => {
        const result = call(ops, tensors);
        results.push({ name, length: result.size, columns: result.shape.at(-1) ?? 1 });
        return ops.reshape(ops.add(result, zero), [-1]);
      });
    });
    return ops.concat(parts, { axis: 0 });
  });
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const frozen = freeze(ops, model, numbers);
  const written = writeGraph(model, input, numbers);
  using onnx = await OnnxModel.open(encodeModel(written.graph, {}), written);
  const image = { shape: [2, 2, 2, 1], data: new Float32Array(8).fill(0.5) };
  const theirs = onnx.run({ image }).get(onnx.output)!;
  const tensor = ops.tensor(image.data, image.shape);
  const own = model.forward({ ops, weights: frozen, batch: { image: tensor }, training: false, randomSeed: () => 0 });
  const [expected] = await ops.read([own.logits]);
  let at = 0;
  for (const { name, length, columns } of results) {
    const [given, wanted] = [theirs.data, expected].map((numbers) => Array.from(numbers.slice(at, at + length)));
    // Where a mask hides a whole row, which no tokenizer's does, a softmax shares 1 among what is hidden.
    const isHidden = (place: number) => {
      const row = Math.floor(place / columns) * columns;
      return name === "maskedSoftmax" && wanted.slice(row, row + columns).every((value) => value === 0);
    };
    const seen = (_: number, place: number) => !isHidden(place);
    assertClose(given.filter(seen), wanted.filter(seen), 2e-5, name);
    at += length;
  }
  assert.equal(at, theirs.data.length);
  await backend.close();
});

Deno.test("batch norm stays by itself where another layer wants what is before it, too", () => {
  const parameters = [[2, 1, 1, 1], [2], [2], [2], [2], [4, 2]].map((shape, index): ParameterSpec => ({
    name: `${index}`,
    shape,
    initialise: { use: "constant", value: 1 },
    trainable: true,
    overParameterisable: false,
  }));
  const numbers = new Map(parameters.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape)).fill(1)]));
  const graph = (shared: boolean) =>
    writeGraph(
      modelOf(parameters, ({ ops, weights, batch }) => {
        const get = (index: number) => weights.get(`${index}`);
        const x = ops.conv2d(batch.image, get(0));
        const statistics = { training: false, runningMean: get(3), runningVariance: get(4) };
        const y = ops.batchNorm(x, get(1), get(2), statistics, shared ? x : undefined);
        return ops.linear(ops.mean(y, { axes: [1, 2] }), get(5));
      }),
      input,
      numbers,
    );
  assert.deepEqual(countOperators(graph(false).graph), { Conv: 1, ReduceMean: 1, Gemm: 1 });
  assert.equal(graph(false).folded, 1);
  const both = { Conv: 1, BatchNormalization: 1, Add: 1, ReduceMean: 1, Gemm: 1 };
  assert.deepEqual(countOperators(graph(true).graph), both);
});

Deno.test("an operation that no operator of ONNX computes names itself, before anything is trained", () => {
  const weight: ParameterSpec = {
    name: "w",
    shape: [4, 3],
    initialise: { use: "constant", value: 0 },
    trainable: true,
    overParameterisable: false,
  };
  const refused = (forward: (call: ForwardCall) => Tensor, says: RegExp) => {
    const model = modelOf([weight], forward);
    const numbers = new Map([["w", new Float32Array(12)]]);
    const check = { name: "UserError", message: says };
    assert.throws(() => writeGraph(model, input, numbers), check);
    return () => assert.throws(() => checkExportable(model, input), check);
  };
  refused(
    ({ ops, batch }) => ops.huber(ops.reshape(batch.image, [batch.image.shape[0], -1]), 1),
    /^Cannot export the model to ONNX as it uses the operation huber, which no operator of ONNX is known for$/,
  )();
  refused(
    ({ ops, batch }) => ops.scale(ops.mean(batch.image, { axes: [1, 2, 3] }), 1 / (batch.image.shape[0] + 0.5)),
    /as scale follows the size of the batch in a way that a graph cannot say/,
  )();
  refused(
    ({ ops, batch }) => batch.image.shape[0] > 4 ? ops.relu(batch.image) : ops.relu(ops.relu(batch.image)),
    /as its forward pass runs other operations for batches of another size$/,
  )();
  refused(
    ({ ops, batch }) =>
      ops.add(ops.mean(batch.image, { axes: [1, 2] }), ops.argmax(ops.mean(batch.image, { axes: [1, 2, 3] }))),
    /as add takes a tensor that no operation made which can be exported$/,
  )();
  refused(({ ops, weights }) => ops.relu(weights.get("w")), /as its logits do not depend on what it is given$/);
  refused(
    ({ ops, batch }) => (ops.assign(batch.image, batch.image), ops.relu(batch.image)),
    /as its forward pass calls ops\.assign, which a graph of operations cannot say$/,
  )();
});
