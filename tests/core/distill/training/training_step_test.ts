import assert from "node:assert/strict";
import { stepOf } from "../../../support/steps.ts";
import { decomposeMatrix } from "../../../../core/mpo/decompose.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { Random } from "../../../../core/data/random.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { Loss, LossSetup } from "../../../../core/plugin/loss.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import { freshWeights } from "../../../../core/plugin/parameters.ts";
import type { Teacher } from "../../../../core/distill/teacher/teacher_outputs.ts";
import { crossEntropy } from "../../../../plugins/losses/cross_entropy.ts";
import { resnet } from "../../../../plugins/models/resnet/resnet.ts";
import { float64, testBackends } from "../../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { imageData } from "../../../support/inputs.ts";
import { heldChain } from "../../../support/chains.ts";

const WEIGHT = "layer1.0.conv1.weight";
const data = imageData([5, 5, 1], ["a", "b", "c"]);
const batch = {
  image: { data: Float32Array.from(pseudoRandom(1, 100)), shape: [4, 5, 5, 1] },
  label: { data: Float32Array.of(0, 1, 2, 1), shape: [4] },
};
const progress = { step: 0, totalSteps: 10, stepsPerEpoch: 5 };
const nothing: Loss = { teacherOutputs: [], compute: ({ ops, student }) => ops.scale(ops.sum(student.logits), 0) };

/** One plain SGD step of a tiny network whose first block convolution is a chain. */
async function oneStep(
  ops: Ops,
  train: Record<string, unknown>,
  { cores = 3, loss, teacher = null }: { cores?: number; loss?: Loss; teacher?: Teacher | null } = {},
) {
  const model = resnet.build(resnet.options(optionKit).parse({ depth: 8, width: 4 }), data);
  const initial = freshWeights(model, new Random(2));
  const factors = { rows: [2, ...Array(cores - 2).fill(1), 2], cols: [6, ...Array(cores - 2).fill(1), 6] };
  const { chain } = await decomposeMatrix(initial.get(WEIGHT)!, 4, 36, factors);
  const student = new Student(ops, model, new Map([[WEIGHT, heldChain(chain, [4, 4, 3, 3])]]), initial);
  const used = loss ??
    await crossEntropy.create({ labelSmoothing: 0, head: null, classWeights: null }, { data } as LossSetup);
  const optimiser = { use: "sgd", momentum: 0, learningRate: 0.1, weightDecay: 0, ...train.optimiser as object };
  const step = stepOf(ops, {
    student,
    teacher,
    losses: [{ name: "loss", weight: 1, loss: used }],
    train: { schedule: { use: "constant" }, ...train, optimiser },
  });
  const read = async () => ({
    plain: await student.plain.parts[0].flat.read(),
    cores: await student.cores.parts[0].flat.read(),
  });
  const before = await read();
  step.run([batch], progress, false);
  return { step, student, before, after: await read(), model, initial, chain };
}

const change = (after: ArrayLike<number>, before: ArrayLike<number>) =>
  Float64Array.from(after, (value, index) => value - before[index]);

testBackends("cores.learningRateScale scales the step of the cores alone", async (backend) => {
  const ops = createOps(backend);
  const clip = { clipGradientNorm: null };
  const one = await oneStep(ops, clip);
  const three = await oneStep(ops, { ...clip, cores: { learningRateScale: 3 } });
  const expected = change(one.after.cores, one.before.cores).map((value) => 3 * value);
  assertClose(change(three.after.cores, three.before.cores), expected, 1e-12);
  assertClose(three.after.plain, one.after.plain, 0);
  assert.ok(expected.some((value) => Math.abs(value) > 1e-4));
}, [float64]);

testBackends(
  "weight decay of the cores multiplies them, of the merged matrix goes through the chain, or is none",
  async (backend) => {
    const ops = createOps(backend);
    const decayed = (weightDecayTarget: string) => {
      const train = { optimiser: { weightDecay: 0.5 }, cores: { weightDecayTarget }, clipGradientNorm: null };
      return oneStep(ops, train, { loss: nothing });
    };
    const cores = await decayed("cores");
    assertClose(cores.after.cores, cores.before.cores.map((value) => value * (1 - 0.1 * 0.5)), 1e-12);
    const none = await decayed("none");
    assertClose(none.after.cores, none.before.cores, 0);
    const merged = await decayed("merged");
    // d/d core of 0.5 / 2 ||W||^2, by the tape, times the learning rate.
    const { student } = await oneStep(ops, { optimiser: { learningRate: 1e-30 } });
    const targets = student.coresOf(WEIGHT);
    const penalty = () => ops.scale(ops.sum(ops.square(student.weights().get(WEIGHT))), 0.25);
    const { gradients } = ops.differentiate(penalty, targets);
    const wanted = await Promise.all(gradients.map((gradient) => gradient!.read()));
    const got = await Promise.all(merged.student.coresOf(WEIGHT).map((core) => core.read()));
    const start = await Promise.all(targets.map((core) => core.read()));
    got.forEach((core, k) =>
      assertClose(core, start[k].map((value, i) => value - 0.1 * wanted[k][i]), 1e-9, `core ${k}`)
    );
  },
  [float64],
);

testBackends(
  "the gradient is bounded by 1 by default where a chain has three cores, and not where it has two",
  async (backend) => {
    const ops = createOps(backend);
    assert.equal((await oneStep(ops, {}, { cores: 3 })).step.clip, 1);
    assert.equal((await oneStep(ops, {}, { cores: 2 })).step.clip, null);
    const { before, after } = await oneStep(ops, { clipGradientNorm: 0.01 });
    const all = [...change(after.plain, before.plain), ...change(after.cores, before.cores)];
    assertClose([Math.hypot(...all)], [0.1 * 0.01], 1e-9);
  },
  [float64],
);

testBackends("the teacher is frozen and runs in evaluation mode", async (backend) => {
  const ops = createOps(backend);
  const model = resnet.build(resnet.options(optionKit).parse({ depth: 8, width: 4, dropout: 0.5 }), data);
  const numbers = freshWeights(model, new Random(9));
  const tensors = new Map(model.parameters.map(({ name, shape }) => [name, ops.tensor(numbers.get(name)!, shape)]));
  const weights = weightsFrom(tensors);
  const image = ops.tensor(batch.image.data, batch.image.shape);
  const call = { ops, weights, batch: { image }, training: false, randomSeed: () => 0 };
  const expected = await model.forward(call).logits.read();
  let seen: Promise<ArrayLike<number>> | undefined;
  const spy: Loss = {
    teacherOutputs: ["logits"],
    compute({ ops, student, teacher }) {
      seen = teacher.logits.read();
      return ops.mean(ops.square(ops.subtract(student.logits, teacher.logits)));
    },
  };
  await oneStep(ops, {}, { loss: spy, teacher: { model, weights } });
  assertClose(await seen!, expected, 1e-12, "teacher's logits");
  for (const [name, tensor] of tensors) assertClose(await tensor.read(), numbers.get(name)!, 0, name);
}, [float64]);
