import assert from "node:assert/strict";
import { Random } from "../../../../core/data/random.ts";
import { type LossEntry, LossSet } from "../../../../core/distill/losses/loss_set.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import { LearningTeacher } from "../../../../core/distill/training/learning_teacher.ts";
import { Lgtm } from "../../../../core/distill/training/lgtm.ts";
import { coreTensors } from "../../../../core/mpo/chain.ts";
import { decomposeMatrix } from "../../../../core/mpo/decompose.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import type { Examples, HostTensor } from "../../../../core/plugin/dataset.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { Loss, LossDefinition, LossSetup } from "../../../../core/plugin/loss.ts";
import type { Model, ModelOutputs, ParameterSpec } from "../../../../core/plugin/model.ts";
import { trainSchema } from "../../../../core/recipe/schema_train.ts";
import { crossEntropy } from "../../../../plugins/losses/cross_entropy.ts";
import { kd } from "../../../../plugins/losses/kd.ts";
import golden from "../../../golden/lgtm.json" with { type: "json" };
import { backends, float64, testBackends } from "../../../support/backends.ts";
import { heldChain } from "../../../support/chains.ts";
import { imageData } from "../../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { stepOf } from "../../../support/steps.ts";

const [FEATURES, CLASSES, BATCH, HELD_OUT] = [3, 3, 6, 4];
const data = imageData([1, 1, 3], ["a", "b", "c"]);

const gen = (length: number, seed: number) => Float32Array.from(pseudoRandom(seed, length));

/** The networks of lgtm.py: two layers with tanh between. */
function network(width: number, dropout = 0): Model {
  const spec = (name: string, shape: number[]): ParameterSpec => {
    return { name, shape, initialise: { use: "constant", value: 0 }, trainable: true, overParameterisable: true };
  };
  return {
    parameters: [
      spec("first.bias", [width]),
      spec("first.weight", [width, FEATURES]),
      spec("second.bias", [CLASSES]),
      spec("second.weight", [CLASSES, width]),
    ],
    config: {},
    fromForeign: () => null,
    forward({ ops, weights, batch, training, randomSeed }) {
      const linear = (x: typeof batch.image, name: string) =>
        ops.add(ops.contract("bi,oi->bo", x, weights.get(`${name}.weight`)), weights.get(`${name}.bias`));
      const inner = ops.tanh(linear(batch.image, "first"));
      const dropped = training && dropout > 0 ? ops.dropout(inner, { rate: dropout, seed: randomSeed() }) : inner;
      return { logits: linear(dropped, "second") } as unknown as ModelOutputs;
    },
  };
}

/** Numbers by name, seeded by the places of names in alphabetical order, as in lgtm.py. */
function numbersOf({ parameters }: Model, seed: number, names = parameters.map(({ name }) => name)) {
  return new Map(parameters.map(({ name, shape: [rows, cols = 1] }) => {
    return [name, gen(rows * cols, seed + Math.max(0, names.toSorted().indexOf(name)))];
  }));
}

const batchOf = (size: number, seed: number, first = 0): Record<string, HostTensor> => ({
  image: { data: gen(size * FEATURES, seed), shape: [size, FEATURES] },
  label: { data: Float32Array.from({ length: size }, (_, i) => (i + first) % CLASSES), shape: [size] },
});

/** Held-out examples of which each step has the batch of lgtm.py. */
function heldOut(): Examples {
  let step = 0;
  return { length: HELD_OUT, labels: null, batch: () => batchOf(HELD_OUT, 200 + step, step++) };
}

const adamw = { use: "adamw", learningRate: 1 / 32, weightDecay: 0.01 };

interface Changes {
  readonly chain?: boolean;
  readonly train?: Readonly<Record<string, unknown>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly dropout?: number;
  readonly losses?: readonly LossEntry[];
  /** Of the teacher. */
  readonly aligned?: ConstructorParameters<typeof LearningTeacher>[2];
}

async function lossOf<Options>(definition: LossDefinition<Options>, options: object): Promise<Loss> {
  const parsed = definition.options!(optionKit).parse(options) as Options;
  return await definition.create(parsed, { data, shapes: {} } as unknown as LossSetup);
}

/** The recipe's losses of lgtm.py. */
const usualLosses = async (): Promise<LossEntry[]> => [
  { name: "cross-entropy", weight: 0.3, loss: await lossOf(crossEntropy, {}) },
  { name: "kd", weight: 0.7, loss: await lossOf(kd, { temperature: 2 }) },
];

