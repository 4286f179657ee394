import assert from "node:assert/strict";
import type { ChainMap } from "../../../core/plugin/chains.ts";
import { coreTensors } from "../../../core/mpo/chain.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { automaticLayerMap, showPairs } from "../../../plugins/losses/layer_map.ts";
import { tensorAlignment } from "../../../plugins/losses/tensor_alignment.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { buildLoss, lossCall, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const factors = { rows: [4, 1, 1, 1, 3], cols: [4, 1, 1, 1, 3] };
const matrix = (seed: number) => gen([12, 12], seed).map((value, i) => value + (i % 13 === 0 ? 0.3 : 0));

async function cores(ops: Ops, seed: number): Promise<Tensor[]> {
  return coreTensors(ops, (await decomposeMatrix(matrix(seed), 12, 12, factors)).chain);
}

const chains = (ops: Ops, seed: number, teacherShape = [12, 12]): ChainMap => ({
  student: new Map([["a.0.weight", { ...factors, gauge: "balanced" }]]),
  others: new Map([["c.weight", "sum"]]),
  shapes: { student: new Map([["a.0.weight", [12, 12]]]), teacher: new Map([["a.3.weight", teacherShape]]) },
  decomposeTeacher: () => cores(ops, seed),
});

async function alignment(ops: Ops, student: Tensor[], teacherSeed: number) {
  const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
  const loss = await buildLoss(ops, tensorAlignment, {}, models, { chains: chains(ops, teacherSeed) });
  const weights = weightsFrom(new Map(), new Map([["a.0.weight", student]]));
  return () => loss.compute(lossCall(ops, models.student, models.teacher, { weights }));
}

testBackends("tensor-alignment gives the golden value, and zero for the teacher's own cores", async (backend) => {
  const ops = createOps(backend);
  const student = await cores(ops, 16);
  const tolerance = backend.precision === "float64" ? 1e-10 : 1e-5;
  assertClose(await (await alignment(ops, student, 19))().read(), [golden.opdf_laux_n5_mean_over_4_aux], tolerance);
  assertClose(await (await alignment(ops, student, 16))().read(), [0], 1e-10);
}, [float64, ...backends]);

testBackends(
  "tensor-alignment reaches the auxiliary cores with its gradient and leaves the centre free",
  async (backend) => {
    const ops = createOps(backend);
    const student = await cores(ops, 16);
    const compute = await alignment(ops, student, 19);
    const { gradients } = ops.differentiate(compute, student);
    assert.equal(gradients[2], null, "the centre has no gradient");
    const sizes = await Promise.all([0, 1, 3, 4].map(async (k) => Math.hypot(...await gradients[k]!.read())));
    assert.ok(sizes[0] > 0.01 && sizes[3] > 0.01, `the first and last core have a gradient: ${sizes}`);
    assert.ok(sizes[1] < 1e-9 && sizes[2] < 1e-9, `equal identity cores have none: ${sizes}`);
  },
  [float64],
);

testBackends("tensor-alignment refuses a pair of unequal shape, or leaves it out when told", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
  const build = (options: Record<string, unknown>, report: string[] = []) =>
    buildLoss(ops, tensorAlignment, options, models, {
      chains: chains(ops, 19, [12, 24]),
      report: (line) => report.push(line),
    });
  const layers = { "a.0.weight": "a.3.weight" };
  await assert.rejects(build({ layers }), {
    message: `Cannot align "a.0.weight": its shape is [12,12] and that of the teacher's "a.3.weight" is [12,24]; ` +
      `onMismatch: skip leaves it out`,
  });
  await assert.rejects(build({ layers, onMismatch: "skip" }), {
    message:
      /every pair was left out, a\.0\.weight \(its shape .*\): make the student as wide as the teacher, or leave/,
  });
  await assert.rejects(build({ layers: { "b.weight": "a.3.weight" } }), { message: /is not over-parameterised/ });
  await assert.rejects(build({ layers: { "c.weight": "a.3.weight" } }), {
    message: 'Cannot align "c.weight": it is no chain, but has use: sum, and no cores',
  });
  await assert.rejects(build({ layers: { "a.0.weight": "x" } }), { message: /the teacher has no "x"/ });
}, [float64]);

