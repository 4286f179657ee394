import assert from "node:assert/strict";
import { CURVES, extremes } from "../../../../core/assess/bounds/curves.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";

/** Each value of v with each pair of ends, from nothing to all of a curve. */
const CASES = [-8, -3, -1.5, -0.2, 0, 0.3, 2.9, 3, 5.5, 6, 9].flatMap((v) =>
  [0, 1e-6, 0.4, 2, 7, 20].flatMap((lower) => [0, 1e-6, 0.4, 2, 7, 20].map((upper) => ({ v, lower, upper })))
);

for (const [name, curve] of Object.entries(CURVES)) {
  Deno.test(`what ${name} changes by lies between its lines, which touch it`, () => {
    for (const { v, lower, upper } of CASES) {
      for (const slope of [0, 1, -0.3, ...curve.slopes(v - lower, v + upper)]) {
        const [least, most] = extremes(curve, v, lower, upper, slope);
        let [low, high] = [0, 0];
        for (let i = 0; i <= 400; i++) {
          const z = -lower + (lower + upper) * i / 400;
          const apart = curve.value(v + z) - curve.value(v) - slope * z;
          [low, high] = [Math.min(low, apart), Math.max(high, apart)];
        }
        const place = `${v} - ${lower}, + ${upper}, slope ${slope}`;
        assert.ok(least <= low && high <= most, `${place}: ${low}, ${high} in ${least}, ${most}`);
        // Points are so far apart, and curves so steep.
        const near = (lower + upper) / 400 * (1.5 + Math.abs(slope)) + 1e-12;
        assert.ok(low - least <= near && most - high <= near, `${place}: ${low}, ${high} in ${least}, ${most}`);
      }
    }
  });
}

Deno.test("curves are those of their operations, and no steeper than they say", async () => {
  const ops = createOps(await CpuBackend.create({ precision: "float64" }));
  const x = pseudoRandom(1, 200, -9, 9);
  for (const [name, curve] of Object.entries(CURVES)) {
    const values = ops[name as "relu"](ops.tensor(x));
    assertClose(await values.read(), x.map((t) => curve.value(t)), 1e-12, name);
    for (const t of x) assert.ok(Math.abs(curve.value(t + 0.01) - curve.value(t)) <= 0.01 * curve.steepest + 1e-12);
  }
  await ops.backend.close();
});
