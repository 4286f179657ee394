import assert from "node:assert/strict";
import { stepOf } from "../../../support/steps.ts";
import type { Backend, Floats } from "../../../../core/backend/backend.ts";
import { Random } from "../../../../core/data/random.ts";
import { readSteps } from "../../../../core/distill/training/step_log.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import { freshWeights } from "../../../../core/plugin/parameters.ts";
import { type StepRecord } from "../../../../core/distill/training/training_step.ts";
import { decomposeMatrix } from "../../../../core/mpo/decompose.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { LossDefinition, LossSetup } from "../../../../core/plugin/loss.ts";
import { crossEntropy } from "../../../../plugins/losses/cross_entropy.ts";
import { kd } from "../../../../plugins/losses/kd.ts";
import { resnet } from "../../../../plugins/models/resnet/resnet.ts";
import { testBackends } from "../../../support/backends.ts";
import { heldChain } from "../../../support/chains.ts";
import { imageData } from "../../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { metricsLog, studentBytes } from "../../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const data = imageData([6, 6, 1], ["a", "b", "c"]);
const STEPS_PER_EPOCH = 5;
const STEPS = 40;

/** The last batch of an epoch is smaller. */
function batchOf(step: number) {
  const size = step % STEPS_PER_EPOCH === STEPS_PER_EPOCH - 1 ? 3 : 4;
  return {
    image: { data: Float32Array.from(pseudoRandom(step, size * 36)), shape: [size, 6, 6, 1] },
    label: { data: Float32Array.from({ length: size }, (_, i) => (step + i) % 3), shape: [size] },
  };
}

const setup = (ops: Ops) => {
  const build = (width: number) =>
    resnet.build(resnet.options(optionKit).parse({ depth: 8, width, dropout: 0.3 }), data);
  const [model, teacherModel] = [build(4), build(6)];
  const numbers = freshWeights(teacherModel, new Random(3));
  const tensors = teacherModel.parameters.map(({ name, shape }) =>
    [name, ops.tensor(numbers.get(name)!, shape)] as const
  );
  return { model, teacher: { model: teacherModel, weights: weightsFrom(new Map(tensors)) }, tensors };
};

const create = (definition: LossDefinition, options: unknown) =>
  definition.create(definition.options(optionKit).parse(options), { data } as LossSetup);

/** 40 steps with everything that a step can have; what they leave, and how they were computed. */
async function train(backend: Backend, settings: Record<string, unknown>, { between = () => {} } = {}) {
  const ops = createOps(backend);
  const { model, teacher, tensors } = setup(ops);
  const initial = freshWeights(model, new Random(2));
  const { chain } = await decomposeMatrix(initial.get("layer1.0.conv1.weight")!, 4, 36, {
    rows: [2, 1, 2],
    cols: [6, 1, 6],
  });
  const held = new Map([["layer1.0.conv1.weight", heldChain(chain, [4, 4, 3, 3])]]);
  const student = new Student(ops, model, held, initial);
  const rising = { from: 0, to: 1, schedule: "linear", epochs: null, steps: 4 } as const;
  const losses = [
    { name: "cross-entropy", weight: 1, loss: await create(crossEntropy, {}) },
    // The weight rises in the first steps, and the temperature falls at once in the middle.
    {
      name: "kd",
      weight: rising,
      loss: await create(kd, { temperature: { from: 4, to: 2, schedule: "step", steps: 14 } }),
    },
  ];
  const step = stepOf(ops, { student, teacher, losses, train: { epochs: 8, ...settings } });
  const records: StepRecord[] = [];
  const levels: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const progress = { step: i, totalSteps: STEPS, stepsPerEpoch: STEPS_PER_EPOCH };
    records.push(step.run([batchOf(i)], progress, i % 3 === 2));
    if (i % STEPS_PER_EPOCH === STEPS_PER_EPOCH - 1) {
      step.rest();
      levels.push(backend.memory().bytes - bytesOf(records));
    }
    between();
  }
  assert.ok(levels.every((bytes) => bytes === levels[0]), `${levels} bytes after each epoch`);
  const perStep = await Promise.all(records.map((record) => ops.read(tensorsOf(record))));
  const stores = [student.plain, student.cores, student.untrained].flatMap(({ parts }) =>
    parts.map(({ flat }) => flat)
  );
  const states = Object.values(step.groups).flatMap(({ optimiser }) => [...optimiser.state.values()]);
  const final = await ops.read([...stores, ...states]);
  const { nonFinite } = await readSteps(ops, records);
  assert.equal(nonFinite, null);
  const { counts } = step;
  const { peakBytes } = backend.memory();
  step.dispose();
  student.dispose();
  tensors.forEach(([, tensor]) => tensor.dispose());
  assert.equal(backend.memory().storages, 0);
  return { values: [...perStep.flat(), ...final], counts, peakBytes };
}

