import assert from "node:assert/strict";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { reportDecomposition, showDecomposition } from "../../../core/mpo/report.ts";
import { golden } from "../../golden/golden.ts";
import { assertClose } from "../../support/numbers.ts";
import { diagonal } from "../linalg/matrices.ts";
import { goldenMatrix } from "./chains.ts";

const factors = { rows: [4, 1, 1, 3], cols: [4, 1, 1, 3] };

Deno.test("the report is a JSON value with everything that was computed", async () => {
  const decomposition = await decomposeMatrix(goldenMatrix(16), 12, 12, factors);
  const report = reportDecomposition(goldenMatrix(16), decomposition);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  assert.deepEqual(report.bonds, golden.mpo_bonds);
  assert.equal(report.parameters, golden.mpo_params);
  assert.equal(report.increaseRate, 387 / 144);
  assert.deepEqual(report.cores.map(({ role }) => role), ["auxiliary", "central", "auxiliary", "auxiliary"]);
  assert.deepEqual(report.cores.map(({ parameters }) => parameters), [144, 81, 81, 81]);
  assertClose(report.singularValues[2], golden.mpo_singular_values, 1e-14);
  assert.ok(report.relativeError < 1e-14);
  assert.equal(report.errorBound, 0);
  assert.equal(report.merge.leftToRightMultiplyAdds, 3 * 16 * 81);
  assert.equal(report.merge.multiplyAdds, 2 * 9 ** 3 + 16 * 81);
});

Deno.test("the measured error of a truncated chain is in the report", async () => {
  const decomposition = await decomposeMatrix(goldenMatrix(16), 12, 12, { ...factors, maxRank: 4 });
  const report = reportDecomposition(goldenMatrix(16), decomposition);
  const sigma = golden.mpo_singular_values;
  assertClose([report.relativeError], [Math.hypot(...sigma.slice(4)) / Math.hypot(...sigma)], 1e-14);
  assert.match(showDecomposition(report), /^relative error {2}4\.83e-1 \(bound 4\.83e-1, from what was cut\)$/m);
  assert.match(
    showDecomposition(report),
    /^bonds 1-3 +4 singular values from 3\.594 to 2\.404, .*, cut: norm 3\.325$/m,
  );
});

Deno.test("bonds share a line where their singular values agree and nothing was cut in between", async () => {
  const report = reportDecomposition(goldenMatrix(16), await decomposeMatrix(goldenMatrix(16), 12, 12, factors));
  const bondsOf = (discarded: number[]) => showDecomposition({ ...report, discarded }).match(/^bonds? [0-9]\S*/gm);
  assert.deepEqual(bondsOf([0, 0, 0]), ["bonds 1-3"]);
  assert.deepEqual(bondsOf([1, 0, 0]), ["bonds 1-3"]);
  assert.deepEqual(bondsOf([1, 0, 1]), ["bonds 1-2", "bond 3"]);
});

Deno.test("the zero matrix has a report without NaN", async () => {
  const zero = new Float64Array(144);
  const text = showDecomposition(reportDecomposition(zero, await decomposeMatrix(zero, 12, 12, factors)));
  assert.doesNotMatch(text, /NaN|Infinity|undefined/);
});

Deno.test("the text can be checked by hand", async () => {
  const values = diagonal(4, 1, 0.25, 0).values;
  const decomposition = await decomposeMatrix(values, 4, 4, { rows: [4, 1, 1], cols: [1, 1, 4] });
  const [decomposed, plan] = showDecomposition(reportDecomposition(values, decomposition)).split("\n\n");
  assert.equal(
    decomposed,
    `matrix          4 x 4, 16 parameters, norm 4.131
factors         rows [4, 1, 1], cols [1, 1, 4]
bonds           [1, 4, 4, 1], balanced
core 1          [1, 4, 1, 4], 16 parameters, auxiliary
core 2          [4, 1, 1, 4], 16 parameters, central
core 3          [4, 1, 4, 1], 16 parameters, auxiliary
parameters      48, 3 times those of the matrix
bonds 1-2       4 singular values from 4 to 0, the first 2 carry 99 % of the squared norm
SVD             float64 on the host
relative error  0.00e+0
merge           128 multiply-adds
  left to right 128`,
  );
  assert.match(plan, /^contraction {11}d0 i1 j1 d1, d1 i2 j2 d2, d2 i3 j3 d3 -> d0 i1 i2 i3 j1 j2 j3 d3$/m);
});