async function open(ops: Ops, { chain = false, train = {}, options = {}, dropout = 0, ...given }: Changes = {}) {
  const losses = given.losses ?? await usualLosses();
  const [model, taught] = [network(4, dropout), network(5, dropout)];
  const split = ["first.weight#0", "first.weight#1"];
  const names = ["first.bias", ...(chain ? split : ["first.weight"]), "second.bias", "second.weight"];
  const [p, q] = [gen(12, 301), gen(9, 302)].map((core) => Float64Array.from(core));
  const chains = new Map(
    chain ? [["first.weight", heldChain({ rows: [4, 1], cols: [1, 3], bonds: [1, 3, 1], cores: [p, q] }, [4, 3])]] : [],
  );
  const student = new Student(ops, model, chains, numbersOf(model, 300, names));
  const recipe = trainSchema.parse({
    epochs: 1,
    optimiser: adamw,
    schedule: { use: "constant" },
    lgtm: { teacherRate: 1 / 64, temperature: 2 },
    ...train,
  });
  const numbers = numbersOf(taught, 400);
  const aligned = given.aligned ?? new Map();
  const teacher = new LearningTeacher(ops, { model: taught, numbers }, aligned, recipe);
  const strategy = new Lgtm({
    ops,
    student,
    teacher,
    losses: new LossSet(ops, losses, new Random(0)),
    train: recipe,
    options: { ...recipe.lgtm!, ...options },
    task: "classification",
    heldOut: heldOut(),
    seed: 1,
  });
  const learned = { model: taught, weights: teacher.weights, learns: true };
  const step = stepOf(ops, { student, teacher: learned, losses, train: recipe, strategy });
  const progressOf = (step: number) => ({ step, totalSteps: 10, stepsPerEpoch: 10 });
  const take = async (count: number) => {
    await step.fetch(progressOf(count));
    step.run([batchOf(BATCH, 100 + count)], progressOf(count), false);
  };
  return { student, teacher, step, take, recipe, taught, numbers };
}

/** Reads tensors by name. */
async function read(tensors: Iterable<readonly [string, { read(): Promise<ArrayLike<number>> }]>) {
  const all: Record<string, number[]> = {};
  for (const [name, tensor] of tensors) all[name] = Array.from(await tensor.read());
  return all;
}

function assertAllClose(actual: Record<string, number[]>, expected: Record<string, number[]>, tolerance: number) {
  assert.deepEqual(Object.keys(actual).toSorted(), Object.keys(expected).toSorted());
  for (const [name, numbers] of Object.entries(expected)) assertClose(actual[name], numbers, tolerance, name);
}

for (const kind of ["plain", "chain"] as const) {
  testBackends(`three steps are those of PyTorch, of a ${kind} student`, async (backend) => {
    const ops = createOps(backend);
    const exact = backend.description.includes("float64");
    const { student, teacher, take } = await open(ops, { chain: kind === "chain" });
    const expected = golden[kind];
    await take(0);
    const gradients = await read(teacher.stores.flatMap(({ gradients }) => [...gradients]));
    assertAllClose(gradients, expected.gradient, exact ? 1e-9 : 1e-5);
    for (const step of [1, 2]) await take(step);
    const trained = Object.values(student.trained).flatMap(({ tensors }) => [...tensors]);
    // A step of AdamW is a rate long, however short the gradient: in float32 the smallest numbers differ most.
    const tolerance = exact ? 1e-9 : 1e-4;
    assertAllClose(await read(trained), expected.student, tolerance);
    assertAllClose(await read(teacher.stores.flatMap(({ tensors }) => [...tensors])), expected.teacher, tolerance);
  }, [float64, ...backends]);
}

testBackends("the influence of held-out examples is a second derivative times their gradient", async (backend) => {
  const ops = createOps(backend);
  const gradientsAt = async (teacherRate: number) => {
    const { teacher, take } = await open(ops, { options: { teacherRate } });
    await take(0);
    return await read(teacher.stores.flatMap(({ gradients }) => [...gradients]));
  };
  const [without, along] = [await gradientsAt(0), await gradientsAt(1)];
  const longest = Math.max(...Object.values(golden.plain.exact).flat().map(Math.abs));
  for (const [name, numbers] of Object.entries(golden.plain.exact)) {
    const influence = without[name].map((value, i) => (value - along[name][i]) / longest);
    assertClose(influence, numbers.map((value) => value / longest), 1e-3, name);
    assertClose(influence, golden.plain.influence[name as "first.bias"].map((value) => value / longest), 1e-8, name);
  }
  assert.ok(longest > 1e-3, `${longest}`);
}, [float64]);

testBackends("a teacher that stands still leaves the student to plain training, dropout and all", async (backend) => {
  const ops = createOps(backend);
  for (const optimiser of [adamw, { use: "sgd", learningRate: 0.1, momentum: 0.9 }]) {
    const changes = { chain: true, dropout: 0.5, train: { optimiser }, options: { teacherRate: 0 } };
    const { student, take, recipe, taught, numbers } = await open(ops, changes);
    const other = await open(ops, changes);
    const frozen = new Map(taught.parameters.map(({ name, shape }) => [name, ops.tensor(numbers.get(name)!, shape)]));
    const teacher = { model: taught, weights: weightsFrom(frozen) };
    const plain = stepOf(ops, { student: other.student, teacher, losses: await usualLosses(), train: recipe });
    for (const step of [0, 1, 2, 3]) {
      await take(step);
      plain.run([batchOf(BATCH, 100 + step)], { step, totalSteps: 10, stepsPerEpoch: 10 }, false);
    }
    const trained = async ({ trained }: Student) =>
      await read(Object.values(trained).flatMap(({ tensors }) => [...tensors]));
    assert.deepEqual(await trained(student), await trained(other.student));
  }
});

