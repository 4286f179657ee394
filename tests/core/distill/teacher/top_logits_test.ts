import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../../core/deno/install.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { cachedOutputs, type CacheSetup, writeShard } from "../../../../core/distill/teacher/output_cache.ts";
import { restBound } from "../../../../core/distill/teacher/rest_bound.ts";
import { condensing } from "../../../../core/distill/teacher/top_logits.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { gen } from "../../../golden/golden.ts";
import golden from "../../../golden/top_logits.json" with { type: "json" };
import { outputs } from "../../../support/losses.ts";
import { assertClose } from "../../../support/numbers.ts";

/** What is kept of one output `logits`. */
function kept(rows: readonly (readonly number[])[], count: number, temperatures: readonly number[]) {
  const classes = rows[0].length;
  const { numbers } = condensing({ count, classes, temperatures });
  return numbers(new Map([["logits", { shape: [rows.length, classes], data: Float32Array.from(rows.flat()) }]]));
}

Deno.test("the largest logits are kept in the order of their classes, of equal ones the first", () => {
  const largest = kept([[3, 1, 5, 5, -2], [0, 0, 0, 0, 0], [-1, 7, 2, 2, 2]], 3, [2]);
  const numbersOf = (name: string) => [...largest.get(name)!.data];
  assert.deepEqual(numbersOf("topLogits.classes"), [0, 2, 3, 0, 1, 2, 1, 2, 3]);
  assert.deepEqual(numbersOf("topLogits.values"), [3, 5, 5, 0, 0, 0, 7, 2, 2]);
  const expected = [[1, -2], [0, 0], [-1, 2]].map((others) =>
    Math.log(others.reduce((sum, logit) => sum + Math.exp(logit / 2), 0))
  );
  assertClose(numbersOf("topLogits.rest.2"), expected, 1e-7);
  assert.deepEqual([...largest].map(([name, { shape }]) => [name, shape]), [
    ["topLogits.classes", [3, 3]],
    ["topLogits.values", [3, 3]],
    ["topLogits.rest.2", [3]],
  ]);
});

Deno.test("classes are kept in two bytes each, or in four where there are more of them", () => {
  const layouts = (classes: number, found = classes) =>
    condensing({ count: 2, classes, temperatures: [1] }).layouts(
      new Map([["logits", { extents: ["tokens", found], shared: false }], ["pooled", { extents: [7], shared: false }]]),
    );
  assert.equal(layouts(2 ** 16).get("topLogits.classes")!.Numbers, Uint16Array);
  assert.equal(layouts(2 ** 16 + 1).get("topLogits.classes")!.Numbers, Uint32Array);
  assert.deepEqual([...layouts(9)].map(([name, { extents }]) => [name, extents]), [
    ["topLogits.classes", ["tokens", 2]],
    ["topLogits.values", ["tokens", 2]],
    ["topLogits.rest.1", ["tokens"]],
    ["pooled", [7]],
  ]);
  assert.throws(() => layouts(9, 8), {
    name: "UserError",
    message: "Cannot keep the largest of 8 logits of the teacher: expected 9, one for each class",
  });
});

Deno.test("logits that are not finite are refused, wherever they stand", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const place of [0, 1, 2]) {
      assert.throws(() => kept([[1, 2, 3], [1, 2, 3].with(place, bad)], 1, [1]), {
        name: "UserError",
        message: "Cannot keep the largest of the teacher's logits as some of them are not finite numbers",
      });
    }
  }
});

Deno.test("what is lost by the largest logits alone is PyTorch's, and within its bound", () => {
  const [classes, count] = [11, 4];
  const rows = Array.from(
    { length: 5 },
    (_, row) => [...gen([55], 71).map((x) => 3 * x)].slice(11 * row, 11 * row + 11),
  );
  const stored = new Map(
    [...kept(rows, count, [1, 4])].map(([name, { shape, data }]) => [name, {
      data: data as Float32Array,
      extents: shape.slice(1),
      shared: false,
    }]),
  );
  assert.deepEqual([...stored.get("topLogits.classes")!.data], golden.classes);
  for (const temperature of [1, 4] as const) {
    const bound = restBound(stored, { count, classes, temperatures: [1, 4] }, temperature, null);
    const { mean, most, constant, slope, range, kd, whole, ...of } = golden.at[temperature];
    assertClose([bound.mean, bound.most, bound.constant, bound.slope], [mean, most, constant, slope], 1e-6);
    assertClose([bound.jensenShannon], [of.jensenShannonBound], 1e-6);
    const lost = whole.value - kd.value;
    assert.ok(lost > 0.1 && lost < bound.constant + bound.slope * range, `${lost} of ${JSON.stringify(bound)}`);
    const less = of.wholeJensenShannon.value - of.jensenShannon.value;
    assert.ok(less > 0.003 && less < bound.jensenShannon, `${less} of ${bound.jensenShannon}`);
  }
});