const tensorsOf = ({ total, correct, terms, squaredNorms, squaredParameters }: StepRecord) => [
  total,
  correct,
  ...terms,
  ...squaredNorms,
  ...squaredParameters,
];
/** A scalar takes the smallest block of its backend. */
const bytesOf = (records: readonly StepRecord[]) =>
  records.flatMap(tensorsOf).length * (records[0].total.backend.name === "cpu" ? 4 : 256);

const assertEqual = (backend: Backend, actual: readonly Floats[], expected: readonly Floats[]) => {
  assert.equal(actual.length, expected.length);
  actual.forEach((values, index) =>
    assertClose(values, expected[index], backend.name === "cpu" ? 0 : 1e-6, `tensor ${index}`)
  );
};

for (const use of ["sgd", "adamw"]) {
  testBackends(
    `${use}: replayed steps equal computed ones, with chains, dropout, schedules, remainders and logged steps`,
    async (backend) => {
      const settings = { optimiser: { use, learningRate: 0.01 }, cores: { weightDecayTarget: "merged" } };
      const plain = await train(backend, { ...settings, replay: false });
      const replayed = await train(backend, settings);
      assert.deepEqual(plain.counts, { runs: STEPS, replays: 0 });
      assert.ok(replayed.counts.replays >= 18, `${replayed.counts.replays} of ${STEPS} were replayed`);
      assertEqual(backend, replayed.values, plain.values);
      // Temporaries share whole blocks, of which some are larger than what is in them; what a teacher's pass frees at
      // once is small here, and a block for itself.
      const ratio = replayed.peakBytes / plain.peakBytes;
      assert.ok(ratio < 1.25, `replaying takes ${ratio} times the memory`);
    },
  );
}

testBackends("what is computed between two replays disturbs neither", async (backend) => {
  const plain = await train(backend, { replay: false });
  const other = createOps(backend);
  // Memory of every size that a step uses, overwritten.
  const between = () =>
    other.scope(() => {
      for (let size = 1; size < 2000; size = Math.ceil(size * 1.3)) other.full([size], NaN);
    });
  assertEqual(backend, (await train(backend, {}, { between })).values, plain.values);
});

testBackends("a loss that says so keeps every step from being replayed", async (backend) => {
  const ops = createOps(backend);
  const { model } = setup(ops);
  const student = new Student(ops, model, new Map(), freshWeights(model, new Random(2)));
  const loss = { ...await create(crossEntropy, {}), replay: false };
  const step = stepOf(ops, { student, losses: [{ name: "loss", weight: 1, loss }] });
  for (let i = 0; i < 4; i++) step.run([batchOf(0)], { step: i, totalSteps: 4, stepsPerEpoch: 4 }, false);
  assert.deepEqual(step.counts, { runs: 4, replays: 0 });
  await student.plain.parts[0].flat.read();
});

Deno.test("a whole run ends with the same student and the same log without replaying", async () => {
  await withTinyData(async (folder) => {
    const overrides = ["student.dropout=0.2", "augment={ flip: true, shift: 1 }", "train.restoreBest=true"];
    await tinyRun(folder, { overrides, output: "replayed" });
    await tinyRun(folder, { overrides: [...overrides, "train.replay=false"], output: "computed" });
    assert.deepEqual(await studentBytes(folder, "replayed"), await studentBytes(folder, "computed"));
    const log = async (run: string) =>
      (await metricsLog(folder, run)).map((line) => ({ ...line, examplesPerSecond: 0 }));
    assert.deepEqual(await log("replayed"), await log("computed"));
  });
});
