import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossDefinition } from "../../../core/plugin/loss.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { crf } from "../../../plugins/losses/crf.ts";
import { structureMarginals } from "../../../plugins/losses/structure_marginals.ts";
import { structureTopK } from "../../../plugins/losses/structure_top_k.ts";
import { subStructure } from "../../../plugins/losses/sub_structure.ts";
import { allPaths, enumerate } from "../../core/ops/chain_paths.ts";
import { golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue, setupOf } from "../../support/loss_checks.ts";
import { assertClose } from "../../support/numbers.ts";
import { chain, gold, padded, paddedGold, student, tagger, taggingSetup, teacher } from "./taggers.ts";

const all = [float64, ...backends];
const label = { data: gold, shape: [1, 4] };
const paddedLabel = { data: paddedGold, shape: [1, 7] };
const tolerances = { float64: 1e-9, float32: 1e-5 };

const valueOf = (ops: Ops, definition: LossDefinition, options: Record<string, unknown> = {}) =>
  lossValue(ops, definition, options, { student: chain(ops, student), teacher: chain(ops, teacher) }, {
    ...taggingSetup(),
    batch: { label },
  });

testBackends("crf and sub-structure give the golden values", async (backend) => {
  const ops = createOps(backend);
  const tolerance = tolerances[backend.precision];
  assertClose([await valueOf(ops, crf)], [golden.crf_nll], tolerance, "crf");
  const emissions = await valueOf(ops, subStructure);
  assertClose([emissions], [golden.substruct_mse_emissions], tolerance, "emissions by default");
  const edges = await valueOf(ops, subStructure, { parts: "edges" });
  assertClose([edges], [golden.substruct_mse_edges_t1_to_T], tolerance, "edges");
}, all);

testBackends("structure-marginals are divergences summed over all 81 paths", async (backend) => {
  const ops = createOps(backend);
  const [p, q] = [teacher, student].map(({ emissions, transitions }) => enumerate(emissions, transitions, 4, 3));
  const kl = (p: ArrayLike<number>, q: ArrayLike<number>) =>
    Array.from(p).reduce((sum, x, i) => sum + x * Math.log(x / q[i]), 0);
  const tolerance = tolerances[backend.precision];
  assertClose([await valueOf(ops, structureMarginals)], [kl(p.marginals, q.marginals)], tolerance, "tags by default");
  const ofPaths = kl(p.probabilities.map(({ p }) => p), q.probabilities.map(({ p }) => p));
  const sequences = await valueOf(ops, structureMarginals, { over: "sequences" });
  assertClose([sequences], [ofPaths], tolerance, "sequences");
}, all);

testBackends("structure-top-k sums the likelihoods of the teacher's best paths", async (backend) => {
  const ops = createOps(backend);
  const of = ({ emissions, transitions }: typeof student) => enumerate(emissions, transitions, 4, 3).probabilities;
  const best = of(teacher).toSorted((a, b) => b.p - a.p).map(({ path }) => path.join());
  const likelihood = new Map(of(student).map(({ path, p }) => [path.join(), -Math.log(p)]));
  const expected = (weights: number[]) =>
    weights.reduce((sum, weight, rank) => sum + weight * likelihood.get(best[rank])!, 0);
  const tolerance = tolerances[backend.precision];
  assertClose([await valueOf(ops, structureTopK)], [expected([1, 0.1, 0.1])], tolerance, "1, 0.1, 0.1 by default");
  const weights = [0.5, 0, 2, 1, 1];
  assertClose([await valueOf(ops, structureTopK, { weights })], [expected(weights)], tolerance, "five paths");
}, all);

/** Every loss over chains, in each of its kinds. */
const kinds: readonly (readonly [LossDefinition, Record<string, unknown>])[] = [
  [crf, {}],
  [subStructure, { parts: "emissions" }],
  [subStructure, { parts: "edges" }],
  [structureTopK, {}],
  [structureMarginals, { over: "tags" }],
  [structureMarginals, { over: "sequences" }],
];

for (const [definition, options] of kinds) {
  const name = [definition.name, ...Object.values(options)].join(" ");

  testBackends(`${name}: padding and tokens without a label change neither value nor gradient`, async (backend) => {
    const ops = createOps(backend);
    const tolerance = tolerances[backend.precision];
    const plain = await valueOf(ops, definition, options);
    const models = (ops: Ops, noise: number) => ({
      student: padded(ops, student, noise),
      teacher: padded(ops, teacher, -2 * noise),
    });
    const variation = { ...taggingSetup(), batch: { label: paddedLabel } };
    for (const noise of [0, 40]) {
      const value = await lossValue(ops, definition, options, models(ops, noise), variation);
      assertClose([value], [plain], tolerance, `with ${noise} at the padding`);
    }
    const inner = await models(ops, 7).student.logits.read();
    const gradient = await lossGradient(backend, definition, options, [1, 7, 3], inner, (ops, x) => ({
      student: tagger(x, ops.tensor(student.transitions, [3, 3])),
      teacher: models(ops, 7).teacher,
    }), variation);
    paddedGold.forEach((tag, t) => {
      const own = [...gradient.slice(3 * t, 3 * t + 3)].map(Math.abs);
      const noEdge = options.parts === "edges" && t === 1; // no pair of tags ends at the first one
      if (tag < 0 || noEdge) assert.deepEqual(own, [0, 0, 0], `position ${t}`);
      else assert.ok(Math.max(...own) > 1e-4, `position ${t} has a gradient: ${own}`);
    });
  }, all);

  testBackends(`${name}: gradients by emissions and transitions agree with finite differences`, async (backend) => {
    const variation = { ...taggingSetup(), batch: { label } };
    const { emissions, transitions } = student;
    const byEmissions = (ops: Ops, x: Tensor) => ({
      student: tagger(x, ops.tensor(transitions, [3, 3])),
      teacher: chain(ops, teacher),
    });
    await assertLossGradient(backend, definition, options, [1, 4, 3], emissions, byEmissions, variation);
    if (options.parts === "emissions") return;
    const byTransitions = (ops: Ops, x: Tensor) => ({
      student: tagger(ops.tensor(emissions, [1, 4, 3]), x),
      teacher: chain(ops, teacher),
    });
    await assertLossGradient(backend, definition, options, [3, 3], transitions, byTransitions, variation);
  }, [float64]);

  if (definition === crf || definition === structureTopK) continue; // likelihoods, which equal models do not make 0
  testBackends(`${name} is zero for equal models`, async (backend) => {
    const ops = createOps(backend);
    const same = { student: chain(ops, teacher), teacher: chain(ops, teacher) };
    const value = await lossValue(ops, definition, options, same, { ...taggingSetup(), batch: { label } });
    assertClose([value], [0], backend.precision === "float64" ? 1e-12 : 2e-6);
  }, all);
}

