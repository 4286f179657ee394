import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { multiplyByTransposed } from "../../../core/linalg/matrix.ts";
import { kernelTransfer } from "../../../plugins/losses/kernel_transfer.ts";
import { rowSpace } from "../../../plugins/losses/subclass_directions.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, cpu, float64, testBackends } from "../../support/backends.ts";
import { assertRefusal, type Models } from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { moved } from "../../support/rotation.ts";
import { StatefulLoss } from "../../support/stateful_loss.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const labels = [0, 1, 2, 0, 1, 2];
const [studentFeatures, teacherFeatures] = [gen([6, 5], 7), gen([6, 7], 8)];
const [studentLogits, teacherLogits] = [gen([6, 3], 30), gen([6, 3], 31)];

function models(ops: Ops, { student = studentFeatures, teacher = teacherFeatures, width = 5 } = {}): Models {
  const of = (pooled: ArrayLike<number>, logits: ArrayLike<number>) =>
    outputs(ops.tensor(logits, [6, 3]), { pooled: ops.tensor(pooled, [6, pooled.length / 6]) });
  assert.equal(student.length, 6 * width);
  return { student: of(student, studentLogits), teacher: of(teacher, teacherLogits) };
}

async function run(ops: Ops, options: Record<string, unknown>, given: Models): Promise<StatefulLoss> {
  return new StatefulLoss(ops, await buildLoss(ops, kernelTransfer, { warmUpEpochs: 1, ...options }, given));
}

/** The loss after one epoch that consists of this batch. */
async function afterOneEpoch(ops: Ops, options: Record<string, unknown>, given: Models): Promise<number> {
  const loss = await run(ops, options, given);
  await loss.step(given, labels);
  await loss.endEpoch();
  return await loss.step(given, labels);
}

testBackends("kernel-transfer gives the golden value, and with both layers the sum", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const before = await afterOneEpoch(ops, {}, models(ops));
  assertClose([before], [golden.kda_loss], tolerance);
  const after = await afterOneEpoch(ops, { layer: "after" }, models(ops));
  assertClose([await afterOneEpoch(ops, { layer: "both" }, models(ops))], [before + after], tolerance);
  // The loss after the last layer is that of the logits in the place of the features.
  const logits = {
    student: outputs(ops.tensor(studentLogits, [6, 3])),
    teacher: outputs(ops.tensor(teacherLogits, [6, 3])),
  };
  assertClose([await afterOneEpoch(ops, {}, logits)], [after], tolerance);
}, [float64, ...backends]);

testBackends("it is zero for equal features, and for rotated ones", async (backend) => {
  const ops = createOps(backend);
  for (const student of [teacherFeatures, moved(teacherFeatures, 7)]) {
    assertClose([await afterOneEpoch(ops, {}, models(ops, { student, width: 7 }))], [0], 1e-6);
  }
  const scaled = models(ops, { student: moved(teacherFeatures, 7, { scale: 1.1 }), width: 7 });
  assert.ok(await afterOneEpoch(ops, {}, scaled) > 0.1);
}, [float64, ...backends]);

testBackends("landmarks are those of the epoch before, and a class that is missing keeps its own", async (backend) => {
  const ops = createOps(backend);
  const given = models(ops);
  const loss = await run(ops, {}, given);
  // The first class is seen twice, in two batches; the third never.
  const part = {
    student: outputs(ops.tensor(gen([2, 3], 40), [2, 3]), { pooled: ops.tensor(gen([2, 5], 41), [2, 5]) }),
    teacher: outputs(ops.tensor(gen([2, 3], 42), [2, 3]), { pooled: ops.tensor(gen([2, 7], 43), [2, 7]) }),
  };
  loss.set("student centres before", gen([3, 5], 44));
  const before = gen([3, 5], 44);
  await loss.step(part, [0, 1]);
  await loss.step(part, [1, 0]);
  assertClose(await loss.state.get("student centres before").read(), before, 1e-6, "unchanged within the epoch");
  await loss.endEpoch();
  const rows = gen([2, 5], 41);
  const mean = Array.from({ length: 5 }, (_, i) => (rows[i] + rows[5 + i]) / 2);
  assertClose(await loss.state.get("student centres before").read(), [...mean, ...mean, ...before.slice(10)], 1e-6);
  for (const name of ["counts", "student sums before", "squared gap before"]) {
    assert.ok((await loss.state.get(name).read()).every((x) => x === 0), `${name} begins anew`);
  }
}, [float64, ...backends]);

testBackends("before its warm-up is over the loss is 0 while sums are gathered", async (backend) => {
  const ops = createOps(backend);
  const given = models(ops);
  const loss = await run(ops, { warmUpEpochs: 3 }, given);
  const values: number[] = [];
  for (let epoch = 0; epoch < 4; epoch++) {
    values.push(await loss.step(given, labels));
    await loss.endEpoch();
  }
  assertClose(values, [0, 0, 0, golden.kda_loss], 1e-5);
}, [cpu]);

