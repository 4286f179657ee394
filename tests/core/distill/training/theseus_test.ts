import assert from "node:assert/strict";
import { stepOf } from "../../../support/steps.ts";
import { Random } from "../../../../core/data/random.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import { freshWeights } from "../../../../core/plugin/parameters.ts";
import { shareOut, Theseus } from "../../../../core/distill/training/theseus.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { Model } from "../../../../core/plugin/model.ts";
import type { Tensor } from "../../../../core/tensor.ts";
import { resnet } from "../../../../plugins/models/resnet/resnet.ts";
import { vit } from "../../../../plugins/models/vit/vit.ts";
import { buildBert } from "../../../plugins/models/bert_fixture.ts";
import { backends, float64, testBackends } from "../../../support/backends.ts";
import { imageData } from "../../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";

const images = imageData([8, 8, 1], ["a", "b", "c"]);
const buildResnet = (depth: number, width = 4) =>
  resnet.build(resnet.options(optionKit).parse({ depth, width }), images);
const buildVit = (layers: number) =>
  vit.build(vit.options(optionKit).parse({ layers, width: 8, heads: 2, patch: 4 }), images);

const image = (ops: Ops) => ({ image: ops.tensor(pseudoRandom(3, 2 * 64), [2, 8, 8, 1]) });
const text = (ops: Ops) => ({
  tokens: ops.tensor([2, 5, 7, 3, 2, 9, 3, 0], [2, 4]),
  types: ops.tensor([0, 0, 1, 1, 0, 0, 0, 0], [2, 4]),
  mask: ops.tensor([1, 1, 1, 1, 1, 1, 1, 0], [2, 4]),
});

/** Families of models with a student of half or a third of the teacher's layers, and a batch. */
const families:
  readonly (readonly [name: string, student: Model, teacher: Model, batch: typeof image | typeof text])[] = [
    ["bert", buildBert({ layers: 2, width: 8, heads: 2 }), buildBert({ layers: 4, width: 8, heads: 2 }), text],
    ["uneven", buildBert({ layers: 2, width: 8, heads: 2 }), buildBert({ layers: 5, width: 8, heads: 4 }), text],
    ["vit", buildVit(2), buildVit(4), image],
    ["resnet", buildResnet(8), buildResnet(20), image],
  ];

/** Weights on the device, of different seeds. */
function weightsOf(ops: Ops, model: Model, seed: number): Map<string, Tensor> {
  const numbers = freshWeights(model, new Random(seed));
  return new Map(model.parameters.map(({ name, shape, trainable }) => {
    // So that no bias is 0; running variances stay positive.
    const noise = new Random(seed).split(name);
    return [
      name,
      ops.tensor(numbers.get(name)!.map((x) => x + 0.1 * (trainable ? noise.normal() : noise.uniform())), shape),
    ];
  }));
}

function open(ops: Ops, [, student, teacher, batchOf]: typeof families[number]) {
  const weights = { student: weightsOf(ops, student, 1), teacher: weightsOf(ops, teacher, 2) };
  const batch: Record<string, Tensor> = batchOf(ops);
  const frozen = { model: teacher, weights: weightsFrom(weights.teacher) };
  const theseus = new Theseus(student, frozen, { replacingRate: 0.5 });
  const call = { ops, batch, randomSeed: () => 0, training: false };
  const hybrid = (drawn: string, training = false) =>
    student.forward({
      ...call,
      training,
      weights: weightsFrom(weights.student),
      replaceLayer: theseus.replaceLayer(drawn, call),
    });
  return { student, teacher, weights, batch, call, theseus, hybrid };
}

Deno.test("a layer of the student stands for as many of the teacher's, as evenly as can be", () => {
  assert.deepEqual(shareOut(6, 12).map(({ begin, end }) => [begin, end]), [0, 2, 4, 6, 8, 10].map((i) => [i, i + 2]));
  assert.deepEqual(shareOut(3, 3).map(({ begin, end }) => [begin, end]), [[0, 1], [1, 2], [2, 3]]);
  assert.deepEqual(shareOut(3, 8).map(({ begin, end }) => [begin, end]), [[0, 2], [2, 5], [5, 8]]);
  assert.throws(() => shareOut(4, 3), {
    name: "UserError",
    message: "Cannot replace 4 layers of the student by 3 of the teacher: it must have at least as many",
  });
  assert.throws(() => shareOut(0, 3), { message: "Cannot replace layers: the student has none" });
});

