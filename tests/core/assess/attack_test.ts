import assert from "node:assert/strict";
import type { AttackOptions } from "../../../core/assess/robustness/attack.ts";
import { attack } from "../../../core/assess/robustness/attack.ts";
import { fastGradient, type Norm, projectedDescent } from "../../../core/assess/robustness/attack_batch.ts";
import { spaceOf } from "../../../core/assess/robustness/space.ts";
import { startsOf } from "../../../core/assess/robustness/starts.ts";
import { firstIndices } from "../../../core/data/loader.ts";
import { Random } from "../../../core/data/random.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Examples, InputDescription } from "../../../core/plugin/dataset.ts";
import { cpu, testBackends } from "../../support/backends.ts";
import { imageExamples, madeUpModel, madeUpSubject, SMALL_IMAGES, smallNetwork } from "../../support/subjects.ts";

const OPTIONS: AttackOptions = {
  norm: "linf",
  eps: [0.02, 0.05, 0.1],
  steps: 6,
  restarts: 2,
  seed: 4,
  batchSize: 10,
};

/** Two classes of grey images whose margin is w x + b, pixels far from 0 and 1. */
function linear(ops: Ops, factor = 1) {
  const random = new Random(2);
  const weights = Float32Array.from({ length: 2 * 16 }, () => factor * random.normal());
  const input: InputDescription = {
    ...{ task: "classification", classes: ["no", "yes"], text: null },
    image: { size: [4, 4, 1], normalise: { mean: [0.4], std: [0.25] } },
  };
  const model = madeUpModel(
    { weight: [2, 16], bias: [2] },
    ({ ops, weights, batch }) =>
      ops.linear(ops.reshape(batch.image, [batch.image.shape[0], 16]), weights.get("weight"), weights.get("bias")),
  );
  const pixels = Array.from({ length: 5 }, () => Float32Array.from({ length: 16 }, () => 0.4 + 0.2 * random.uniform()));
  const numbers = new Map([["weight", weights], ["bias", Float32Array.of(0.1, -0.2)]]);
  const examples = imageExamples(pixels, [0, 1, 1, 0, 1], input.image!);
  const difference = Array.from({ length: 16 }, (_, at) => (weights[at] - weights[16 + at]) / 0.25);
  return { subject: madeUpSubject(ops, "linear", model, numbers, input, examples), difference };
}

for (const factor of [1, 200]) {
  testBackends(`a linear binary model's margin falls by eps times the dual norm, factor ${factor}`, async (backend) => {
    const ops = createOps(backend);
    const { subject, difference } = linear(ops, factor);
    const open = await spaceOf(ops, subject);
    const host = subject.examples.batch(firstIndices(5));
    const norms: [Norm, number][] = [
      ["linf", difference.reduce((sum, weight) => sum + Math.abs(weight), 0)],
      ["l2", Math.hypot(...difference)],
    ];
    for (const [norm, dual] of norms) {
      const space = ops.scope(() => open(ops, host));
      const found = fastGradient(ops, space, norm, [0, 0.03, 0.06]);
      const [clean, ...attacked] = await ops.read(found.map(({ margin }) => margin));
      const pgd = await projectedDescent(ops, space, { norm, eps: 0.06, steps: 5, starts: [null] });
      const [least] = await ops.read([pgd.margin]);
      clean.forEach((margin, row) => {
        const fall = (to: number) => (margin - to) / dual;
        assert.ok(Math.abs(fall(attacked[0][row]) - 0.03) < 1e-5, `${fall(attacked[0][row])}`);
        assert.ok(Math.abs(fall(attacked[1][row]) - 0.06) < 1e-5, `${fall(attacked[1][row])}`);
        // The first step of 2.5 eps / 5 goes on to the bound, where it stays.
        assert.ok(Math.abs(fall(least[row]) - 0.06) < 1e-5, `${fall(least[row])}`);
      });
      for (const { change, margin, decided } of [...found, pgd]) {
        [change, margin, decided].forEach((tensor) => tensor.dispose());
      }
      space.held.forEach((tensor) => tensor.dispose());
    }
    subject[Symbol.dispose]();
    assert.equal(backend.memory().bytes, 0);
  });
}

