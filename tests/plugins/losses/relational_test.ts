import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { relational } from "../../../plugins/losses/relational.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { moved } from "../../support/rotation.ts";

const student = gen([4, 5], 3);
const teacher = gen([4, 6], 4);

const pooled = (x: Tensor) => outputs(x, { pooled: x });
const against = (data: ArrayLike<number>, width: number) => (ops: Ops, features: Tensor) => ({
  student: pooled(features),
  teacher: pooled(ops.tensor(data, [data.length / width, width])),
});
const valueOf = (
  ops: Ops,
  options: Record<string, unknown>,
  s: { data: ArrayLike<number>; width: number },
  t: { data: ArrayLike<number>; width: number },
) =>
  lossValue(
    ops,
    relational,
    options,
    against(t.data, t.width)(ops, ops.tensor(s.data, [s.data.length / s.width, s.width])),
  );

testBackends("relational gives the golden values of distances, angles and both, of unequal widths", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const value = (options: Record<string, unknown>) =>
    valueOf(ops, options, { data: student, width: 5 }, { data: teacher, width: 6 });
  assertClose([await value({ distance: 1, angle: 0 })], [golden.rkd_distance], tolerance, "distance");
  assertClose([await value({ distance: 0, angle: 1 })], [golden.rkd_angle], tolerance, "angle");
  assertClose([await value({})], [golden.rkd_25_50], tolerance, "25 and 50 by default");
}, [float64, ...backends]);

testBackends(
  "relational is zero for features that are rotated, scaled and moved, and for equal ones",
  async (backend) => {
    const ops = createOps(backend);
    const tolerance = backend.precision === "float64" ? 1e-20 : 1e-9;
    const data = moved(student, 5, { scale: 3, shift: 2 });
    assertClose([await valueOf(ops, {}, { data, width: 5 }, { data: student, width: 5 })], [0], tolerance, "moved");
    const same = { data: student, width: 5 };
    assertClose([await valueOf(ops, {}, same, same)], [0], tolerance, "equal");
  },
  [float64, ...backends],
);

testBackends("relational: the gradient agrees with finite differences", async (backend) => {
  for (const options of [{ angle: 0 }, { distance: 0 }]) {
    await assertLossGradient(backend, relational, options, [4, 5], student, against(teacher, 6));
  }
}, [float64]);

testBackends("coinciding examples, all equal ones and a batch of one give no NaN", async (backend) => {
  const ops = createOps(backend);
  const twice = student.slice();
  twice.copyWithin(5, 0, 5);
  const cases = { twice, constant: new Float64Array(20).fill(0.5), single: student.slice(0, 5) };
  for (const [name, data] of Object.entries(cases)) {
    const rows = data.length / 5;
    const target = teacher.slice(0, 6 * rows);
    const value = await valueOf(ops, {}, { data, width: 5 }, { data: target, width: 6 });
    assert.ok(Number.isFinite(value), `${name}: ${value}`);
    const gradient = await lossGradient(backend, relational, {}, [rows, 5], data, against(target, 6));
    assert.ok(gradient.every((x) => Math.abs(x) < 1e3), `${name}: ${gradient}`);
    // The teacher's may coincide too.
    const swapped = await valueOf(ops, {}, { data: target, width: 6 }, { data, width: 5 });
    assert.ok(Number.isFinite(swapped), `${name} of the teacher: ${swapped}`);
  }
}, [float64, ...backends]);

Deno.test("relational refuses negative weights", () => {
  assertRefusal(
    relational,
    "distance: -1",
    "recipe.yaml:1:11: Expected a number >= 0 and <= 1000000000 or a map with from and to for distance: got -1",
  );
  assertRefusal(
    relational,
    "angle: -1",
    "recipe.yaml:1:8: Expected a number >= 0 and <= 1000000000 or a map with from and to for angle: got -1",
  );
});
