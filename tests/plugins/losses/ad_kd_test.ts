import assert from "node:assert/strict";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { Random } from "../../../core/data/random.ts";
import { Student } from "../../../core/distill/student/student.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossSetup } from "../../../core/plugin/loss.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { mapOutputs } from "../../../core/plugin/output_tree.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { adKd } from "../../../plugins/losses/ad_kd.ts";
import { integratedGradients, placesOf } from "../../../plugins/losses/attributions.ts";
import golden from "../../golden/attributions.json" with { type: "json" };
import { gen } from "../../golden/golden.ts";
import { float64, testBackends } from "../../support/backends.ts";
import { buildLoss, lossCall, outputs } from "../../support/losses.ts";
import { textData } from "../../support/inputs.ts";
import { assertClose } from "../../support/numbers.ts";
import { fixture, inputOf, openEncoder } from "../models/bert_fixture.ts";

type Name = "bert" | "regression";

const noSeed = () => assert.fail("attributions draw nothing");

/** The loss between an encoder and the same with three quarters of its weights, as a run builds and prepares it. */
async function openLoss(ops: Ops, name: Name, options: Record<string, unknown>, setup: Partial<LossSetup> = {}) {
  const opened = await openEncoder(name, ops, { dropout: 0, attentionDropout: 0, headDropout: 0 });
  const { model, student, batch } = opened;
  const whole = await readModelWeights(fixture(`${name}.safetensors`), model, "teacher");
  const smaller = new Map([...whole].map(([key, numbers]) => [key, numbers.map((x) => 0.75 * x)]));
  const teacher = new Student(ops, model, new Map(), smaller);
  const shapes = mapOutputs(opened.forward(), ({ shape }) => [1, ...shape.slice(1)]);
  const given = opened.forward();
  const loss = await buildLoss(ops, adKd, options, { student: given, teacher: given }, {
    data: inputOf(name),
    student: model,
    teacher: model,
    shapes: { student: shapes, teacher: shapes },
    ...setup,
  });
  const indices = Uint32Array.of(0, 1, 2);
  await loss.prepare!({
    ops,
    labels: null,
    overTrainingSet: () => assert.fail("outputs alone are not looked at"),
    async *overTrainingBatches(compute) {
      const weights = teacher.weights();
      const numbers = compute({ ops, weights, batch, training: false, randomSeed: noSeed });
      yield { indices, shape: numbers.shape, data: await numbers.read() };
    },
    teacherWeights: weightsFrom(new Map()),
    state: weightsFrom(new Map()),
    random: new Random(1),
  });
  const inputs = Object.entries(loss.inputs!({ indices, random: new Random(2) }));
  const own = { ...batch };
  for (const [key, { data, shape }] of inputs) own[key] = ops.tensor(data, shape);
  const compute = (): Tensor => {
    const weights = student.weights();
    const outputs = model.forward({ ops, weights, batch, training: true, randomSeed: noSeed });
    return loss.compute(lossCall(ops, outputs, given, { batch: own, weights }));
  };
  return { ...opened, loss, compute };
}

async function assertGolden(ops: Ops, name: Name, options: object, expected: typeof golden.oneStep, tolerance: number) {
  const { student, compute } = await openLoss(ops, name, { ...options });
  const tensors = [...student.plain.tensors];
  const { loss, gradients } = ops.differentiate(compute, tensors.map(([, tensor]) => tensor));
  assertClose(await loss.read(), [expected.value], tolerance, "value");
  const largest = Math.max(...Object.values(expected.gradients).map(([norm]) => norm));
  for (const [index, [key, tensor]] of tensors.entries()) {
    const numbers = Float64Array.from(await gradients[index]?.read() ?? Array(tensor.size).fill(0));
    const [norm, part] = (expected.gradients as Record<string, number[]>)[key];
    const along = gen(tensor.shape, 81);
    const found = [Math.hypot(...numbers), numbers.reduce((sum, x, i) => sum + x * along[i], 0)];
    assertClose(found.map((x) => x / largest), [norm / largest, part / largest], tolerance, `gradient of ${key}`);
  }
}

/** The teacher's maps are kept in float32. */
const EXACT = 2e-7;

testBackends("ad-kd and its gradient by every weight are those of PyTorch's double backward", async (backend) => {
  const ops = createOps(backend);
  await assertGolden(ops, "bert", {}, golden.oneStep, EXACT);
  await assertGolden(ops, "bert", { steps: 3 }, golden.threeSteps, EXACT);
  await assertGolden(ops, "regression", {}, golden.regression as unknown as typeof golden.oneStep, EXACT);
}, [float64]);

