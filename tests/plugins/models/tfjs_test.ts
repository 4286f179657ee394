import assert from "node:assert/strict";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { cpu, testBackends } from "../../support/backends.ts";
import { images, inFolder, openModel, saveGraph, saveLayers, smallNetwork, tf, tfl } from "./tfjs_fixture.ts";

/** What TensorFlow.js itself gives on its cpu backend. */
function predict(model: tfl.LayersModel, x: ArrayLike<number>, shape: number[], layers: string[]): number[][] {
  const part = tfl.model({ inputs: model.inputs, outputs: layers.map((name) => model.getLayer(name).output as never) });
  return tf.tidy(() => {
    const outputs = [part.predict(tf.tensor(Float32Array.from(x), shape))].flat() as tf.Tensor[];
    return outputs.map((output) => [...output.dataSync()]);
  });
}

testBackends("a layers model gives what TensorFlow.js's own predict gives", async (backend) => {
  await inFolder(async (folder) => {
    const network = smallNetwork();
    await saveLayers(network, folder);
    const options = { pixels: "-1..1", pooled: "pool", features: { first: "stem" }, hidden: ["norm"] };
    const teacher = await openModel(backend, folder, options);
    const { ops } = teacher;
    // Batches of several sizes, as an epoch ends with a smaller one; and again of the first.
    for (const [seed, batch] of [[1, 3], [2, 5], [3, 3]]) {
      const pixels = pseudoRandom(seed, batch * 64, 0, 1);
      const image = ops.tensor(pixels.map((pixel) => (pixel - 0.3) / 0.2), [batch, 8, 8, 1]);
      const { logits, pooled, features, hidden, attention } = teacher.run({ image });
      const scaled = pixels.map((pixel) => 2 * pixel - 1);
      const expected = predict(network, scaled, [batch, 8, 8, 1], ["head", "pool", "stem", "norm"]);
      const outputs = [logits, pooled, features.first, hidden[0]];
      assert.deepEqual(outputs.map(({ shape }) => shape), [[batch, 3], [batch, 4], [batch, 4, 4, 4], [batch, 4, 4, 4]]);
      const numbers = await ops.read(outputs);
      numbers.forEach((output, index) => assertClose(output, expected[index], 1e-5));
      assert.deepEqual(attention, []);
    }
    assert.equal(teacher.model.foreignParameters, 4 * 9 + 4 + 2 * 4 + 4 * 3 + 3);
    assert.equal(tf.getBackend(), "cpu", "TensorFlow.js computes where it did");
    teacher.dispose();
    network.dispose();
  });
});

/** A graph that multiplies an image of 2x2 by a matrix [4, 3], adds a bias and takes the softmax. */
const matrix = [...pseudoRandom(4, 12, -1, 1)];
const bias = [0.5, 0, -200];
const graph = [
  { name: "flat", op: "Reshape", input: ["x", "shape"], attr: { Tshape: { type: "DT_INT32" } } },
  { name: "product", op: "MatMul", input: ["flat", "matrix"] },
  { name: "scores", op: "AddV2", input: ["product", "bias"] },
  { name: "probabilities", op: "Softmax", input: ["scores"] },
];
const constants = {
  matrix: { shape: [4, 3], values: matrix },
  bias: { shape: [3], values: bias },
  shape: { shape: [2], values: [-1, 4] },
};
const small: InputDescription = { ...images, image: { size: [2, 2, 1], normalise: { mean: [0], std: [1] } } };

testBackends("of a graph model nodes are chosen by name, and probabilities become logits", async (backend) => {
  await inFolder(async (folder) => {
    await saveGraph(folder, [-1, 2, 2, 1], constants, graph);
    const [x, batch] = [pseudoRandom(5, 8, -1, 1), 2];
    const scores = Array.from({ length: 6 }, (_, i) => {
      const [row, column] = [Math.floor(i / 3), i % 3];
      return [0, 1, 2, 3].reduce((sum, k) => sum + x[4 * row + k] * matrix[3 * k + column], bias[column]);
    });
    const logProbabilities = scores.map((score, i) => {
      const row = scores.slice(3 * Math.floor(i / 3), 3 * Math.floor(i / 3) + 3);
      return Math.max(score - Math.log(row.reduce((sum, other) => sum + Math.exp(other), 0)), Math.log(2 ** -126));
    });
    for (
      const [options, logits, node] of [
        [{ logits: "scores", pooled: "flat" }, scores, x],
        [{ probabilities: true, pooled: "product" }, logProbabilities, scores.map((score, i) => score - bias[i % 3])],
      ] as const
    ) {
      const teacher = await openModel(backend, `${folder}/model.json`, options, small);
      const outputs = teacher.run({ image: teacher.ops.tensor(x, [batch, 2, 2, 1]) });
      const [own, pooled] = await teacher.ops.read([outputs.logits, outputs.pooled]);
      assertClose(own, logits, 1e-4);
      assertClose(pooled, node, 1e-5);
      teacher.dispose();
    }
  });
});