testBackends("of layers of which some are chains each keeps its place among all", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
  const shapes = (count: number) =>
    new Map(Array.from({ length: count }, (_, layer) => [`a.${layer}.weight`, [12, 12]] as const));
  const pairs = async (...layers: readonly number[]) => {
    const asked: string[] = [];
    await buildLoss(ops, tensorAlignment, {}, models, {
      chains: {
        student: new Map(layers.map((layer) => [`a.${layer}.weight`, { ...factors, gauge: "balanced" }])),
        others: new Map([["a.5.weight", "sum"]]),
        shapes: { student: shapes(6), teacher: shapes(12) },
        decomposeTeacher: (teacher, student) => {
          asked.push(`${student} ${teacher}`);
          return cores(ops, 19);
        },
      },
    });
    return asked;
  };
  // Student layer i stands for the teacher's 2 i and 2 i + 1 (appendix D.2), whatever the others are.
  assert.deepEqual(await pairs(0), ["a.0.weight a.1.weight"]);
  assert.deepEqual(await pairs(0, 2, 4), ["a.0.weight a.1.weight", "a.2.weight a.5.weight", "a.4.weight a.9.weight"]);
}, [float64]);

testBackends("where tensor-alignment pairs each weight with the one it starts from, it says so", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
  const said = async (startsFrom: Record<string, string>) => {
    const lines: string[] = [];
    await buildLoss(ops, tensorAlignment, {}, models, {
      chains: chains(ops, 16),
      startsFrom: new Map(Object.entries(startsFrom)),
      sameTokens: true,
      report: (line) => void lines.push(line),
    });
    return lines.some((line) => line.endsWith("the loss begins at 0"));
  };
  assert.equal(await said({ "a.0.weight": "a.3.weight" }), true);
  assert.equal(await said({ "a.0.weight": "a.1.weight" }), false);
  assert.equal(await said({}), false);
}, [float64]);

Deno.test("the automatic layer map spreads the student over the teacher's depth: i to 2 i + 1 for half as many", () => {
  const names = (count: number) =>
    new Map(Array.from({ length: count }, (_, i) => [`encoder.layer.${i}.attention.weight`, [4, 4]] as const));
  const map = automaticLayerMap(names(6), names(12));
  assert.deepEqual([...map.values()], [1, 3, 5, 7, 9, 11].map((i) => `encoder.layer.${i}.attention.weight`));
});

Deno.test("the automatic layer map pairs equal shapes and equal names only", () => {
  const student = new Map([["layer1.0.conv1.weight", [8, 8]], ["layer2.0.conv1.weight", [16, 8]], ["fc.weight", [
    10,
    3,
  ]]]);
  const teacher = new Map([
    ["layer1.0.conv1.weight", [8, 8]],
    ["layer1.1.conv1.weight", [8, 8]],
    ["layer2.0.conv1.weight", [16, 8]],
    ["layer2.1.conv1.weight", [16, 16]],
    ["fc.weight", [10, 4]],
  ]);
  assert.deepEqual([...automaticLayerMap(student, teacher)], [
    ["layer1.0.conv1.weight", "layer1.1.conv1.weight"],
    ["layer2.0.conv1.weight", "layer2.0.conv1.weight"],
    ["fc.weight", null],
  ]);
});

Deno.test("pairs of weights are told layer by layer where whole layers go together", () => {
  const pair = (student: string, teacher: string): [string, string] => [student, teacher];
  assert.equal(
    showPairs([
      pair("bert.encoder.layer.0.attention.self.query.weight", "bert.encoder.layer.1.attention.self.query.weight"),
      pair("bert.encoder.layer.0.output.dense.weight", "bert.encoder.layer.1.output.dense.weight"),
      pair("layer2.0.conv1.weight", "layer2.0.conv1.weight"),
      pair("layer2.0.conv2.weight", "layer2.2.conv2.weight"),
      pair("fc.weight", "fc.weight"),
    ]),
    "bert.encoder.layer.0.* with bert.encoder.layer.1.* (2 weights), layer2.0.conv1.weight with layer2.0.conv1.weight, " +
      "layer2.0.conv2.weight with layer2.2.conv2.weight, fc.weight with fc.weight",
  );
});
