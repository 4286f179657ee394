import assert from "node:assert/strict";
import { erf } from "../../../core/kernels/erf.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { testBackends } from "../../support/backends.ts";

Deno.test("erf has its tabulated values to the last digits of a double", () => {
  const known: readonly [x: number, value: number][] = [
    [0, 0],
    [1e-8, 1.1283791670955126e-8],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.4999, 0.9995928300996666],
    [2.5, 0.999593047982555],
    [3, 0.9999779095030014],
    [5, 0.9999999999984626],
    [Infinity, 1],
  ];
  for (const [x, value] of known) {
    for (const sign of [1, -1]) {
      const error = Math.abs(erf(sign * x) - sign * value);
      assert.ok(error <= 2e-15 * value, `erf(${sign * x}) is ${erf(sign * x)}, expected ${sign * value}`);
    }
  }
  assert.ok(Number.isNaN(erf(NaN)));
});

testBackends(
  "gelu in float32 is within 2e-7 of x / 2 (1 + erf(x / sqrt 2)), and is finite far out",
  async (backend) => {
    const ops = createOps(backend);
    const x = Float32Array.from({ length: 24001 }, (_, i) => (i - 12000) / 2000);
    const values = await ops.gelu(ops.tensor(x)).read();
    let worst = 0;
    x.forEach((value, i) => {
      const expected = value / 2 * (1 + erf(value / Math.SQRT2));
      worst = Math.max(worst, Math.abs(values[i] - expected) / Math.max(1, Math.abs(value)));
    });
    assert.ok(worst < 2e-7, `off by ${worst}`);
    assert.deepEqual([...await ops.gelu(ops.tensor([-1e4, 0, 1e4])).read()].map(Math.abs), [0, 0, 1e4]);
  },
);
