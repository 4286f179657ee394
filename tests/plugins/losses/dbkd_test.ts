import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Batch, HostTensor } from "../../../core/plugin/dataset.ts";
import type { LossSetup, PrepareCall } from "../../../core/plugin/loss.ts";
import type { ForwardCall, Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { upload } from "../../../core/plugin/batch.ts";
import { dbkd } from "../../../plugins/losses/dbkd.ts";
import { decisionShares, logitsOfDecisions } from "../../../plugins/losses/decision_logits.ts";
import { withNoise } from "../../../plugins/losses/input_noise.ts";
import golden from "../../golden/decisions.json" with { type: "json" };
import { float64, testBackends } from "../../support/backends.ts";
import { textData } from "../../support/inputs.ts";
import { buildLoss, lossCall, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

Deno.test("shares of decisions under noise are SciPy's orthant probabilities", () => {
  for (const { logits, shares } of golden.shares) assertClose(decisionShares(logits), shares, 1e-6);
});

Deno.test("estimated logits are those of the published iteration, and a root where there is one", () => {
  for (const { counts, logits } of golden.estimates) {
    const sum = counts.reduce((total, count) => total + count);
    const shares = counts.map((count) => count / sum);
    const found = logitsOfDecisions(shares);
    assertClose(found, logits, 1e-5, `of ${counts}`);
    const order = (numbers: readonly number[]) =>
      numbers.map((own) => numbers.filter((other) => other < own - 1e-9).length);
    assert.deepEqual(order(found), order(counts), "as often, as large");
    if (!counts.includes(0)) assertClose(decisionShares(found), shares, 2e-3, `shares of ${counts}`);
  }
});

Deno.test("noise leaves tokens out or swaps them, and marks and padding stay what they are", () => {
  const [size, length] = [200, 12];
  const row = [2, 10, 11, 12, 3, 13, 14, 15, 16, 3, 0, 0];
  const data = (values: readonly number[]): HostTensor => ({
    data: Float32Array.from({ length: size * length }, (_, at) => values[at % length]),
    shape: [size, length],
  });
  const batch: Batch<HostTensor> = {
    tokens: data(row),
    types: data([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]),
    mask: data([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
    label: { data: new Float32Array(size), shape: [size] },
  };
  const indices = Uint32Array.from({ length: size }, (_, index) => index);
  const before = [...batch.tokens.data];
  const noisy = (copy: number) =>
    withNoise(batch, indices, { amount: 0.2, copy, randomOf: (example) => new Random(5).split(example) });
  const rows = ({ data }: HostTensor) =>
    Array.from({ length: size }, (_, at) => [...data.subarray(at * length, (at + 1) * length)]);
  const words = row.slice(1, -3).filter((token) => token !== 3);
  let changed = 0;
  for (const own of rows(noisy(1).tokens)) {
    assert.deepEqual([own[0], own[4], own[9], own[10], own[11]], [2, 3, 3, 0, 0]);
    assert.deepEqual(own.filter((token) => token > 3).sort(), words.toSorted(), "swapped, none gone");
    changed += Number(own.some((token, at) => token !== row[at]));
  }
  assert.ok(changed > 0.95 * size, `a pair at least, which the next one may undo: ${changed}`);
  const { tokens, mask, types } = noisy(2);
  let left = 0;
  for (const [index, own] of rows(tokens).entries()) {
    const count = rows(mask)[index].filter((one) => one === 1).length;
    const kept = own.slice(0, count);
    assert.deepEqual([kept[0], kept.at(-1), kept.filter((token) => token === 3).length], [2, 3, 2]);
    assert.deepEqual(own.slice(count), Array(length - count).fill(0));
    assert.ok(kept.some((token) => token > 3), "one stays");
    const second = kept.map((_, at) => at).filter((at) => rows(types)[index][at] === 1).map((at) => kept[at]);
    assert.ok(second.every((token) => token === 3 || token >= 13), "segments move along");
    left += words.length - kept.filter((token) => token > 3).length;
  }
  const share = left / (size * words.length);
  assert.ok(share > 0.15 && share < 0.24, `a mean share of 0.2, at most a half: ${share}`);
  assert.deepEqual([...batch.tokens.data], before, "the batch itself is as before");
  const image = { image: { data: new Float32Array(1200), shape: [3, 20, 20, 1] } };
  const noise = withNoise(image, Uint32Array.of(0, 1, 2), { amount: 0.5, copy: 1, randomOf: (i) => new Random(i) });
  const deviation = Math.sqrt(noise.image.data.reduce((sum, x) => sum + x * x, 0) / 1200);
  assert.ok(deviation > 0.45 && deviation < 0.55, `deviation ${deviation}`);
});

/** A teacher that decides for class 1 where a text has token 5, else for 0, and hides its logits. */
function hiding(ops: Ops, seen: Batch<unknown>[]): Model {
  return {
    parameters: [],
    config: {},
    fromForeign: () => null,
    forward({ batch }: ForwardCall) {
      seen.push(batch);
      const five = ops.complement(ops.minimum(ops.square(ops.offset(batch.tokens, -5)), ops.scalar(1)));
      const has = ops.minimum(ops.sum(five, { axes: [1], keepDimensions: true }), ops.scalar(1));
      return { logits: ops.concat([ops.full(has.shape, 0.5), has], { axis: 1 }) } as unknown as ModelOutputs;
    },
  };
}

const TEXTS = [[1, 5, 6, 7, 2], [1, 8, 6, 7, 2], [1, 5, 5, 5, 2]];

/** The loss, prepared by a teacher that is asked, or by decisions of a file. */
async function prepared(
  ops: Ops,
  options: object,
  setup: Partial<LossSetup> = {},
  others: Partial<PrepareCall> = {},
  batches: readonly number[][] = [[0, 1, 2]],
) {
  const seen: Batch<unknown>[] = [];
  const lines: string[] = [];
  const given = outputs(ops.full([3, 2], 0));
  const loss = await buildLoss(ops, dbkd, { ...options }, { student: given, teacher: given }, {
    data: textData(["a", "b"]),
    teacher: hiding(ops, seen),
    trainingExamples: 3,
    report: (line) => void lines.push(line),
    ...setup,
  });
  const host = (of: readonly number[]) => {
    const fill = (value: (token: number) => number): HostTensor => ({
      data: Float32Array.from(of.flatMap((text) => TEXTS[text].map(value))),
      shape: [of.length, 5],
    });
    return { tokens: fill((token) => token), types: fill(() => 0), mask: fill(() => 1) };
  };
  await loss.prepare!({
    ops,
    labels: null,
    overTrainingSet: () => assert.fail("a teacher that hides its logits is not asked for them"),
    async *overTrainingBatches(compute, change) {
      const weights = weightsFrom(new Map());
      for (const of of batches) {
        const indices = Uint32Array.from(of);
        const batch = upload(ops, change ? change(host(of), indices) : host(of));
        const numbers = compute({ ops, weights, batch, training: false, randomSeed: () => 0 });
        yield { indices, shape: numbers.shape, data: await numbers.read() };
      }
    },
    teacherWeights: weightsFrom(new Map()),
    state: weightsFrom(new Map()),
    random: new Random(3),
    ...others,
  });
  const { estimates } = loss.inputs!({ indices: Uint32Array.of(0, 1, 2), random: new Random(4) });
  return { loss, estimates, seen, lines };
}

testBackends("dbkd asks as often as it says and estimates logits from the classes alone", async (backend) => {
  const ops = createOps(backend);
  const { loss, estimates, seen, lines } = await prepared(ops, { queries: 40, noise: 0.4 });
  assert.equal(seen.length, 40);
  assert.deepEqual(loss.teacherOutputs, [], "its logits are never read");
  const rows = [0, 1, 2].map((row) => [...estimates.data.subarray(2 * row, 2 * row + 2)]);
  // The token of the first text is sometimes left out; the second never has it, the third keeps one of three.
  assert.ok(rows[0][1] > rows[0][0], `${rows}`);
  assert.ok(rows[0][1] - rows[0][0] < rows[2][1] - rows[2][0], "a decision that noise overturns is less sure");
  const unanimous = logitsOfDecisions([1, 0]);
  assertClose(rows[1], unanimous, 1e-6, "never the other class");
  assert.deepEqual(lines, [
    "dbkd: the decisions on 66.7 % of 3 examples are all alike, which have the same estimate",
  ]);
  const again = await prepared(ops, { queries: 40, noise: 0.4 }, {}, {}, [[2], [0, 1]]);
  assert.deepEqual(again.estimates, estimates, "the same in every run, whatever the batches");
}, [float64]);

testBackends("dbkd is T^2 KL(softmax(s z / T) || softmax(z_S / T)) of decisions in a file", async (backend) => {
  const ops = createOps(backend);
  const shares = [[0.7, 0.3], [1, 0], [0.5, 0.5]];
  const logarithms = Float32Array.from(shares.flat(), (share) => Math.log(Math.max(share, 1e-6)));
  const teacher: Model = { ...hiding(ops, []), gives: ["logits"], decisions: true };
  const { loss, estimates } = await prepared(ops, { temperature: 2, scale: 1.5 }, { teacher }, {
    overTrainingSet: () => Promise.resolve(logarithms),
    overTrainingBatches: () => assert.fail("a file is not asked"),
  });
  const expected = shares.flatMap((own) => logitsOfDecisions(own).map((z) => 1.5 * z));
  assertClose(estimates.data, expected, 1e-4);
  const student = [0.2, -0.4, 1, 0.3, -0.2, 0.1];
  const z = ops.tensor(student, [3, 2]);
  const call = lossCall(ops, outputs(z), outputs(z), { batch: upload(ops, { estimates }) });
  const softmax = (row: readonly number[]) => {
    const parts = row.map((x) => Math.exp(x / 2));
    return parts.map((x) => x / parts.reduce((a, b) => a + b));
  };
  const divergence = [0, 1, 2].map((row) => {
    const [p, q] = [expected, student].map((all) => softmax(all.slice(2 * row, 2 * row + 2)));
    return p.reduce((sum, own, c) => sum + own * Math.log(own / q[c]), 0);
  });
  assertClose(await loss.compute(call).read(), [4 * divergence.reduce((a, b) => a + b) / 3], 1e-4);
});

testBackends("dbkd refuses teachers that cannot be asked, and tasks without one class", async (backend) => {
  const ops = createOps(backend);
  await assert.rejects(prepared(ops, {}, { teacher: null }), {
    message: 'Cannot use the loss "dbkd" without a teacher',
  });
  await assert.rejects(prepared(ops, {}, { teacher: { ...hiding(ops, []), gives: ["logits"] } }), {
    message: 'Cannot use the loss "dbkd" with a teacher that is a file of outputs and not of decisions: it cannot be ' +
      "asked again; use kd, or a file with values: decisions",
  });
  await assert.rejects(prepared(ops, {}, { data: textData(["a", "b"], {}, "tagging") }), {
    message: 'Cannot use the loss "dbkd" for tagging: it asks for one class of each example',
  });
}, [float64]);
