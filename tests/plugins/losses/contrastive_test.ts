import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { contrastive } from "../../../plugins/losses/contrastive.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertRefusal, type Models, setupOf } from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { stopAt, studentBytes } from "../../support/run_observers.ts";
import { StatefulLoss } from "../../support/stateful_loss.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const examples = 12;
const trainingLabels = Array.from({ length: examples }, (_, i) => i % 3);
const options = { dimensions: 4, negatives: 7, temperature: 0.5, momentum: 0.25 };
const indices = [5, 0, 10];
const labels = indices.map((index) => trainingLabels[index]);
const [studentFeatures, teacherFeatures] = [gen([3, 5], 50), gen([3, 6], 51)];

function models(ops: Ops, student: ArrayLike<number> = studentFeatures): Models {
  const of = (pooled: ArrayLike<number>) =>
    outputs(ops.full([3, 3], 0), { pooled: ops.tensor(pooled, [3, pooled.length / 3]) });
  return { student: of(student), teacher: of(teacherFeatures) };
}

async function prepared(ops: Ops, given = models(ops)): Promise<StatefulLoss> {
  const setup = { ...setupOf(3).setup, trainingExamples: examples };
  const loss = new StatefulLoss(ops, await buildLoss(ops, contrastive, options, given, setup));
  await loss.prepare(given.teacher, trainingLabels);
  return loss;
}

type Rows = readonly (readonly number[])[];
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const unit = (row: readonly number[]) => row.map((x) => x / Math.hypot(...row));
const rowsOf = (data: ArrayLike<number>, width: number): Rows =>
  Array.from({ length: data.length / width }, (_, i) => Array.from(data).slice(i * width, (i + 1) * width));

