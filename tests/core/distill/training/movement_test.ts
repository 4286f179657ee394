import assert from "node:assert/strict";
import { Random } from "../../../../core/data/random.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { decomposeMatrix } from "../../../../core/mpo/decompose.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { LossSetup } from "../../../../core/plugin/loss.ts";
import { freshWeights } from "../../../../core/plugin/parameters.ts";
import { crossEntropy } from "../../../../plugins/losses/cross_entropy.ts";
import { mlp } from "../../../../plugins/models/stack/mlp.ts";
import { float64, testBackends } from "../../../support/backends.ts";
import { imageData } from "../../../support/inputs.ts";
import { heldChain } from "../../../support/chains.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { stepOf } from "../../../support/steps.ts";

const NAMES = ["1.weight", "3.weight"];
const data = imageData([2, 2, 1], ["a", "b", "c"]);
const batch = {
  image: { data: Float32Array.from(pseudoRandom(1, 16)), shape: [4, 2, 2, 1] },
  label: { data: Float32Array.of(0, 1, 2, 1), shape: [4] },
};
const model = mlp.build(mlp.options(optionKit).parse({ widths: [6] }), data);

testBackends("scores are minus the sum of weight times gradient, of weights that are masked, too", async (backend) => {
  const ops = createOps(backend);
  const initial = freshWeights(model, new Random(2));
  const { chain } = await decomposeMatrix(initial.get("1.weight")!, 6, 4, { rows: [2, 1, 3], cols: [2, 1, 2] });
  for (const chains of [new Map(), new Map([["1.weight", heldChain(chain, [6, 4])]])]) {
    const pruned = { weights: new Set(NAMES), learnsScores: true };
    const student = new Student(ops, model, chains, initial, new Map(), pruned);
    const mask = Float32Array.from({ length: 24 }, (_, index) => +(index % 3 > 0));
    student.masks.set("1.weight", mask);
    const loss = await crossEntropy.create(
      { labelSmoothing: 0, head: null, classWeights: null },
      { data } as LossSetup,
    );
    const optimiser = { use: "sgd", momentum: 0.9, learningRate: 0.5, weightDecay: 0.01 };
    const losses = [{ name: "loss", weight: 1, loss }];
    const train = { schedule: { use: "constant" }, optimiser, clipGradientNorm: null };
    const step = stepOf(ops, { student, losses, train });
    const expected = NAMES.map((name) => new Float64Array(initial.get(name)!.length));
    for (let index = 0; index < 5; index++) {
      // What the weights are without masks, and the gradients of the masked ones, which the model computes with.
      const beneath = await student.beneathMasks();
      const used = new Map<string, ReturnType<typeof ops.full>>();
      for (const { name, shape } of model.parameters) {
        const weights = student.frozenWeights();
        used.set(name, ops.keep(ops.tensor(await weights.get(name).read(), shape)));
        weights.dispose();
      }
      const { gradients } = ops.differentiate(
        () => {
          const weights = { get: (name: string) => used.get(name)!, rows: () => [], cores: () => null };
          const inputs = { image: ops.tensor(batch.image.data, batch.image.shape) };
          const call = { ops, weights, batch: inputs, training: true, randomSeed: () => 0 };
          const { logits } = model.forward(call);
          return ops.mean(ops.crossEntropy(logits, ops.tensor(batch.label.data, [4])));
        },
        NAMES.map((name) => used.get(name)!),
      );
      const read = await ops.read(gradients.map((gradient) => gradient!));
      NAMES.forEach((name, place) =>
        read[place].forEach((value, at) => expected[place][at] -= beneath.get(name)![at] * value)
      );
      step.run([batch], { step: index, totalSteps: 10, stepsPerEpoch: 5 }, false);
    }
    assert.ok(step.counts.replays > 0, "some of the steps were replayed");
    const scores = await student.scores.read();
    NAMES.forEach((name, place) => assertClose(scores.get(name)!, expected[place], 1e-6, name));
    assert.ok(expected[0].some((value, index) => mask[index] === 0 && Math.abs(value) > 1e-4));
    // What a mask hides, training leaves alone but for its decay, and nobody sees.
    const weights = student.frozenWeights();
    const seen = await weights.get("1.weight").read();
    seen.forEach((value, index) => assert.equal(value === 0, mask[index] === 0));
    weights.dispose();
    step.dispose();
    student.dispose();
  }
}, [float64]);

testBackends("weights that are all masked leave the last layer's bias", async (backend) => {
  const ops = createOps(backend);
  const student = new Student(ops, model, new Map(), freshWeights(model, new Random(2)), new Map(), {
    weights: new Set(NAMES),
    learnsScores: false,
  });
  const bias = [0.5, -1, 2];
  student.plain.set("3.bias", bias);
  for (const name of NAMES) student.masks.set(name, new Float32Array(student.masks.get(name).size));
  const image = ops.tensor(batch.image.data, batch.image.shape);
  const call = { ops, weights: student.weights(), batch: { image }, training: false, randomSeed: () => 0 };
  assert.deepEqual([...await model.forward(call).logits.read()], [...bias, ...bias, ...bias, ...bias]);
  student.dispose();
});