testBackends("a chain with fewer paths than weights leaves the others out", async (backend) => {
  const ops = createOps(backend);
  const logits = [0.3, -0.2, 1];
  const models = () => ({
    student: tagger(ops.tensor(logits, [1, 1, 3])),
    teacher: tagger(ops.tensor([1, 2, 3], [1, 1, 3])),
  });
  const batch = { label: { data: [2], shape: [1, 1] } };
  const value = await lossValue(ops, structureTopK, { weights: [1, 2, 4, 8] }, models(), { ...taggingSetup(), batch });
  const logZ = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
  assertClose([value], [logZ - 1 + 2 * (logZ + 0.2) + 4 * (logZ - 0.3)], 1e-5);
}, all);

testBackends("without transitions crf is the cross-entropy of each token, and a line says so", async (backend) => {
  const ops = createOps(backend);
  const { setup, lines } = taggingSetup();
  const model = tagger(ops.tensor(student.emissions, [1, 4, 3]));
  const value = await lossValue(ops, crf, {}, { student: model, teacher: model }, { setup, batch: { label } });
  const rows = await ops.logSoftmax(model.logits).read();
  assertClose([value], [-gold.reduce((sum, tag, t) => sum + rows[3 * t + tag], 0)], 1e-9);
  assert.deepEqual(lines, [
    "crf: the student has no CRF, so its tokens are tagged each by itself, with transitions of 0",
  ]);
}, [float64]);

testBackends("arcs are compared where head and dependant differ, are tokens, and have a label", async (backend) => {
  const ops = createOps(backend);
  // Tokens 0 to 2 with a root at 0 that depends on nothing; the fourth is padding.
  const valid = [[0, 1], [0, 2], [1, 2], [2, 1]];
  const of = (f: (h: number, m: number) => number) =>
    tagger(ops.tensor(Float64Array.from({ length: 16 }, (_, i) => f(Math.floor(i / 4), i % 4)), [1, 4, 4]));
  const isValid = (h: number, m: number) => valid.some(([a, b]) => a === h && b === m);
  const batch = { label: { data: [-1, 0, 1, -1], shape: [1, 4] }, mask: { data: [1, 1, 1, 0], shape: [1, 4] } };
  const models = {
    student: of((h, m) => isValid(h, m) ? h + 10 * m : 99),
    teacher: of((h, m) => isValid(h, m) ? 10 * m : -99),
  };
  const value = await lossValue(ops, subStructure, { parts: "arcs" }, models, { ...taggingSetup(), batch });
  assertClose([value], [(0 + 0 + 1 + 4) / 4], 1e-6);
}, all);

testBackends("losses over chains refuse other tasks and too many paths", async (backend) => {
  const ops = createOps(backend);
  const models = { student: chain(ops, student), teacher: chain(ops, teacher) };
  const { setup } = setupOf(3);
  for (const definition of [crf, structureTopK, structureMarginals]) {
    await assert.rejects(lossValue(ops, definition, {}, models, { setup }), {
      message:
        `Cannot use the loss "${definition.name}" for classification: it compares chains of tags, which tagging has`,
    });
  }
  await assert.rejects(lossValue(ops, subStructure, {}, models, { setup }), {
    message: `Cannot use the loss "sub-structure" for classification: it needs a label for each token`,
  });
  const weights = new Array(9).fill(1);
  await assert.rejects(lossValue(ops, structureTopK, { weights }, models, taggingSetup()), {
    message: `Cannot search 9 paths in "structure-top-k": at most 8 weights are possible`,
  });
}, [float64]);

Deno.test("losses over chains refuse unknown kinds, negative weights and none", () => {
  const weights = (list: string) => `weights: ${list}`;
  assertRefusal(
    subStructure,
    "parts: edge",
    `recipe.yaml:1:8: Expected emissions, edges or arcs for parts: got "edge", did you mean "edges"?`,
  );
  assertRefusal(structureMarginals, "over: pairs", `recipe.yaml:1:7: Expected tags or sequences for over: got "pairs"`);
  assertRefusal(
    structureTopK,
    weights("[1, -1]"),
    "recipe.yaml:1:14: Expected a number >= 0 and <= 1000000000 for weights[1]: got -1",
  );
  assertRefusal(
    structureTopK,
    weights("[]"),
    "recipe.yaml:1:10: Expected a list of at least 1 entry, each a number >= 0 and <= 1000000000 for weights: got an empty list",
  );
});

Deno.test("81 paths are all there", () => {
  assert.equal(new Set(allPaths(4, 3).map(String)).size, 81);
});