/** Embeddings of both models, computed on the host. */
async function embedded(loss: StatefulLoss): Promise<Record<string, Rows>> {
  const entries = (["student", "teacher"] as const).map(async (side) => {
    const width = side === "student" ? 5 : 6;
    const weight = rowsOf(await loss.parameters.get(`${side} embedding`).read(), width);
    const bias = [...await loss.parameters.get(`${side} bias`).read()];
    const features = rowsOf(side === "student" ? studentFeatures : teacherFeatures, width);
    return [side, features.map((row) => unit(weight.map((w, i) => dot(w, row) + bias[i])))];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The loss as the paper's code has it, with P = exp(u v / T) / Z and Z = N mean exp(u v / T). */
function published(anchors: Rows, bank: Rows, negatives: readonly number[], normaliser?: number) {
  const [n, k] = [examples, negatives.length];
  const power = (a: readonly number[], b: readonly number[]) => Math.exp(dot(a, b) / options.temperature);
  const own = anchors.map((a, i) => power(a, bank[indices[i]]));
  const others = anchors.map((a) => negatives.map((j) => power(a, bank[j])));
  const all = [...own, ...others.flat()];
  const z = normaliser ?? n * all.reduce((sum, x) => sum + x) / all.length;
  const loss = anchors.map((_, i) => {
    const positive = Math.log(own[i] / z / (own[i] / z + k / n));
    const kept = others[i].filter((_, j) => trainingLabels[negatives[j]] !== labels[i]);
    const negative = kept.map((p) => Math.log((k / n) / (p / z + k / n)));
    return -positive - k / kept.length * negative.reduce((sum, x) => sum + x, 0);
  });
  return { loss: loss.reduce((sum, x) => sum + x) / anchors.length, z };
}

testBackends(
  "contrastive is the published estimate, with the first step's normaliser, over the bank",
  async (backend) => {
    const ops = createOps(backend);
    const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
    const loss = await prepared(ops);
    const { student, teacher } = await embedded(loss);
    const banks = async () => {
      const [s, t] = await ops.read([loss.state.get("student bank"), loss.state.get("teacher bank")]);
      return { student: rowsOf(s, 4), teacher: rowsOf(t, 4) };
    };
    const negatives = async () => [...await loss.callOf(models(ops), labels, indices).batch.negatives.read()];
    const [before, drawn] = [await banks(), await negatives()];
    const first = await loss.step(models(ops), labels, indices);
    const [ofStudent, ofTeacher] = [
      published(student, before.teacher, drawn),
      published(teacher, before.student, drawn),
    ];
    assertClose([first], [ofStudent.loss + ofTeacher.loss], tolerance, "first step");

    const after = await banks();
    for (const [side, anchors] of [["student", student], ["teacher", teacher]] as const) {
      const expected = before[side].map((row, index) => {
        const place = indices.indexOf(index);
        return place < 0 ? row : unit(row.map((x, i) => 0.25 * x + 0.75 * anchors[place][i]));
      });
      assertClose(after[side].flat(), expected.flat(), tolerance, `${side}'s bank`);
    }

    const next = await negatives();
    assert.notDeepEqual(next, drawn, "each step draws its own");
    const second = await loss.step(models(ops), labels, indices);
    const again = published(student, after.teacher, next, ofStudent.z).loss +
      published(teacher, after.student, next, ofTeacher.z).loss;
    assertClose([second], [again], tolerance, "second step");
  },
  [float64, ...backends],
);

testBackends("contrastive: gradients agree with finite differences", async (backend) => {
  const ops = createOps(backend);
  const loss = await prepared(ops);
  const given = models(ops);
  await loss.step(given, labels, indices); // the normaliser is a constant from here on
  const targets = [given.student.pooled, loss.parameters.get("student embedding"), loss.parameters.get("teacher bias")];
  const compute = (given: Models) => loss.loss.compute(loss.callOf(given, labels, indices));
  const { gradients } = ops.differentiate(() => compute(given), targets);
  const analytic = await ops.read(gradients.map((gradient) => gradient!));
  const difference = async (change: (by: number) => Models) => {
    const [up, down] = [await compute(change(1e-5)).read(), await compute(change(-1e-5)).read()];
    return (up[0] - down[0]) / 2e-5;
  };
  for (const i of [0, 3]) {
    const pooled = await difference((by) => models(ops, studentFeatures.with(i, studentFeatures[i] + by)));
    assertClose([analytic[0][i]], [pooled], 1e-7, `features, entry ${i}`);
    for (const at of [1, 2]) {
      const start = Float64Array.from(await targets[at].read());
      const numeric = await difference((by) => {
        ops.assign(targets[at], ops.tensor(start.with(i, start[i] + by), targets[at].shape));
        return given;
      });
      ops.assign(targets[at], ops.tensor(start, targets[at].shape));
      assertClose([analytic[at][i]], [numeric], 1e-7, `parameter ${at}, entry ${i}`);
    }
  }
}, [float64]);

testBackends(
  "contrastive stays finite for similarities far apart, and where all negatives are of one class",
  async (backend) => {
    const ops = createOps(backend);
    const given = models(ops);
    const setup = { ...setupOf(3).setup, trainingExamples: examples };
    const loss = new StatefulLoss(
      ops,
      await buildLoss(ops, contrastive, { ...options, temperature: 0.02 }, given, setup),
    );
    await loss.prepare(given.teacher, trainingLabels.map(() => 1));
    for (let step = 0; step < 3; step++) assert.ok(Number.isFinite(await loss.step(given, [1, 1, 1], indices)));
  },
  [float64, ...backends],
);

Deno.test("a run with contrastive learns, resumes bit for bit and says that it draws fewer negatives", async () => {
  await withTinyData(async (folder) => {
    const overrides = ["student.overParameterise=[]", "student.width=6"];
    await tinyRun(folder, { output: "teacher", overrides });
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }
losses: [{ use: cross-entropy }, { use: contrastive, weight: 0.2, dimensions: 16 }]`,
    );
    const lines: string[] = [];
    const reporter = { line: (line: string) => void lines.push(line), warning: () => {}, progress: () => {} };
    const whole = await tinyRun(folder, { text, reporter, output: "whole" });
    assert.ok(lines.includes("contrastive: 72 negatives instead of 4096: there are no more training examples"));
    assert.ok(whole.student.accuracy! > 0.8);
    // At the start it is about 2 (K log(1 + 1 / K) + log(1 + K)) = 2 (1 + log 73).
    assert.ok(whole.losses.contrastive < 2 * (1 + Math.log(73)) - 1.5, `${whole.losses.contrastive}`);
    await assert.rejects(tinyRun(folder, { text, output: "parts", signal: stopAt(8) }));
    await tinyRun(folder, { text, output: "parts", resume: true });
    assert.deepEqual(await studentBytes(folder, "whole"), await studentBytes(folder, "parts"));
  });
});

testBackends("contrastive refuses a task without classes", async (backend) => {
  const ops = createOps(backend);
  const data = { task: "regression", classes: [], image: null, text: null } as const;
  await assert.rejects(buildLoss(ops, contrastive, {}, models(ops), { data }), {
    name: "UserError",
    message: "Cannot contrast examples for regression: negatives are examples of other classes",
  });
}, [float64]);

testBackends("of vectors of sentences every example is a class of its own", async (backend) => {
  const ops = createOps(backend);
  const text = { vocabulary: 9, maxLength: 4, padding: 0, files: {} };
  const losses = async (task: "classification" | "embedding") => {
    const base = { ...setupOf(3).setup, trainingExamples: examples };
    const data = task === "embedding" ? { task, classes: [], image: null, text } : base.data!;
    const loss = new StatefulLoss(ops, await buildLoss(ops, contrastive, options, models(ops), { ...base, data }));
    await loss.prepare(models(ops).teacher, Array.from({ length: examples }, (_, index) => index));
    const step = () => loss.step(models(ops), task === "embedding" ? [0, 0, 0] : indices, indices);
    return [await step(), await step(), await step()];
  };
  const ofTexts = await losses("embedding");
  assertClose(ofTexts, await losses("classification"), 1e-12);
  assert.equal(new Set(ofTexts).size, 3);
}, [float64]);

Deno.test("contrastive refuses no negatives, no dimensions, a momentum of 1 and a temperature of 0", () => {
  const refused = (yaml: string, message: string) => assertRefusal(contrastive, yaml, `recipe.yaml:1:${message}`);
  refused("negatives: 0", "12: Expected an integer >= 1 and <= 16777216 for negatives: got 0");
  refused("dimensions: 0", "13: Expected an integer >= 1 and <= 65536 for dimensions: got 0");
  refused("momentum: 1", "11: Expected a number >= 0 and < 1 for momentum: got 1");
  refused(
    "temperature: 0",
    "14: Expected a number >= 0.001 and <= 10000 or a map with from and to for temperature: got 0",
  );
});