Deno.test("beside the cpu backend, what WebAssembly lacks is computed by TensorFlow.js's own cpu backend", async () => {
  assert.ok(!tf.getKernelsForBackend("wasm").some(({ kernelName }) => kernelName === "Einsum"));
  await inFolder(async (folder) => {
    const attr = { equation: { s: btoa("bi,ij->bj") } };
    const product = { name: "einsum", op: "Einsum", input: ["flat", "matrix"], attr };
    await saveGraph(folder, [-1, 2, 2, 1], constants, [graph[0], product]);
    const backend = await cpu.open();
    const teacher = await openModel(backend, folder, { logits: "einsum" }, small);
    const { logits } = teacher.run({ image: teacher.ops.tensor([0, 1, 0, 2], [1, 2, 2, 1]) });
    assertClose(await logits.read(), [0, 1, 2].map((column) => matrix[3 + column] + 2 * matrix[9 + column]), 1e-6);
    teacher.dispose();
    await backend.close();
  });
});

const text: InputDescription = {
  task: "classification",
  classes: ["a", "b"],
  image: null,
  text: { vocabulary: 10, maxLength: 12, padding: 0, files: {} },
};

testBackends("a model of text is given tokens and mask by its inputs' names", async (backend) => {
  await inFolder(async (folder) => {
    const [ids, mask] = ["ids", "attention"].map((name) => tfl.input({ name, shape: [null], dtype: "int32" }));
    const embeddingsInitializer = tfl.initializers.randomNormal({ seed: 2, stddev: 1 });
    const table = tfl.layers.embedding({ name: "table", inputDim: 10, outputDim: 2, embeddingsInitializer });
    const masks = tfl.layers.embedding({ name: "masks", inputDim: 2, outputDim: 2, embeddingsInitializer: "identity" });
    const [embedded, masked] = [table.apply(ids), masks.apply(mask)] as tfl.SymbolicTensor[];
    const product = tfl.layers.multiply({ name: "product" }).apply([embedded, masked]);
    const outputs = tfl.layers.globalAveragePooling1d({ name: "mean" }).apply(product) as tfl.SymbolicTensor;
    const network = tfl.model({ inputs: [ids, mask], outputs });
    await saveLayers(network, folder);
    const teacher = await openModel(backend, folder, { inputs: { attention: "mask", ids: "tokens" } }, text);
    const [tokens, present] = [[1, 9, 3, 4, 0, 0], [1, 1, 1, 1, 0, 0]];
    const batch = { tokens: teacher.ops.tensor(tokens, [2, 3]), mask: teacher.ops.tensor(present, [2, 3]) };
    // The mask chooses a column of the table: it is not lost, nor taken for the tokens.
    const weights = await table.getWeights()[0].data();
    const expected = [0, 1].flatMap((row) =>
      [0, 1].map((column) => {
        const kept = [0, 1, 2].map((place) => 3 * row + place).filter((place) => present[place] === column);
        return kept.reduce((sum, place) => sum + weights[2 * tokens[place] + column], 0) / 3;
      })
    );
    assertClose(await teacher.run(batch).logits.read(), expected, 1e-6);
    network.dispose();
    teacher.dispose();
  });
});

testBackends("fifty steps read nothing back and leave nothing behind", async (backend) => {
  await inFolder(async (folder) => {
    const network = smallNetwork();
    await saveLayers(network, folder);
    network.dispose();
    const before = { tensors: tf.memory().numTensors, ours: backend.memory().storages };
    const teacher = await openModel(backend, folder, { pixels: "0..1", pooled: "pool", features: { first: "stem" } });
    const { ops } = teacher;
    const step = (index: number, batch: number) =>
      ops.scope(() => {
        const image = ops.tensor(pseudoRandom(index, batch * 64, 0, 1), [batch, 8, 8, 1]);
        const { logits, features } = teacher.run({ image }, new Set(["logits", "features"]));
        return { sum: ops.sum(logits), first: features.first };
      });
    const dispose = (outputs: ReturnType<typeof step>) =>
      [outputs.sum, outputs.first].forEach((tensor) => tensor.dispose());
    const level = () => ({ ...tf.memory(), reasons: [], ours: backend.memory().storages });
    const reads = countReads();
    try {
      // The sizes of batches that a run has: of training, the last one of an epoch, of evaluation.
      [4, 2, 6].forEach((batch) => dispose(step(0, batch)));
      const [begun, submitted] = [level(), backend.work().submits];
      for (let index = 1; index <= 50; index++) dispose(step(index, [4, 4, 2, 6][index % 4]));
      assert.deepEqual(level(), begun);
      assert.ok(backend.name === "cpu" || backend.work().submits - submitted >= 100, "each step crosses twice");
      assert.equal(reads.count(), 0);
    } finally {
      reads.stop();
    }
    teacher.dispose();
    assert.deepEqual({ tensors: tf.memory().numTensors, ours: backend.memory().storages }, before);
  });
});

/** Counts how often anything asks for numbers of the GPU, be it this program or TensorFlow.js. */
function countReads(): { count(): number; stop(): void } {
  const map = GPUBuffer.prototype.mapAsync;
  let count = 0;
  GPUBuffer.prototype.mapAsync = function (...call) {
    count++;
    return map.apply(this, call);
  };
  return { count: () => count, stop: () => void (GPUBuffer.prototype.mapAsync = map) };
}
