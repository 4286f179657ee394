import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossSetup } from "../../../core/plugin/loss.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { lelp } from "../../../plugins/losses/lelp.ts";
import { randomRotation, rowSpace, subclassDirections } from "../../../plugins/losses/subclass_directions.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertRefusal, lossValue, type Models, setupOf } from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { StatefulLoss } from "../../support/stateful_loss.ts";

const [classes, width, subclasses] = [2, 6, 2];
const head = gen([classes, width], 9);
const embeddings = gen([8, width], 10);
const labels = [0, 0, 0, 0, 1, 1, 1, 1];
const teacherLogits = labels.flatMap((_, row) =>
  [0.1, -0.2].map((bias, c) => bias + dot(embeddings.slice(width * row), head.slice(width * c, width * (c + 1))))
);
const studentLogits = gen([8, classes * subclasses], 11);

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
  return sum;
}

const rotationBy = (angle: number) =>
  Float64Array.of(Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle));

function models(ops: Ops, logits: ArrayLike<number> = studentLogits): Models {
  const each = logits.length / 8;
  const all = ops.tensor(logits, [8, each]);
  return {
    student: outputs(each === classes ? all : ops.full([8, classes], 0), { subclassLogits: all }),
    teacher: outputs(ops.tensor(teacherLogits, [8, classes]), { pooled: ops.tensor(embeddings, [8, width]) }),
  };
}

/** A set-up of two classes whose teacher names its last layer. */
function setup(classifier = true): { setup: Partial<LossSetup>; lines: string[] } {
  const made = setupOf(classes);
  const teacher: Model = {
    parameters: [],
    config: {},
    forward: () => null!,
    fromForeign: () => null,
    ...(classifier && { classifier: "fc" }),
  };
  return { ...made, setup: { ...made.setup, teacher, trainingExamples: 8 } };
}

async function prepared(ops: Ops, options: Record<string, unknown>, given = models(ops), random = new Random(1)) {
  const loss = new StatefulLoss(ops, await buildLoss(ops, lelp, options, given, setup().setup));
  const teacherWeights = weightsFrom(new Map([["fc", ops.tensor(head, [classes, width])]]));
  await loss.prepare(given.teacher, labels, { teacherWeights, random });
  return loss;
}

const goldenDirections = subclassDirections({
  embeddings,
  labels,
  classes,
  width,
  subclasses,
  excluded: rowSpace(head, classes, width),
  rotation: rotationBy(0.5),
});
const goldenOptions = { subclasses, temperature: 2, beta: 0.5, standardise: false };

async function goldenLoss(ops: Ops): Promise<StatefulLoss> {
  const loss = new StatefulLoss(ops, await buildLoss(ops, lelp, goldenOptions, models(ops), setup().setup));
  loss.set("directions", goldenDirections.directions);
  loss.set("offsets", goldenDirections.offsets);
  return loss;
}

testBackends("lelp gives the golden value", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const value = await (await goldenLoss(ops)).step(models(ops), labels);
  assertClose([value], [golden.lelp_loss], tolerance);
}, [float64, ...backends]);

testBackends("the targets are the golden ones, and sum to the teacher's probabilities", async (backend) => {
  const ops = createOps(backend);
  // At its minimum the gradient vanishes: the student's softmax is the target's. Away from it, it is T (q - p) / batch.
  const given = models(ops);
  const loss = await goldenLoss(ops);
  const { gradients: [gradient] } = ops.differentiate(
    () => loss.loss.compute(loss.callOf(given, labels)),
    [given.student.subclassLogits!],
  );
  const q = await ops.softmax(ops.scale(given.student.subclassLogits!, 1 / 2)).read();
  const p = (await gradient!.read()).map((g, i) => q[i] - 8 * g / 2);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-6;
  assertClose(p.slice(0, 4), golden.lelp_sub_row0, tolerance);
  const sums = Float64Array.from({ length: 16 }, (_, i) => p[2 * i] + p[2 * i + 1]);
  assertClose(sums, await ops.softmax(ops.scale(given.teacher.logits, 1 / 2)).read(), tolerance);
}, [float64, ...backends]);

testBackends("lelp: the gradient agrees with finite differences", async (backend) => {
  const ops = createOps(backend);
  const loss = await goldenLoss(ops);
  const given = models(ops);
  const at = (logits: Float64Array) => loss.loss.compute(loss.callOf(models(ops, logits), labels));
  const { gradients: [gradient] } = ops.differentiate(
    () => loss.loss.compute(loss.callOf(given, labels)),
    [given.student.subclassLogits!],
  );
  const analytic = await gradient!.read();
  for (const i of [0, 13, 31]) {
    const [up, down] = [1e-5, -1e-5].map((step) => at(studentLogits.with(i, studentLogits[i] + step)));
    assertClose([analytic[i]], [((await up.read())[0] - (await down.read())[0]) / 2e-5], 1e-9, `entry ${i}`);
  }
}, [float64]);

testBackends("one subclass is kd, with a student whose logits are of classes or of subclasses", async (backend) => {
  const ops = createOps(backend);
  const given = models(ops, gen([8, classes], 12));
  const loss = await prepared(ops, { subclasses: 1, temperature: 3 }, given);
  const expected = await lossValue(ops, kd, { temperature: 3 }, given);
  assertClose([await loss.step(given, labels)], [expected], 1e-5);
  const plain = { ...given, student: outputs(given.student.logits) };
  assertClose(
    [await (await prepared(ops, { subclasses: 1, temperature: 3 }, plain)).step(plain, labels)],
    [expected],
    1e-5,
  );
}, [float64, ...backends]);

