import assert from "node:assert/strict";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../../../core/data/random.ts";
import { chooseRanks } from "../../../../core/distill/student/factors/choose_ranks.ts";
import { countAt, factorPlan, statedRank } from "../../../../core/distill/student/factors/factor_plan.ts";
import { truncateWeights } from "../../../../core/distill/student/factors/truncate_weights.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { productOfFactors } from "../../../../core/plugin/factors.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import { countTrainable, freshWeights } from "../../../../core/plugin/parameters.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { builtins } from "../../../../plugins/builtins.ts";
import { imageData } from "../../../support/inputs.ts";
import { tinyRecipe } from "../../../support/tiny_run.ts";

function resnet() {
  const definition = builtins.model.find(({ name }) => name === "resnet")!;
  return definition.build(
    definition.options(optionKit).parse({ depth: 8, width: 8 }),
    imageData([8, 8, 1], ["a", "b", "c"]),
  );
}

const plan = (exports: string, chains: readonly string[] = []) =>
  factorPlan(
    parseChecked(`${tinyRecipe}export: ${exports}\n`, "tiny.yaml", recipeSchema).part("export"),
    resnet(),
    new Set(chains),
  );

Deno.test("a rank is a number, at most the full one, or a part of it that rounds to one at least", () => {
  assert.deepEqual([3, 8, 9, 0.5, 0.01].map((rank) => statedRank(rank, [8, 4, 3, 3])), [3, 8, 8, 4, 1]);
  assert.deepEqual([1, 6, 7, 8].map((rank) => countAt([8, 4, 3, 3], rank)), [44, 264, 288, 288]);
});

Deno.test("ranks within a number of parameters leave what is worth most, and no other choice of theirs leaves more", () => {
  const random = new Random(2);
  const weights = new Map([["a", [8, 60]], ["b", [9, 9]], ["c", [5, 5]]]);
  const spectra = new Map(
    [...weights].map(([name, [rows, cols]]) =>
      [name, Float64Array.from({ length: Math.min(rows, cols) }, () => random.uniform() ** 2).sort().reverse()] as const
    ),
  );
  const size = (name: string, ranks: ReadonlyMap<string, number>) => {
    const [rows, cols] = weights.get(name)!;
    return ranks.has(name) ? ranks.get(name)! * (rows + cols) : rows * cols;
  };
  /** What is lost of the squared norms, each matrix counting as one. */
  const lost = (ranks: ReadonlyMap<string, number>) =>
    [...ranks].reduce((sum, [name, rank]) => {
      const squares = spectra.get(name)!.map((value) => value ** 2);
      const all = squares.reduce((total, square) => total + square, 0);
      return sum + squares.slice(rank).reduce((total, square) => total + square, 0) / all;
    }, 0);
  for (const parameters of [200, 230, 260, 300, 350, 400]) {
    const ranks = chooseRanks({ weights, rank: null, parameters }, spectra, 100);
    const count = [...weights.keys()].reduce((sum, name) => sum + size(name, ranks), 100);
    assert.ok(count <= parameters, `${count} of ${parameters}`);
    // Of ranks with as many numbers or fewer none loses less than a step of the worth of one singular value.
    for (const a of [1, 2, 3, 4, 5, 6, 7]) {
      for (const b of [1, 2, 3, 4]) {
        for (const c of [1, 2]) {
          const other = new Map([["a", a], ["b", b], ["c", c]]);
          const used = [...weights.keys()].reduce((sum, name) => sum + size(name, other), 100);
          if (used <= count) assert.ok(lost(other) >= lost(ranks) - 1e-12, `${[a, b, c]} beats ${[...ranks]}`);
        }
      }
    }
  }
  // What takes 100 numbers must be worth five times what takes 20.
  const unlike = { weights: new Map([["a", [10, 90]], ["b", [10, 10]]]), rank: null, parameters: 140 };
  const values = new Map([["a", [1, 0.9, ...Array(8).fill(0)]], ["b", [1, 0.8, ...Array(8).fill(0)]]]);
  assert.deepEqual([...chooseRanks(unlike, values, 0)], [["a", 1], ["b", 2]]);
  const [all] = [chooseRanks({ weights, rank: 3, parameters: null }, spectra, 0)];
  // Of rank 3 the factors of c would have 30 numbers, and it has 25.
  assert.deepEqual([...all], [["a", 3], ["b", 3]]);
});