testBackends("the share that was not transferred is the gap of the epoch's partial kernels", async (backend) => {
  const ops = createOps(backend);
  const given = models(ops);
  const loss = await run(ops, { layer: "both" }, given);
  await loss.step(given, labels);
  assert.deepEqual(await loss.endEpoch(), {}, "there are no landmarks in the first epoch");
  await loss.step(given, labels);
  await loss.step(given, labels);
  const { kernelGapBefore, kernelGapAfter } = await loss.endEpoch();
  const expected = (student: Float64Array, teacher: Float64Array) => {
    const kernel = (rows: Float64Array) => {
      const width = rows.length / 6;
      const centre = (label: number, i: number) => (rows[label * width + i] + rows[(label + 3) * width + i]) / 2;
      return [0, 1, 2, 3, 4, 5].flatMap((row) =>
        [0, 1, 2].map((label) => {
          let sum = 0;
          for (let i = 0; i < width; i++) sum += rows[row * width + i] * centre(label, i);
          return sum;
        })
      );
    };
    const [s, t] = [kernel(student), kernel(teacher)];
    return Math.hypot(...s.map((x, i) => x - t[i])) / Math.hypot(...t);
  };
  assertClose([kernelGapBefore], [expected(studentFeatures, teacherFeatures)], 1e-5);
  assertClose([kernelGapAfter], [expected(studentLogits, teacherLogits)], 1e-5);
}, [float64, ...backends]);

testBackends(
  "the landmarks approximate the kernel as golden.json has it, and exactly where they span the data",
  async (backend) => {
    const ops = createOps(backend);
    const relativeError = async (features: Float64Array) => {
      const width = features.length / 6;
      const given = models(ops, { student: features, width });
      const loss = await run(ops, {}, given);
      await loss.step(given, labels);
      await loss.endEpoch();
      // Nystroem's C W^+ C^T is the kernel of the rows' parts within the span of the landmarks.
      const landmarks = Float64Array.from(await loss.state.get("student centres before").read());
      const span = rowSpace(landmarks, 3, width);
      const parts = multiplyByTransposed(features, span, 6, span.length / width, width);
      const kernel = (rows: Float64Array) => multiplyByTransposed(rows, rows, 6, 6, rows.length / 6);
      const [exact, approximate] = [kernel(features), kernel(parts)];
      return Math.hypot(...exact.map((x, i) => x - approximate[i])) / Math.hypot(...exact);
    };
    assertClose([await relativeError(studentFeatures)], [golden.nystrom_rel_err_student], 1e-12);
    assertClose([await relativeError(gen([6, 3], 45))], [golden.nystrom_exact_when_landmarks_span], 1e-12);
  },
  [float64],
);

testBackends("kernel-transfer: the gradient agrees with finite differences", async (backend) => {
  const ops = createOps(backend);
  const loss = await run(ops, {}, models(ops));
  await loss.step(models(ops), labels);
  await loss.endEpoch();
  const at = (student: Float64Array) => loss.loss.compute(loss.callOf(models(ops, { student }), labels));
  const given = models(ops);
  const { gradients: [gradient] } = ops.differentiate(
    () => {
      loss.loss.observe!(loss.callOf(given, labels));
      return loss.loss.compute(loss.callOf(given, labels));
    },
    [given.student.pooled],
  );
  // The first step of the second epoch: the warm-up is over.
  const analytic = await gradient!.read();
  for (const i of [0, 7, 29]) {
    const [up, down] = [1e-5, -1e-5].map((step) => at(studentFeatures.with(i, studentFeatures[i] + step)));
    assertClose([analytic[i]], [((await up.read())[0] - (await down.read())[0]) / 2e-5], 1e-8, `entry ${i}`);
  }
}, [float64]);

Deno.test("a run with kernel-transfer prints its share and brings it down", async () => {
  await withTinyData(async (folder) => {
    const teacher = ["student.overParameterise=[]", "student.width=6"];
    await tinyRun(folder, { output: "teacher", overrides: teacher });
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }
losses: [{ use: cross-entropy }, { use: kernel-transfer, weight: { from: 0, to: 0.3, schedule: step, epochs: 3 }, warmUpEpochs: 1, layer: both }]`,
    );
    const gap = async (overrides: string[]) =>
      (await tinyRun(folder, { text, overrides })).lossMetrics["kernel-transfer"];
    const after = await gap(["train.epochs=12"]);
    const without = await gap(["train.epochs=12", "losses[1].weight=0"]);
    assert.ok(after.kernelGapBefore < 0.8 * without.kernelGapBefore, `${JSON.stringify([after, without])}`);
    assert.ok(after.kernelGapAfter < 0.8 * without.kernelGapAfter, `${JSON.stringify([after, without])}`);
  });
});

testBackends("kernel-transfer refuses a task without classes", async (backend) => {
  const ops = createOps(backend);
  const data = { task: "regression", classes: [], image: null, text: null } as const;
  await assert.rejects(buildLoss(ops, kernelTransfer, {}, models(ops), { data }), {
    name: "UserError",
    message: "Cannot transfer kernels for regression: their landmarks are the centres of classes",
  });
}, [float64]);

Deno.test("kernel-transfer refuses an unknown layer and a warm-up of no epochs", () => {
  assertRefusal(
    kernelTransfer,
    "layer: fc",
    `recipe.yaml:1:8: Expected before, after or both for layer: got "fc"`,
  );
  assertRefusal(
    kernelTransfer,
    "warmUpEpochs: 0",
    "recipe.yaml:1:15: Expected an integer >= 1 and <= 1000000 for warmUpEpochs: got 0",
  );
});