testBackends(
  "an attack with a bound of 0 changes nothing, and a larger bound never does less harm",
  async (backend) => {
    const ops = createOps(backend);
    using subject = smallNetwork(ops, 1);
    const before = backend.memory().bytes;
    for (const norm of ["linf", "l2"] as const) {
      const eps = norm === "linf" ? [0, ...OPTIONS.eps] : [0, 0.1, 0.4, 0.8];
      const { labels, clean, attacked } = await attack(ops, subject, firstIndices(24), { ...OPTIONS, norm, eps });
      assert.deepEqual([attacked[0].fgsm, attacked[0].pgd], [clean, clean]);
      const right = attacked.map(({ fgsm, pgd }) => [fgsm, pgd].map((own) => own.map((d, at) => +(d === labels[at]))));
      for (const [level, [fgsm, pgd]] of right.entries()) {
        pgd.forEach((isRight, at) => {
          assert.ok(isRight <= fgsm[at] && isRight <= +(clean[at] === labels[at]), `${norm} ${level} ${at}`);
          if (level > 0) assert.ok(isRight <= right[level - 1][1][at]);
        });
      }
      const count = (own: Int32Array) => own.filter((isRight) => isRight === 1).length;
      assert.ok(count(right.at(-1)![1]) < count(right[0][1]), "the attacks find something");
    }
    assert.equal(backend.memory().bytes, before);
  },
);

Deno.test("descent stays within its bound and within valid pixels, and is better than one step", async () => {
  const backend = await cpu.open();
  const ops = createOps(backend);
  const subject = smallNetwork(ops, 7);
  const open = await spaceOf(ops, subject);
  const host = subject.examples.batch(firstIndices(24));
  const space = ops.scope(() => open(ops, host));
  const { mean, std } = SMALL_IMAGES.image!.normalise;
  const start = Float32Array.from({ length: 24 * 32 }, (_, at) => Math.sin(at));
  for (const [norm, eps] of [["linf", 0.2], ["l2", 0.7]] as const) {
    const [step] = fastGradient(ops, space, norm, [eps]);
    const found = await projectedDescent(ops, space, { norm, eps, steps: 15, starts: [null, start] });
    const [change, margin, one] = await ops.read([found.change, found.margin, step.margin]);
    let better = 0;
    for (let row = 0; row < 24; row++) {
      const own = change.subarray(row * 32, (row + 1) * 32);
      const size = norm === "linf" ? Math.max(...own.map(Math.abs)) : Math.hypot(...own);
      assert.ok(size <= eps * (1 + 1e-6), `${size}`);
      own.forEach((value, at) => {
        const pixel = host.image.data[row * 32 + at] * std[at % 2] + mean[at % 2] + value;
        assert.ok(pixel > -1e-6 && pixel < 1 + 1e-6, `${pixel}`);
      });
      if (margin[row] < one[row]) better++;
    }
    assert.ok(better > 12, `${better}`);
  }
  await backend.close();
});

Deno.test("equal seeds give equal attacks, in batches of any size", async () => {
  const backend = await cpu.open();
  const ops = createOps(backend);
  const subject = smallNetwork(ops, 3, 40);
  const teacher = smallNetwork(ops, 5, 40);
  const run = (changed: Partial<AttackOptions>) =>
    attack(ops, subject, firstIndices(40), { ...OPTIONS, steps: 1, restarts: 3, ...changed });
  assert.deepEqual(await run({ batchSize: 7 }), await run({ batchSize: 40 }));
  assert.deepEqual(await run({ teacher }), await run({ teacher }));
  const { attacked: [{ taught }] } = await run({ teacher: subject, eps: [0.05] });
  assert.deepEqual(
    taught,
    (await run({ eps: [0.05] })).attacked[0].pgd,
    "a teacher that is the model decides the same",
  );
  await backend.close();
});

Deno.test("a descent starts at places of the example's own within the bound, by the seed", () => {
  for (const [norm, eps] of [["linf", 0.1], ["l2", 0.7]] as const) {
    const starts = (seed: number, ...batch: number[]) =>
      startsOf({ seed, restarts: 3, norm }, [batch.length, 5, 2], Uint32Array.from(batch), eps);
    const [none, second, third] = starts(1, 7, 3);
    assert.equal(none, null);
    assert.deepEqual(starts(1, 3)[1], second!.subarray(10), "whatever the others are");
    assert.notDeepEqual(second, third);
    assert.notDeepEqual(second, starts(2, 7, 3)[1]);
    for (const own of [second!.subarray(0, 10), third!.subarray(10)]) {
      const size = norm === "linf" ? Math.max(...own.map(Math.abs)) : Math.hypot(...own);
      assert.ok(size <= eps * (1 + 1e-6) && size > 0.2 * eps, `${size}`);
    }
  }
});