testBackends("prepare: the same seed gives the same directions, and another seed others", async (backend) => {
  const ops = createOps(backend);
  const directions = async (seed: number) =>
    await (await prepared(ops, { subclasses }, models(ops), new Random(seed))).state.get("directions").read();
  assert.deepEqual(await directions(1), await directions(1));
  assert.notDeepEqual(await directions(1), await directions(2));
}, [float64]);

testBackends(
  "prepare: places have a mean of 0 in their class and, standardised, a mean square of 1",
  async (backend) => {
    const ops = createOps(backend);
    for (const standardise of [true, false]) {
      const loss = await prepared(ops, { subclasses, standardise });
      const [directions, offsets] = await ops.read([loss.state.get("directions"), loss.state.get("offsets")]);
      let squares = 0;
      for (const c of [0, 1]) {
        for (const s of [0, 1]) {
          const own = 2 * c + s;
          const places = [0, 1, 2, 3].map((i) =>
            dot(embeddings.slice(width * (4 * c + i)), directions.slice(width * own, width * (own + 1))) - offsets[own]
          );
          assertClose([places.reduce((sum, x) => sum + x)], [0], 1e-6);
          squares += places.reduce((sum, x) => sum + x * x, 0) / 16;
        }
      }
      const { spread } = goldenDirections; // a rotation does not change it
      assertClose([squares], [standardise ? 1 : spread ** 2], 1e-6);
    }
  },
  [float64],
);

Deno.test("directions are orthonormal, orthogonal to the head's rows, and span the principal ones", () => {
  const { directions } = goldenDirections;
  const row = (i: number) => directions.slice(width * i, width * (i + 1));
  for (const own of [0, 1, 2, 3]) {
    assertClose([dot(row(own), row(own))], [1], 1e-12);
    for (const c of [0, 1]) assertClose([dot(row(own), head.slice(width * c, width * (c + 1)))], [0], 1e-12);
  }
  assertClose([dot(row(0), row(1)), dot(row(2), row(3))], [0, 0], 1e-12);
  const excluded = rowSpace(head, classes, width);
  const plain = subclassDirections({
    embeddings,
    labels,
    classes,
    width,
    subclasses,
    excluded,
    rotation: rotationBy(0),
  });
  const rotated = [Math.cos(0.5), -Math.sin(0.5)];
  assertClose(
    row(0),
    row(0).map((_, i) => rotated[0] * plain.directions[i] + rotated[1] * plain.directions[width + i]),
    1e-12,
  );
  assertClose([plain.spread], [goldenDirections.spread], 1e-12);
});

Deno.test("a class of one example, or of none, is not divided", () => {
  const made = subclassDirections({
    embeddings,
    labels: [0, 0, 0, 0, 0, 0, 0, 1],
    classes: 3,
    width,
    subclasses,
    excluded: new Float64Array(0),
    rotation: rotationBy(0.5),
  });
  assert.ok(made.directions.subarray(0, 2 * width).some((x) => x !== 0));
  assert.ok(made.directions.subarray(2 * width).every((x) => x === 0));
  assert.ok(made.offsets.every(Number.isFinite));
});

Deno.test("a head's row space has its rank, and a random rotation is orthonormal", () => {
  const twice = Float64Array.from([...head, ...head]);
  assert.equal(rowSpace(twice, 4, width).length, 2 * width);
  const q = randomRotation(5, new Random(4));
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 5; j++) assertClose([dot(q.slice(5 * i), q.slice(5 * j, 5 * j + 5))], [i === j ? 1 : 0], 1e-12);
  }
});

testBackends(
  "lelp refuses a student without matching subclasses and a teacher that does not name its head",
  async (backend) => {
    const ops = createOps(backend);
    const build = (options: Record<string, unknown>, given: Partial<LossSetup>) =>
      buildLoss(ops, lelp, options, models(ops), given);
    await assert.rejects(build({ subclasses: 3 }, setup().setup), {
      name: "UserError",
      message: "Cannot divide 2 classes into 3 each as the student gives 4 logits: set student.subclasses to 3, " +
        "an option of resnet and of bert",
    });
    const data = { task: "tagging", classes: ["a", "b"], image: null, text: null } as const;
    await assert.rejects(build({}, { data }), { name: "UserError", message: "Cannot divide classes for tagging" });
    const loss = new StatefulLoss(ops, await build({ subclasses }, setup(false).setup));
    await assert.rejects(loss.prepare(models(ops).teacher, labels), {
      name: "UserError",
      message: "Cannot use the null space of the teacher's last layer, which it does not name: set nullSpace to false",
    });
  },
  [float64],
);

testBackends("narrow embeddings leave no null space, and a line says so", async (backend) => {
  const ops = createOps(backend);
  const { setup: given, lines } = setup(false);
  const narrow = models(ops);
  const student = { ...narrow.student, subclassLogits: ops.tensor(gen([8, 10], 13), [8, 10]) };
  const loss = new StatefulLoss(ops, await buildLoss(ops, lelp, { subclasses: 5 }, { ...narrow, student }, given));
  await loss.prepare(narrow.teacher, labels);
  assert.deepEqual(lines, [
    "lelp: embeddings 6 wide have no room beside the teacher's last layer: its null space is not used",
  ]);
}, [float64]);

Deno.test("lelp refuses a temperature, a beta or a number of subclasses of zero", () => {
  assertRefusal(lelp, "subclasses: 0", "recipe.yaml:1:13: Expected an integer >= 1 and <= 1000 for subclasses: got 0");
  assertRefusal(
    lelp,
    "beta: 0",
    "recipe.yaml:1:7: Expected a number >= 0.001 and <= 10000 or a map with from and to for beta: got 0",
  );
  assertRefusal(
    lelp,
    "temperature: 0",
    "recipe.yaml:1:14: Expected a number >= 0.001 and <= 10000 or a map with from and to for temperature: got 0",
  );
});