Deno.test("draws follow the schedule of the rate, and are the same for the same seed", () => {
  const [student, teacher] = [buildResnet(8), buildResnet(20)];
  const replacingRate = { from: 0.3, to: 1, schedule: "linear", epochs: null, steps: 50 } as const;
  const weights = weightsFrom(new Map());
  const theseus = new Theseus(student, { model: teacher, weights }, { replacingRate });
  const draw = (step: number, seed: number) =>
    theseus.draw({ step, totalSteps: 100, stepsPerEpoch: 10 }, new Random(seed));
  const part = (step: number) => {
    const letters = Array.from({ length: 2000 }, (_, seed) => draw(step, seed)).join("");
    return letters.replaceAll("t", "").length / letters.length;
  };
  // 6000 draws: a standard deviation of 0.006.
  assert.ok(Math.abs(part(0) - 0.3) < 0.025, `${part(0)}`);
  assert.ok(Math.abs(part(25) - 0.65) < 0.025, `${part(25)}`);
  assert.equal(part(50), 1);
  assert.equal(part(99), 1);
  assert.equal(draw(10, 7), draw(10, 7));
  assert.equal(draw(10, 7).length, 3);
  const letters = Array.from({ length: 200 }, (_, seed) => draw(20, seed));
  assert.ok(letters.some((drawn) => drawn[0] !== drawn[1]), "each layer has a draw of its own");
});

for (const family of families) {
  const [name] = family;

  testBackends(
    `${name}: with every layer replaced between the teacher's ends it is the teacher, with none itself`,
    async (backend) => {
      const ops = createOps(backend);
      const { student, teacher, weights, call, hybrid } = open(ops, family);
      // What lies outside of the layers, from the teacher.
      for (const { name } of student.parameters) {
        if (!student.layerPrefixes!.some((prefix) => name.startsWith(prefix))) {
          weights.student.set(name, weights.teacher.get(name)!);
        }
      }
      const all = (letter: string) => student.layerPrefixes!.map(() => letter).join("");
      const tolerance = 1e-6;
      const taught = teacher.forward({ ...call, weights: weightsFrom(weights.teacher) });
      assertClose(await hybrid(all("t")).logits.read(), await taught.logits.read(), tolerance, "the teacher");
      const alone = student.forward({ ...call, weights: weightsFrom(weights.student) });
      assertClose(await hybrid(all("s")).logits.read(), await alone.logits.read(), tolerance, "the student");
    },
    [float64, ...backends],
  );

  testBackends(
    `${name}: where the last layer alone is the student's, the others' outputs are the teacher's`,
    async (backend) => {
      const ops = createOps(backend);
      const { student, teacher, weights, call, hybrid } = open(ops, family);
      const count = student.layerPrefixes!.length;
      const shares = shareOut(count, teacher.layerPrefixes!.length);
      const { hidden } = hybrid("t".repeat(count - 1) + "s");
      const first = student.forward({ ...call, weights: weightsFrom(weights.student) });
      let x = name === "resnet" ? first.features.conv1 : first.features.embeddings;
      for (let layer = 0; layer < shares[count - 2].end; layer++) {
        x = teacher.runLayer!({ ...call, weights: weightsFrom(weights.teacher) }, layer, x).hidden;
      }
      assertClose(await hidden[count - 2].read(), await x.read(), 1e-6);
      x = student.runLayer!({ ...call, weights: weightsFrom(weights.student) }, count - 1, x).hidden;
      assertClose(await hidden[count - 1].read(), await x.read(), 1e-6);
    },
  );

  testBackends(
    `${name}: gradients go through the teacher's layers, and to the student's that compute`,
    async (backend) => {
      const ops = createOps(backend);
      const { student, weights, hybrid } = open(ops, family);
      const count = student.layerPrefixes!.length;
      const drawn = "s" + "t".repeat(count - 1);
      const value = () => {
        const { logits } = hybrid(drawn, true);
        const factors = ops.tensor(Float64Array.from({ length: logits.size }, (_, i) => Math.cos(i)), logits.shape);
        return ops.sum(ops.multiply(logits, factors));
      };
      const trainable = student.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
      const targets = trainable.map((name) => weights.student.get(name)!);
      const { gradients } = ops.differentiate(value, targets);
      const probed = new Map<string, number>();
      for (const [index, name] of trainable.entries()) {
        const layer = student.layerPrefixes!.findIndex((prefix) => name.startsWith(prefix));
        assert.equal(gradients[index] === null, layer > 0, name);
        if (layer !== 0 || !name.endsWith("weight")) continue;
        const [tensor, gradient] = [targets[index], await gradients[index]!.read()];
        const numbers = await tensor.read();
        const place = numbers.length >> 1;
        const at = async (shift: number) => {
          backend.write(tensor.view, numbers.map((x, i) => i === place ? x + shift : x));
          return (await ops.scope(value).read())[0];
        };
        const step = 1e-5;
        const slope = (await at(step) - await at(-step)) / (2 * step);
        backend.write(tensor.view, numbers);
        assert.ok(
          Math.abs(slope - gradient[place]) < 1e-5 * (1 + Math.abs(slope)),
          `${name}: ${gradient[place]}, ${slope}`,
        );
        probed.set(name, slope);
      }
      assert.ok(probed.size >= 4 && [...probed.values()].filter((slope) => slope !== 0).length >= 3, `${[...probed]}`);
    },
    [float64],
  );
}

