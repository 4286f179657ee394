import assert from "node:assert/strict";
import { mapOutputs } from "../../../core/plugin/output_tree.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { AttentionVectors, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { minilm } from "../../../plugins/losses/minilm.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue, setupOf } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const all = [float64, ...backends];
const [batch, length] = [2, 3];
const kinds = ["queries", "keys", "values"] as const;
const only = (kind: typeof kinds[number]) => Object.fromEntries(kinds.map((other) => [other, other === kind ? 1 : 0]));

/** A model whose last layer has so many heads of such a width; each kind of vector differs, and layer 0 is nothing. */
function model(ops: Ops, heads: number, width: number, seed: number, given?: Tensor): ModelOutputs {
  const shape = [batch, heads, length, width];
  const of = (seed: number) => ops.tensor(gen(shape, seed), shape);
  const layer: AttentionVectors = { queries: given ?? of(seed), keys: of(seed + 1), values: of(seed + 2) };
  const zero = ops.full(shape, 0);
  return outputs(zero, { relations: [{ queries: zero, keys: zero, values: zero }, layer] });
}

/** Row t of a relation head by the equation: softmax over the kept keys of the dot products over sqrt(d). */
function relation(x: Float64Array, heads: number, width: number, relationHeads: number, mask: readonly number[]) {
  const total = heads * width;
  const d = total / relationHeads;
  // Component c of a token's joined heads.
  const at = (b: number, t: number, c: number) =>
    x[((b * heads + Math.floor(c / width)) * length + t) * width + c % width];
  return (b: number, head: number, t: number) => {
    const scores = Array.from({ length }, (_, s) => {
      let dot = 0;
      for (let c = head * d; c < (head + 1) * d; c++) dot += at(b, t, c) * at(b, s, c);
      return mask[b * length + s] ? Math.exp(dot / Math.sqrt(d)) : 0;
    });
    const sum = scores.reduce((a, b) => a + b);
    return scores.map((score) => score / sum);
  };
}

/** The mean over relation heads and kept tokens of KL(teacher || student). */
function byDefinition(
  student: ReturnType<typeof relation>,
  teacher: typeof student,
  heads: number,
  mask: readonly number[],
) {
  let sum = 0;
  mask.forEach((kept, token) => {
    for (let head = 0; kept && head < heads; head++) {
      const [p, q] = [teacher, student].map((of) => of(Math.floor(token / length), head, token % length));
      p.forEach((x, s) => sum += x === 0 ? 0 : x * Math.log(x / q[s]));
    }
  });
  return sum / (heads * mask.filter((kept) => kept).length);
}

const padded = [1, 1, 0, 1, 1, 1];
const maskOf = (mask: readonly number[]) => ({ batch: { mask: { data: mask, shape: [batch, length] } } });

testBackends("minilm is the equation for unequal heads and widths, each kind of relation alone", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  // 3 heads of 4 against 2 heads of 9: 12 and 18 wide, 6 relation heads of 2 and 3.
  const models = { student: model(ops, 3, 4, 3), teacher: model(ops, 2, 9, 6) };
  for (const [index, kind] of kinds.entries()) {
    for (const mask of [padded, [1, 1, 1, 1, 1, 1]]) {
      const student = relation(gen([batch, 3, length, 4], 3 + index), 3, 4, 6, mask);
      const teacher = relation(gen([batch, 2, length, 9], 6 + index), 2, 9, 6, mask);
      const value = await lossValue(ops, minilm, { ...only(kind), heads: 6 }, models, maskOf(mask));
      assertClose([value], [byDefinition(student, teacher, 6, mask)], tolerance, `${kind}, mask ${mask}`);
    }
  }
}, all);

testBackends(
  "minilm adds the three kinds up, and takes the most relation heads up to 48 by default",
  async (backend) => {
    const ops = createOps(backend);
    const { setup, lines } = setupOf(3);
    const models = { student: model(ops, 3, 4, 3), teacher: model(ops, 2, 9, 6) };
    const sum = await lossValue(ops, minilm, {}, models, { setup });
    const parts = await Promise.all(kinds.map((kind) => lossValue(ops, minilm, { ...only(kind), heads: 6 }, models)));
    assertClose([sum], [parts.reduce((a, b) => a + b)], 1e-12);
    assert.deepEqual(lines, ["minilm: student's layer 1 with the teacher's 1, 6 relation heads"]);
    const wide = { student: model(ops, 2, 48, 3), teacher: model(ops, 4, 36, 6) };
    await lossValue(ops, minilm, {}, wide, { setup });
    assert.equal(lines[1], "minilm: student's layer 1 with the teacher's 1, 48 relation heads");
  },
  [float64],
);