testBackends("a teacher that is not pulled to the student learns as by its labels alone", async (backend) => {
  const ops = createOps(backend);
  const { teacher, take, recipe, taught, numbers } = await open(ops, { options: { alpha: 0 } });
  const alone = new Student(ops, taught, new Map(), numbers);
  const losses = [{ name: "cross-entropy", weight: 1, loss: await lossOf(crossEntropy, {}) }];
  const train = { ...recipe, optimiser: { ...adamw, learningRate: 1 / 64 } };
  const plain = stepOf(ops, { student: alone, losses, train });
  for (const step of [0, 1, 2]) {
    await take(step);
    plain.run([batchOf(BATCH, 100 + step)], { step, totalSteps: 10, stepsPerEpoch: 10 }, false);
  }
  assertAllClose(
    await read(teacher.stores.flatMap(({ tensors }) => [...tensors])),
    await read(alone.plain.tensors),
    1e-10,
  );
}, [float64]);

testBackends("steps are replayed, and give what running each gives", async (backend) => {
  const ops = createOps(backend);
  const [replayed, run] = [
    await open(ops, { dropout: 0.2 }),
    await open(ops, { dropout: 0.2, train: { replay: false } }),
  ];
  for (let step = 0; step < 5; step++) {
    await replayed.take(step);
    await run.take(step);
  }
  assert.ok(replayed.step.counts.replays >= 8, JSON.stringify(replayed.step.counts));
  assert.equal(run.step.counts.replays, 0);
  const weights = ({ teacher, student }: typeof run) =>
    read([...teacher.tensors, ...student.plain.tensors].map(([name, tensor], place) => [`${place} ${name}`, tensor]));
  assert.deepEqual(await weights(replayed), await weights(run));
});

testBackends("what losses compare with follows the teacher's chains, and so do its merged weights", async (backend) => {
  const ops = createOps(backend);
  const [taught, recipe] = [network(6), trainSchema.parse({ epochs: 1, optimiser: adamw })];
  const numbers = numbersOf(taught, 500);
  const { chain } = await decomposeMatrix(numbers.get("first.weight")!, 6, 3, { rows: [3, 1, 2], cols: [1, 1, 3] });
  const [kept, freed] = [coreTensors(ops, chain), coreTensors(ops, chain)];
  freed[1].dispose();
  const aligned = new Map([["first.weight", { held: heldChain(chain, [6, 3]), copies: [kept, freed] }]]);
  const teacher = new LearningTeacher(ops, { model: taught, numbers }, aligned, recipe);
  const start = await teacher.weights.get("first.weight").read();
  assertClose(start, numbers.get("first.weight")!, 1e-5, "at the start");
  for (const store of teacher.stores) store.gather(store.ranges.map(({ shape }) => ops.full(shape, 1)));
  teacher.update({ rate: 0.1, step: 1, clip: null });
  const weights = teacher.trainedWeights();
  const cores = weights.cores("first.weight")!;
  for (const [k, core] of cores.entries()) {
    const now = await core.read();
    assertClose(await kept[k].read(), now, 0, `core ${k}`);
    if (k !== 1) assertClose(await freed[k].read(), now, 0, `core ${k} of the other`);
    assert.notDeepEqual([...now], [...chain.cores[k]]);
  }
  const merged = await weights.get("first.weight").read();
  assertClose(await teacher.weights.get("first.weight").read(), merged, 0, "merged");
  assert.deepEqual(teacher.decay(weights), [], "its cores decay");
});

testBackends("decay of merged matrices is also that of the teacher's, through their cores", async (backend) => {
  const ops = createOps(backend);
  const numbers = numbersOf(network(5), 400).get("first.weight")!;
  const { chain } = await decomposeMatrix(numbers, 5, 3, { rows: [5, 1], cols: [1, 3] });
  const normAfterStep = async (weightDecay: number) => {
    const aligned = new Map([["first.weight", { held: heldChain(chain, [5, 3]), copies: [coreTensors(ops, chain)] }]]);
    const cores = { weightDecayTarget: "merged", weightDecay };
    const run = await open(ops, { aligned, train: { cores, optimiser: { ...adamw, learningRate: 0.01 } } });
    const penalties = run.teacher.decay(run.teacher.trainedWeights());
    if (weightDecay > 0) assertClose(await penalties[0].read(), [weightDecay / 2 * Math.hypot(...numbers) ** 2], 1e-5);
    else assert.equal(penalties.length, 0);
    await run.take(0);
    return Math.hypot(...await run.teacher.weights.get("first.weight").read());
  };
  assert.ok(await normAfterStep(100) < await normAfterStep(0) - 1e-3);
});