Deno.test("what cannot stand in for the student's layers is refused", async () => {
  const [float] = [await float64.open()];
  const ops = createOps(float);
  const weights = weightsFrom(new Map());
  const student = buildResnet(8);
  const options = { replacingRate: 0.5 };
  assert.throws(() => new Theseus(student, null, options), {
    message: "Cannot replace layers: there is no teacher whose layers stand in for the student's",
  });
  const whole = { ...buildResnet(20), runLayer: undefined };
  assert.throws(() => new Theseus(student, { model: whole, weights }, options), {
    message: "Cannot replace layers: those of the teacher's model cannot be run alone",
  });
  assert.throws(() => new Theseus(whole, { model: student, weights }, options), {
    message: "Cannot replace layers: those of the student's model cannot be run alone",
  });
  const examples = {
    length: 1,
    labels: Uint8Array.of(0),
    batch: () => ({
      image: { data: new Float32Array(64), shape: [1, 8, 8, 1] },
      label: { data: new Float32Array(1), shape: [1] },
    }),
  };
  const check = (teacher: Model) => {
    const frozen = { model: teacher, weights: weightsFrom(weightsOf(ops, teacher, 2)) };
    new Theseus(student, frozen, options).check(ops, () => weightsFrom(weightsOf(ops, student, 1)), examples);
  };
  check(buildResnet(20));
  assert.throws(() => check(buildResnet(20, 6)), {
    name: "UserError",
    message: /^Cannot replace layers: the teacher's do not fit between the student's: /,
  });
  // The first layer and the last double the channels, so that only what lies between is of another shape.
  const wider: Model = {
    ...buildResnet(20),
    runLayer: ({ ops }, layer, x) => ({ hidden: layer % 8 === 0 ? ops.concat([x, x], { axis: 3 }) : x }),
  };
  assert.throws(() => check(wider), {
    message:
      "Cannot replace layer 0 of the student, which gives [1, 8, 8, 4]: the teacher's layer 2 gives [1, 8, 8, 8]",
  });
  await float.close();
});

Deno.test("the gradient is bounded by 1 by default where layers are replaced", async () => {
  const backend = await float64.open();
  const ops = createOps(backend);
  const [student, teacher] = [buildResnet(8), buildResnet(20)];
  const frozen = { model: teacher, weights: weightsFrom(weightsOf(ops, teacher, 2)) };
  const clipOf = (theseus: Theseus | null, train: Record<string, unknown> = {}) => {
    const own = new Student(ops, student, new Map(), freshWeights(student, new Random(1)));
    return stepOf(ops, { student: own, teacher: frozen, train, strategy: theseus ?? undefined }).clip;
  };
  const theseus = new Theseus(student, frozen, { replacingRate: 0.5 });
  assert.equal(clipOf(theseus), 1);
  assert.equal(clipOf(theseus, { clipGradientNorm: null }), null);
  assert.equal(clipOf(null), null);
  await backend.close();
});