testBackends("ad-kd in float32 is that of PyTorch in float64", async (backend) => {
  await assertGolden(createOps(backend), "bert", {}, golden.oneStep, 2e-4);
});

testBackends(
  "log-odds give the map of the published log p, and topK leaves numbers out of the teacher's",
  async (backend) => {
    const ops = createOps(backend);
    assertClose([golden.oneStep.value], [golden.oneStepOfLogP.value], 1e-9, "both targets");
    const { student, compute } = await openLoss(ops, "bert", { topK: 5 });
    const { loss } = ops.differentiate(compute, [...student.plain.tensors.values()]);
    assertClose(await loss.read(), [golden.topK.value], EXACT);
  },
  [float64],
);

testBackends("attributions add up to what they explain, the more steps the nearer", async (backend) => {
  const ops = createOps(backend);
  const { model, student, batch } = await openEncoder("bert", ops);
  const sumBy = async (steps: number) => {
    let sum: Tensor | undefined;
    ops.differentiate(() => {
      const call = { ops, weights: student.weights(), batch, training: false, randomSeed: noSeed };
      sum = ops.sum(integratedGradients(ops, placesOf(model, call, steps), 1));
      return sum;
    }, []);
    return (await sum!.read())[0];
  };
  const errors: number[] = [];
  for (const steps of [8, 64] as const) {
    const { sum, difference } = golden.completeness[steps];
    assertClose([await sumBy(steps)], [sum], EXACT, `${steps} steps`);
    errors.push(Math.abs(sum - difference));
  }
  assert.ok(errors[1] < errors[0] / 4 && errors[1] < 0.1, `errors ${errors}`);
}, [float64]);

testBackends("ad-kd frees what it makes", async (backend) => {
  const ops = createOps(backend);
  const { student, compute } = await openLoss(ops, "bert", {});
  const before = backend.memory().storages;
  ops.scope(() => void ops.differentiate(compute, [...student.plain.tensors.values()]));
  assert.equal(backend.memory().storages, before);
});

const encoder = (ops: Ops): ModelOutputs =>
  outputs(ops.full([1, 2], 0), { features: { embeddings: ops.full([1, 8, 4], 0) } });

testBackends("ad-kd refuses what it has no attributions of", async (backend) => {
  const ops = createOps(backend);
  const build = (options: object, setup: Partial<LossSetup>, student = encoder(ops), teacher = encoder(ops)) =>
    buildLoss(ops, adKd, { ...options }, { student, teacher }, { data: textData(["a", "b"]), ...setup });
  const refused = async (message: string, ...call: Parameters<typeof build>) =>
    await assert.rejects(build(...call), { message });
  await refused('Cannot use the loss "ad-kd" for images: it compares what tokens of texts add to an answer', {}, {
    data: { ...textData(["a", "b"]), text: null },
  });
  await refused('Cannot use the loss "ad-kd" without a teacher', {}, { teacher: null });
  await refused(
    'Cannot use the loss "ad-kd" with 2 teachers: their mean is of several embeddings, and has no attributions to one',
    {},
    { teacher: { members: 2 } as Model },
  );
  await refused(
    'Cannot use the loss "ad-kd" for tagging: it explains one answer of a text, by a class or a number',
    {},
    { data: textData(["a", "b"], {}, "tagging") },
  );
  await refused(
    'Cannot use the loss "ad-kd" as the teacher has another tokenizer: its attributions are of other tokens',
    {},
    { sameTokens: false },
  );
  await refused(
    'Cannot use the loss "ad-kd" as the student does not give what its first layer gets (features.embeddings): ' +
      "expected an encoder",
    {},
    {},
    outputs(ops.full([1, 2], 0)),
  );
  await refused('Cannot use the loss "ad-kd" with topK: 5: the teacher\'s embeddings are 4 wide', { topK: 5 }, {});
  await refused('Cannot use the loss "ad-kd" with steps: 2: the layers of the student cannot be run alone', {
    steps: 2,
  }, {});
}, [float64]);

testBackends("ad-kd says that embeddings are frozen", async (backend) => {
  const ops = createOps(backend);
  const { compute } = await openLoss(ops, "bert", {});
  assert.throws(() => ops.differentiate(compute, []), {
    message:
      /^Cannot use the loss "ad-kd" with these models: Cannot take the gradient by a tensor of shape \[3, 7, 12\]/,
  });
}, [float64]);
