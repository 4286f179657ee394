import assert from "node:assert/strict";
import { join } from "node:path";
import { ensemble, memberName } from "../../../../core/distill/teacher/ensemble.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import type { Model } from "../../../../core/plugin/model.ts";
import { backends, float64, testBackends } from "../../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** A model that gives its one weight as logits, and twice that as features. */
const constant: Model = {
  parameters: [{
    name: "w",
    shape: [2, 3],
    initialise: { use: "constant", value: 0 },
    trainable: true,
    overParameterisable: false,
  }],
  config: {},
  fromForeign: (name) => name,
  forward: ({ ops, weights }) => {
    const logits = weights.get("w");
    return { logits, features: {}, hidden: [], attention: [], pooled: ops.scale(logits, 2) };
  },
};

function run(ops: Ops, task: "classification" | "regression", shares: readonly number[], logits: ArrayLike<number>[]) {
  const model = ensemble(shares.map((share) => ({ model: constant, share })), task);
  const tensors = logits.map((values, index) => [memberName(index, "w"), ops.tensor(values, [2, 3])] as const);
  assert.deepEqual(model.parameters.map(({ name }) => name), tensors.map(([name]) => name));
  return model.forward({
    ops,
    weights: weightsFrom(new Map(tensors)),
    batch: {},
    training: false,
    randomSeed: () => 0,
  });
}

const [a, b, c] = [1, 2, 3].map((seed) => pseudoRandom(seed, 6, -3, 3));

testBackends("several teachers' logits are those of the weighted mean of their probabilities", async (backend) => {
  const ops = createOps(backend);
  const { logits, pooled } = run(ops, "classification", [2, 1, 5], [a, b, c]);
  const softmax = (x: Float64Array, row: number) => {
    const powers = [...x.slice(3 * row, 3 * row + 3)].map(Math.exp);
    return powers.map((power) => power / powers.reduce((sum, other) => sum + other));
  };
  const expected = [0, 1].flatMap((row) =>
    [0, 1, 2].map((i) => Math.log((2 * softmax(a, row)[i] + softmax(b, row)[i] + 5 * softmax(c, row)[i]) / 8))
  );
  assertClose(await logits.read(), expected, 1e-6);
  assertClose(await pooled.read(), a.map((x) => 2 * x), 1e-6, "other outputs are the first one's");
}, [float64, ...backends]);

testBackends("of a regression the predictions are averaged", async (backend) => {
  const ops = createOps(backend);
  const { logits } = run(ops, "regression", [1, 3], [a, b]);
  assertClose(await logits.read(), a.map((x, i) => (x + 3 * b[i]) / 4), 1e-6);
}, [float64]);

testBackends("of taggers with chains the marginal probabilities are averaged, and decide", async (backend) => {
  const ops = createOps(backend);
  const emissions = [[1, 0, 2, -1, 0, 3], [0, 2, -1, 1, 1, 0]];
  const transitions = [[0.5, -1, 0, 2], [-2, 1, 0.5, 0]];
  const tagger = (which: number): Model => ({
    ...constant,
    parameters: [],
    forward: (call) => ({
      logits: call.ops.tensor(emissions[which], [1, 3, 2]),
      transitions: call.ops.tensor(transitions[which], [2, 2]),
      predictions: call.ops.full([1, 3], which),
      features: {},
      hidden: [],
      attention: [],
      pooled: call.ops.full([1, 2], 0),
    }),
  });
  const paths = Array.from({ length: 8 }, (_, code) => [code >> 2, code >> 1 & 1, code & 1]);
  const marginals = (which: number) => {
    const powers = paths.map((path) =>
      Math.exp(
        path.reduce((sum, tag, at) =>
          sum + emissions[which][2 * at + tag] + (at > 0 ? transitions[which][2 * path[at - 1] + tag] : 0), 0),
      )
    );
    const all = powers.reduce((sum, power) => sum + power);
    return Array.from(
      { length: 6 },
      (_, place) =>
        powers.reduce((sum, power, code) => sum + (paths[code][place >> 1] === (place & 1) ? power : 0), 0) / all,
    );
  };
  const model = ensemble([{ model: tagger(0), share: 1 }, { model: tagger(1), share: 3 }], "tagging");
  const given = { ops, weights: weightsFrom(new Map()), training: false, randomSeed: () => 0 };
  const batch = { mask: ops.full([1, 3], 1) };
  const { logits, predictions, transitions: chains } = model.forward({ ...given, batch });
  const [one, other] = [marginals(0), marginals(1)];
  assertClose(await logits.read(), one.map((share, place) => Math.log((share + 3 * other[place]) / 4)), 1e-5);
  assert.deepEqual([predictions, chains], [undefined, undefined]);
  // Of words with labels alone the chain goes from the first to the last.
  const short = { label: ops.tensor([1, -1, 0], [1, 3]), mask: ops.full([1, 3], 1) };
  const whole = [0, 1].map((which) => {
    const powers = [0, 1, 2, 3].map((code) => {
      const [from, to] = [code >> 1, code & 1];
      return Math.exp(emissions[which][from] + emissions[which][4 + to] + transitions[which][2 * from + to]);
    });
    return [powers[0] + powers[1], powers[0] + powers[2]].map((power) => power / powers.reduce((a, b) => a + b));
  });
  const [first, , last] = chunked(await model.forward({ ...given, batch: short }).logits.read());
  assertClose([first[0], last[0]], [0, 1].map((at) => Math.log((whole[0][at] + 3 * whole[1][at]) / 4)), 1e-5);
}, [float64, ...backends]);