Deno.test("no student loses more of the Jensen-Shannon divergence than is told, and some lose nearly as much", () => {
  const [classes, count] = [6, 2];
  const softmax = (logits: readonly number[], t: number) => {
    const highest = Math.max(...logits), powers = logits.map((logit) => Math.exp((logit - highest) / t));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  };
  const js = (p: readonly number[], q: readonly number[]) => {
    const kl = (a: number, m: number) => a === 0 ? 0 : a * Math.log(a / m);
    return p.reduce((sum, x, at) => sum + (kl(x, (x + q[at]) / 2) + kl(q[at], (x + q[at]) / 2)) / 2, 0);
  };
  let nearest = 0;
  for (let trial = 0; trial < 3000; trial++) {
    const of = (seed: number, scale: number) => [...gen([classes], seed)].map((value) => Math.fround(scale * value));
    const t = [1, 2, 4][trial % 3];
    const teacher = of(trial, [1, 5, 20][trial % 4 % 3]), student = of(trial + 7000, [2, 10, 200][trial % 7 % 3]);
    const largest = kept([teacher], count, [t]);
    const stored = new Map(
      [...largest].map(([name, { shape, data }]) => [name, {
        data: data as Float32Array,
        extents: shape.slice(1),
        shared: false,
      }]),
    );
    const chosen = [...largest.get("topLogits.classes")!.data];
    const [p, q] = [softmax(teacher, t), softmax(student, t)];
    const coarse = (shares: readonly number[]) => [
      ...chosen.map((c) => shares[c]),
      shares.reduce((sum, share, c) => chosen.includes(c) ? sum : sum + share, 0),
    ];
    const lost = t * t * (js(p, q) - js(coarse(p), coarse(q)));
    const bound = restBound(stored, { count, classes, temperatures: [t] }, t, null).jensenShannon;
    assert.ok(lost > -1e-12 && lost <= bound * (1 + 1e-5) + 1e-12, `${trial}: ${lost} of ${bound}`);
    if (bound > 1e-3) nearest = Math.max(nearest, lost / bound);
  }
  assert.ok(nearest > 0.99, `${nearest}`);
});

Deno.test("of a thousand classes a tenth of the bytes is kept, the same in parts as in one file", async () => {
  const [classes, count, examples] = [1000, 64, 30];
  const lines: string[] = [];
  const folders = await Promise.all([1, 2].map(() => Deno.makeTempDir()));
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const logits = gen([examples, classes], 75).map((value) => 5 * value);
  const setup = (folder: string): CacheSetup => ({
    folder,
    teacher: {
      model: {
        parameters: [],
        config: {},
        fromForeign: () => null,
        forward: ({ batch }) => outputs(batch.logits),
      },
      weights: weightsFrom(new Map()),
    },
    wanted: new Set(["topLogits"]),
    train: {
      length: examples,
      labels: null,
      batch: (indices) => {
        const rows = [...indices].flatMap((
          example,
        ) => [...logits.subarray(example * classes, (example + 1) * classes)]);
        return { logits: { data: Float32Array.from(rows), shape: [indices.length, classes] } };
      },
    },
    batchSize: 7,
    origin: "test",
    topLogits: { count, classes, temperatures: [2, 4] },
    report: () => {},
  });
  try {
    const whole = await cachedOutputs(ops, setup(folders[0]));
    for (const index of [3, 1, 2]) await writeShard(ops, setup(folders[1]), { index, of: 3 });
    const parts = await cachedOutputs(ops, setup(folders[1]));
    assert.deepEqual(parts.outputs, whole.outputs);
    assert.deepEqual([...whole.outputs].map(([name, { data }]) => [name, data.constructor.name, data.length]), [
      ["topLogits.classes", "Uint16Array", count * examples],
      ["topLogits.values", "Float32Array", count * examples],
      ["topLogits.rest.2", "Float32Array", examples],
      ["topLogits.rest.4", "Float32Array", examples],
    ]);
    const [{ name }] = await Array.fromAsync(Deno.readDir(folders[0]));
    const { size } = await Deno.stat(join(folders[0], name));
    assert.ok(size > examples * 392 && size < examples * 392 + 2000, `${size} bytes`);
    assert.deepEqual((await cachedOutputs(ops, setup(folders[0]))).outputs, whole.outputs, "read again");
    // The same bytes as other numbers.
    const bytes = await Deno.readFile(join(folders[0], name));
    const [length, place] = [new DataView(bytes.buffer).getUint32(0, true), '"topLogits.values":{"dtype":"'.length];
    const at = new TextDecoder().decode(bytes.subarray(8, 8 + length)).indexOf('"topLogits.values"') + 8 + place;
    assert.equal(bytes[at], "F".charCodeAt(0));
    await Deno.writeFile(join(folders[0], name), bytes.with(at, "U".charCodeAt(0)));
    const again = await cachedOutputs(ops, { ...setup(folders[0]), report: (line) => lines.push(line) });
    assert.deepEqual(again.outputs, whole.outputs);
    assert.match(lines[0], /is damaged and not used/);
  } finally {
    await backend.close();
    await Promise.all(folders.map((folder) => Deno.remove(folder, { recursive: true })));
  }
});
