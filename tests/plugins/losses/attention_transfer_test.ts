import assert from "node:assert/strict";
import { mapOutputs } from "../../../core/plugin/output_tree.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { attentionTransfer } from "../../../plugins/losses/attention_transfer.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue, setupOf } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const one = { pairs: [{ student: "a", teacher: "b" }] };
const features = (name: string, x: Tensor) => outputs(x, { features: { [name]: x } });
const against = (data: ArrayLike<number>, shape: number[]) => (ops: Ops, x: Tensor) => ({
  student: features("a", x),
  teacher: features("b", ops.tensor(data, shape)),
});

/** Channels last from channels first. */
function channelsLast(data: Float64Array, [batch, channels, height, width]: number[]): Float64Array {
  const pixels = height * width;
  return Float64Array.from({ length: batch * channels * pixels }, (_, i) => {
    const [image, rest] = [Math.floor(i / (pixels * channels)), i % (pixels * channels)];
    return data[image * pixels * channels + (rest % channels) * pixels + Math.floor(rest / channels)];
  });
}

const student = channelsLast(gen([2, 3, 2, 2], 5), [2, 3, 2, 2]);
const teacher = channelsLast(gen([2, 4, 2, 2], 6), [2, 4, 2, 2]);
const against4 = against(teacher, [2, 2, 2, 4]);

/** The loss by its definition, for maps of equal size. */
function byDefinition(a: Float64Array, b: Float64Array, channels: [number, number], pixels: number, p: number): number {
  const map = (x: Float64Array, channels: number) => {
    const sums = Float64Array.from(
      { length: x.length / channels },
      (_, i) => x.slice(i * channels, (i + 1) * channels).reduce((sum, value) => sum + Math.abs(value) ** p, 0),
    );
    return sums.map((value, i) => {
      const image = Math.floor(i / pixels);
      return value / Math.hypot(...sums.slice(image * pixels, (image + 1) * pixels));
    });
  };
  const [m, n] = [map(a, channels[0]), map(b, channels[1])];
  return m.reduce((sum, value, i) => sum + (value - n[i]) ** 2, 0) / m.length;
}

testBackends("attention-transfer gives the golden value for unequal channels, p = 2 by default", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const models = against4(ops, ops.tensor(student, [2, 2, 2, 3]));
  assertClose([await lossValue(ops, attentionTransfer, one, models)], [golden.at_p2], tolerance);
  for (const p of [1, 2, 3, 4, 5, 8]) {
    const value = await lossValue(ops, attentionTransfer, { ...one, p }, models);
    assertClose([value], [byDefinition(student, teacher, [3, 4], 4, p)], tolerance, `p = ${p}`);
  }
}, [float64, ...backends]);

testBackends("attention-transfer is zero for equal maps and scaled ones, and sums over pairs", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-20 : 1e-10;
  for (const data of [teacher, teacher.map((x) => -3 * x)]) {
    const models = against4(ops, ops.tensor(data, [2, 2, 2, 4]));
    assertClose([await lossValue(ops, attentionTransfer, one, models)], [0], tolerance);
  }
  const models = against4(ops, ops.tensor(student, [2, 2, 2, 3]));
  const twice = await lossValue(ops, attentionTransfer, { pairs: [one.pairs[0], one.pairs[0]] }, models);
  assertClose([twice], [2 * golden.at_p2], 1e-5);
}, [float64, ...backends]);