const chunked = (numbers: ArrayLike<number>) => [0, 2, 4].map((at) => [numbers[at], numbers[at + 1]]);

testBackends("probabilities too small for float32 are kept as logarithms", async (backend) => {
  const ops = createOps(backend);
  const far = [0, -500, -1000, 0, 0, 0];
  const { logits } = run(ops, "classification", [1, 1], [far, far]);
  assertClose(await logits.read(), [0, -500, -1000, ...new Array(3).fill(-Math.log(3))], 1e-6);
}, backends);

const teachers = `teacher: { use: resnet, depth: 8, width: 4, weights: one/student,
  others: [{ use: resnet, depth: 8, width: 6, weights: two/student, share: 2 }] }
losses: [{ use: kd }, { use: hidden-mse, pairs: [{ student: -1, teacher: -1 }] }, { use: tensor-alignment }]`;

Deno.test("a student learns from two teachers of unequal width", async () => {
  await withTinyData(async (folder) => {
    for (const [output, width, seed] of [["one", 4, 1], ["two", 6, 2]]) {
      const overrides = [`student.width=${width}`, `seed=${seed}`, "student.overParameterise=[]"];
      await tinyRun(folder, { output: `${output}`, overrides });
    }
    const text = tinyRecipe.replace("losses: [{ use: cross-entropy }]", teachers);
    const summary = await tinyRun(folder, { text });
    assert.ok(summary.student.accuracy! > 0.8 && summary.teacher!.accuracy! > 0.8);
    const resolved = await Deno.readTextFile(join(folder, "run", "recipe.yaml"));
    assert.match(resolved, /share: 2/);
    // Two equal teachers are one: the mean of equal predictions.
    const same = text.replace("width: 6, weights: two", "width: 4, weights: one");
    const single = text.replace(/,\s*others: \[.*\]/, "");
    const losses = async (text: string, output: string) => (await tinyRun(folder, { text, output })).losses.kd;
    const [twice, once] = [await losses(same, "twice"), await losses(single, "once")];
    assert.ok(Math.abs(twice - once) < 1e-3 * once, `${twice} and ${once}`);
    assert.ok(Math.abs(summary.losses.kd - once) > 1e-3 * once);

    await assert.rejects(tinyRun(folder, { text: text.replace("two/student", "three") }), {
      name: "UserError",
      message: /tiny\.yaml:\d+:\d+: Cannot read the tensors ".*three" as there is no such file or folder$/,
    });
    await assert.rejects(tinyRun(folder, { text: text.replace("width: 6, weights", "widht: 6, weights") }), {
      name: "UserError",
      message: /Unknown key "widht" in teacher\.others\[0\] .*: did you mean "width"\?/,
    });
  });
});