testBackends(
  "minilm is zero for equal vectors however their heads are divided, and without a mask",
  async (backend) => {
    const ops = createOps(backend);
    const student = model(ops, 3, 4, 3);
    // The same 12 numbers of each token in 6 heads of 2.
    const divided = (x: Tensor) => {
      const tokens = ops.reshape(ops.permute(x, [0, 2, 1, 3]), [batch, length, 6, 2]);
      return ops.permute(tokens, [0, 2, 1, 3]);
    };
    const layer = student.relations![1];
    const teacher = outputs(student.logits, {
      relations: [{ queries: divided(layer.queries), keys: divided(layer.keys), values: divided(layer.values) }],
    });
    assertClose([await lossValue(ops, minilm, {}, { student, teacher })], [0], 1e-7);
    assertClose([await lossValue(ops, minilm, { heads: 4 }, { student, teacher })], [0], 1e-7);
  },
  all,
);

testBackends("minilm: what stands at the padding changes nothing and has no gradient", async (backend) => {
  const shape = [batch, 3, length, 4];
  const quiet = gen(shape, 3);
  const loud = quiet.map((x, i) => Math.floor(i / 4) % length === 2 && i < 36 ? 30 + x : x);
  const models = (ops: Ops, x: Tensor) => ({ student: model(ops, 3, 4, 3, x), teacher: model(ops, 2, 9, 6) });
  const gradients = [];
  for (const data of [quiet, loud]) {
    gradients.push(await lossGradient(backend, minilm, { heads: 6 }, shape, data, models, maskOf(padded)));
  }
  assertClose(gradients[1], gradients[0], 1e-5);
  for (let i = 0; i < 36; i++) if (Math.floor(i / 4) % length === 2) assert.equal(Math.abs(gradients[1][i]), 0);
}, all);

testBackends("minilm: the gradient agrees with finite differences", async (backend) => {
  const shape = [batch, 3, length, 4];
  const models = (ops: Ops, x: Tensor) => ({ student: model(ops, 3, 4, 3, x), teacher: model(ops, 2, 9, 6) });
  await assertLossGradient(backend, minilm, { heads: 6 }, shape, gen(shape, 3), models, maskOf(padded));
}, [float64]);

testBackends(
  "minilm refuses heads that do not divide, layers that are not there, and other models",
  async (backend) => {
    const ops = createOps(backend);
    const models = { student: model(ops, 3, 4, 3), teacher: model(ops, 2, 9, 6) };
    await assert.rejects(lossValue(ops, minilm, { heads: 4 }, models), {
      message:
        `Cannot divide layers 12 and 18 wide into 4 relation heads in "minilm": the number must divide both widths`,
    });
    await assert.rejects(lossValue(ops, minilm, { teacher: 2 }, models), {
      message: `Cannot compare attention of the teacher's layer 2 in "minilm": it has 2 layers`,
    });
    await assert.rejects(lossValue(ops, minilm, { student: -3 }, models), {
      message: `Cannot compare attention of the student's layer -3 in "minilm": it has 2 layers`,
    });
    const plain = { ...models, teacher: outputs(ops.full([1, 3], 0)) };
    await assert.rejects(lossValue(ops, minilm, {}, plain), {
      message:
        `Cannot use the loss "minilm" as the teacher gives no queries, keys and values: both must be transformers`,
    });
    const shapes = { student: mapOutputs(models.student, ({ shape }) => shape), teacher: null };
    await assert.rejects(lossValue(ops, minilm, {}, models, { setup: { shapes } }), {
      message: `Cannot use the loss "minilm" without a teacher`,
    });
  },
  [float64],
);

testBackends("minilm refuses models of other numbers of tokens", async (backend) => {
  const ops = createOps(backend);
  const vectors = ops.full([batch, 2, length + 1, 4], 0);
  const longer = outputs(vectors, { relations: [{ queries: vectors, keys: vectors, values: vectors }] });
  await assert.rejects(lossValue(ops, minilm, {}, { student: model(ops, 2, 4, 3), teacher: longer }), {
    name: "UserError",
    message: `Cannot compare attention over the student's 3 tokens with that over the teacher's 4 in "minilm": ` +
      "the numbers must be equal",
  });
}, [float64]);

Deno.test("minilm refuses zero heads, fractions of a layer and negative weights", () => {
  assertRefusal(minilm, "heads: 0", "recipe.yaml:1:8: Expected an integer >= 1 and <= 1024 or null for heads: got 0");
  assertRefusal(
    minilm,
    "teacher: 0.5",
    "recipe.yaml:1:10: Expected an integer >= -10000 and <= 10000 for teacher: got 0.5",
  );
  assertRefusal(
    minilm,
    "keys: -1",
    "recipe.yaml:1:7: Expected a number >= 0 and <= 1000000000 or a map with from and to for keys: got -1",
  );
});
