import assert from "node:assert/strict";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { testBackends } from "../../support/backends.ts";
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