testBackends("the larger map is averaged to the size of the smaller one, on either side", async (backend) => {
  const ops = createOps(backend);
  // Each pixel of the teacher's map stands in a 2x2 window of the larger one, so that averaging restores it.
  const larger = Float64Array.from({ length: 2 * 4 * 4 * 4 }, (_, i) => {
    const [channel, column, row] = [i % 4, Math.floor(i / 4) % 4, Math.floor(i / 16) % 4];
    return teacher[((Math.floor(i / 64) * 2 + (row >> 1)) * 2 + (column >> 1)) * 4 + channel];
  });
  const { setup, lines } = setupOf(3);
  const small = ops.tensor(student, [2, 2, 2, 3]);
  const value = await lossValue(ops, attentionTransfer, one, against(larger, [2, 4, 4, 4])(ops, small), { setup });
  assertClose([value], [golden.at_p2], 1e-5);
  assert.deepEqual(lines, [`attention-transfer: "b" is averaged over windows of 2 x 2 to the other's size`]);
  const swapped = against(student, [2, 2, 2, 3])(ops, ops.tensor(larger, [2, 4, 4, 4]));
  assertClose([await lossValue(ops, attentionTransfer, one, swapped)], [golden.at_p2], 1e-5);
}, [float64, ...backends]);

testBackends("attention-transfer: the gradient agrees with finite differences, with p and pooling", async (backend) => {
  for (const p of [2, 3]) {
    await assertLossGradient(backend, attentionTransfer, { ...one, p }, [2, 2, 2, 3], student, against4);
  }
  await assertLossGradient(backend, attentionTransfer, one, [2, 4, 4, 1], gen([2, 4, 4, 1], 9), against4);
}, [float64]);

testBackends("an image whose map is all zero has no gradient and gives no NaN", async (backend) => {
  const data = student.slice().fill(0, 0, 12);
  const gradient = await lossGradient(backend, attentionTransfer, one, [2, 2, 2, 3], data, against4);
  assert.deepEqual([...gradient.slice(0, 12)].map(Math.abs), new Array(12).fill(0));
  assert.ok(gradient.every(Number.isFinite), `${gradient}`);
}, [float64, ...backends]);

testBackends(
  "attention-transfer refuses sizes without a whole ratio, and layers that are no images",
  async (backend) => {
    const ops = createOps(backend);
    const compare = (s: number[], t: number[]) => {
      const of = (name: string, shape: number[]) => features(name, ops.full(shape, 1));
      return lossValue(ops, attentionTransfer, one, { student: of("a", s), teacher: of("b", t) });
    };
    const ratio = "height and width of one must be the same whole multiple of the other's";
    await assert.rejects(compare([1, 3, 3, 2], [1, 4, 4, 2]), {
      message: `Cannot compare attention of "a" [1,3,3,2] with "b" [1,4,4,2]: ${ratio}`,
    });
    await assert.rejects(compare([1, 4, 8, 2], [1, 4, 4, 2]), {
      message: `Cannot compare attention of "a" [1,4,8,2] with "b" [1,4,4,2]: ${ratio}`,
    });
    await assert.rejects(compare([1, 4, 8], [1, 4, 8]), {
      message: `Cannot compare attention of "a" [1,4,8] with "b" [1,4,8]: ` +
        "both must be images [batch, height, width, channels]",
    });
  },
  [float64],
);

testBackends("attention-transfer refuses to run without a teacher", async (backend) => {
  const ops = createOps(backend);
  const models = against4(ops, ops.tensor(student, [2, 2, 2, 3]));
  const shapes = { student: mapOutputs(models.student, ({ shape }) => shape), teacher: null };
  await assert.rejects(lossValue(ops, attentionTransfer, one, models, { setup: { shapes } }), {
    message: `Cannot compare layer "a" with a teacher's: there is no teacher`,
  });
}, [float64]);

Deno.test("attention-transfer refuses powers that are not whole or out of range, and a missing list of pairs", () => {
  const pairs = "pairs: [{ student: a, teacher: b }]\n";
  assertRefusal(attentionTransfer, `${pairs}p: 0`, "recipe.yaml:2:4: Expected an integer >= 1 and <= 8 for p: got 0");
  assertRefusal(
    attentionTransfer,
    `${pairs}p: 1.5`,
    "recipe.yaml:2:4: Expected an integer >= 1 and <= 8 for p: got 1.5",
  );
  assertRefusal(
    attentionTransfer,
    "p: 2",
    `recipe.yaml:1:1: Missing key "pairs" at the top level: expected a list of at least 1 entry`,
  );
});