Deno.test("a cut loses exactly the singular values that go, and at the full rank nothing", async () => {
  const backend = await CpuBackend.create();
  const { device } = createOps(backend);
  const model = resnet();
  const numbers = freshWeights(model, new Random(4));
  // Rows at right angles, so that their lengths are the singular values: 8, 4, 2, 1, 0, ...
  const name = "layer1.0.conv1.weight";
  const lengths = [8, 4, 2, 1, 0, 0, 0, 0];
  const rows = new Float32Array(8 * 72);
  lengths.forEach((length, row) => [0, 1, 2, 3].forEach((at) => rows[row * 72 + 9 * at + row] = length / 2));
  const weights = new Map(numbers).set(name, rows);
  const cut = async (rank: number) =>
    await truncateWeights(device, model, weights, { weights: new Map([[name, [8, 8, 3, 3]]]), rank, parameters: null });
  const two = await cut(2);
  assert.deepEqual([two.truncated[name].rank, two.truncated[name].fullRank], [2, 8]);
  assert.ok(Math.abs(two.truncated[name].error - Math.sqrt(5 / 85)) < 1e-7, `${two.truncated[name].error}`);
  assert.equal(countTrainable(two.model.parameters), countTrainable(model.parameters) - 8 * 72 + 2 * 80);
  const four = await cut(4);
  assert.ok(four.truncated[name].error < 1e-7);
  const product = productOfFactors(four.numbers.get(`${name}.down`)!, four.numbers.get(`${name}.up`)!, 4);
  rows.forEach((value, at) => assert.ok(Math.abs(value - product[at]) < 1e-6));
  assert.deepEqual(four.products.get(name), product);
  // The roots of the singular values are in both, so that none is out of scale.
  const norm = (part: Float32Array) => Math.hypot(...part);
  assert.ok(Math.abs(norm(two.numbers.get(`${name}.up`)!) - norm(two.numbers.get(`${name}.down`)!)) < 1e-5);
  // As many numbers as the matrix: it stays as it is.
  assert.deepEqual((await cut(8)).truncated, {});
  await backend.close();
});

Deno.test("the recipe chooses chains or names, and what makes nothing smaller is refused with its place", () => {
  const chains = ["layer1.0.conv1.weight", "fc.weight"];
  assert.deepEqual([...plan("{ keepFactors: true, rank: 2 }", chains)!.weights.keys()], chains);
  assert.deepEqual([...plan("{ keepFactors: layer3*conv1*, rank: 0.5 }")!.weights.keys()], ["layer3.0.conv1.weight"]);
  assert.equal(plan("{}"), null);
  const refused = (exports: string, message: RegExp) =>
    assert.throws(() => plan(exports), { name: "UserError", message });
  refused("{ keepFactors: true, rank: 2 }", /Cannot keep factors of over-parameterised weights: there are none; /);
  refused("{ keepFactors: conv9*, rank: 2 }", /^tiny\.yaml:\d+:\d+: Nothing matches "conv9\*": the nearest /);
  refused(
    "{ keepFactors: fc.weight, rank: 3 }",
    /Cannot make a weight smaller by factors of rank 3: expected at most 2, /,
  );
  refused(
    "{ keepFactors: '*', parameters: 9 }",
    /Cannot leave 9 numbers of a student of [\d,]+ by factors: expected [\d,]+, where /,
  );
  refused("{ keepFactors: '*' }", /Expected one of rank and parameters with keepFactors: got neither/);
  refused(
    "{ keepFactors: '*', rank: 1, parameters: 9 }",
    /Expected one of rank and parameters with keepFactors: got both/,
  );
  refused("{ rank: 2 }", /Cannot use rank without keepFactors: true, or patterns of weights/);
  refused("{ keepFactors: '*', rank: 1.5 }", /Expected a whole number, or a part of the full rank below 1/);
});