Deno.test("what one step to the bound breaks counts as broken where small steps end in a valley before it", async () => {
  const backend = await cpu.open();
  const ops = createOps(backend);
  const input: InputDescription = {
    ...{ task: "classification", classes: ["a", "b"], text: null },
    image: { size: [1, 1, 1], normalise: { mean: [0], std: [1] } },
  };
  // From pixel to margin: 1 at 0.5, a valley of 0.5 at 0.6, a hill of 1.5 at 0.8, and below 0 from 0.86 on.
  const model = madeUpModel({}, ({ ops, batch: { image } }) => {
    const pixel = ops.reshape(image, [image.shape[0], 1]);
    const bend = (from: number, slope: number) => ops.scale(ops.relu(ops.offset(pixel, -from)), slope);
    const margin = ops.offset(ops.total([bend(0.5, -5), bend(0.6, 10), bend(0.8, -30)]), 1);
    return ops.concat([margin, ops.scale(margin, 0)], { axis: 1 });
  });
  const examples = imageExamples([Float32Array.of(0.51)], [0], input.image!);
  using subject = madeUpSubject(ops, "valley", model, new Map(), input, examples);
  const { attacked } = await attack(ops, subject, firstIndices(1), {
    ...OPTIONS,
    eps: [0.3, 0.4],
    steps: 20,
    restarts: 1,
  });
  assert.deepEqual(attacked.map(({ fgsm, pgd }) => [fgsm[0], pgd[0]]), [[0, 0], [1, 1]]);
  await backend.close();
});

testBackends("texts are attacked in their word vectors, padding left alone, whatever the model", async (backend) => {
  const ops = createOps(backend);
  const random = new Random(6);
  const input: InputDescription = {
    ...{ task: "classification", classes: ["a", "b"], image: null },
    text: { vocabulary: 12, maxLength: 5, padding: 0, files: {} },
  };
  const examples: Examples = {
    length: 3,
    labels: Int32Array.of(0, 1, 1),
    batch: (indices) => {
      const of = (rows: number[][]) => {
        return { data: Float32Array.from(Array.from(indices).flatMap((i) => rows[i])), shape: [indices.length, 4] };
      };
      return {
        tokens: of([[1, 5, 7, 2], [1, 4, 2, 0], [1, 9, 9, 2]]),
        types: of([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
        mask: of([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]]),
        label: { data: Float32Array.from(indices, (i) => [0, 1, 1][i]), shape: [indices.length] },
      };
    },
  };
  const table = Float32Array.from({ length: 12 * 3 }, () => random.normal());
  const weight = Float32Array.from({ length: 2 * 3 }, () => random.normal());
  const model = madeUpModel({ words: [12, 3], weight: [2, 3] }, ({ ops, weights, batch }) => {
    const vectors = ops.embedding(weights.rows("words"), batch.tokens);
    return ops.linear(ops.reshape(ops.sum(vectors, { axes: [1] }), [batch.tokens.shape[0], 3]), weights.get("weight"));
  });
  const numbers = new Map([["words", table], ["weight", weight]]);
  const subject = madeUpSubject(ops, "words", model, numbers, input, examples);
  const unit = Math.sqrt(table.reduce((sum, value) => sum + value * value, 0) / table.length);
  const open = await spaceOf(ops, subject);
  const space = ops.scope(() => open(ops, examples.batch(firstIndices(3))));
  const found = fastGradient(ops, space, "linf", [0, 0.1]);
  const [clean, attacked, change] = await ops.read([found[0].margin, found[1].margin, found[1].change]);
  const dual = [0, 1, 2].reduce((sum, at) => sum + Math.abs(weight[at] - weight[3 + at]), 0);
  [4, 3, 4].forEach((tokens, row) => {
    const fall = (clean[row] - attacked[row]) / (unit * tokens * dual);
    assert.ok(Math.abs(fall - 0.1) < 1e-5, `${fall}`);
  });
  // The last token of the second text is padding.
  assert.deepEqual(Array.from(change.subarray(21, 24), Math.abs), [0, 0, 0]);
  const { labels, attacked: [none] } = await attack(ops, subject, firstIndices(3), { ...OPTIONS, eps: [0] });
  assert.deepEqual(labels, Int32Array.of(0, 1, 1));
  assert.deepEqual(none.pgd, none.fgsm);
  await assert.rejects(
    spaceOf(ops, { ...subject, model: madeUpModel({}, ({ batch }) => batch.tokens) }),
    /^UserError: Cannot attack "words" in its word vectors: the model looks its tokens up 0 times, /,
  );
  await assert.rejects(
    spaceOf(ops, { ...subject, differentiable: false }),
    /^UserError: Cannot attack "words" as another library computes it, so that there are no gradients: /,
  );
});
