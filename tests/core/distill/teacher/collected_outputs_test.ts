import assert from "node:assert/strict";
import { copyCommon } from "../../../../core/distill/teacher/blocks.ts";
import {
  type Collection,
  collectOutputs,
  offsetsOf,
  padOutput,
  tokensOf,
} from "../../../../core/distill/teacher/collected_outputs.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import type { Batch, Examples } from "../../../../core/plugin/dataset.ts";
import type { Tensor } from "../../../../core/tensor.ts";
import { backends, cpu, testBackends } from "../../../support/backends.ts";

/** Tokens of each text. Batches are padded to multiples of 4, and no output may take its width 4 for a length. */
const counts = [3, 1, 8, 4, 5, 2];
const WIDTH = 4;

/** Texts whose token at place t of text i is 10 i + t + 1; -7 is padding. */
function textsOf(counts: readonly number[]): Examples {
  return {
    length: counts.length,
    labels: null,
    batch(indices) {
      const longest = 4 * Math.ceil(Math.max(...[...indices].map((index) => counts[index])) / 4);
      const rows = (of: (index: number, place: number) => number, padding: number) => ({
        data: Float32Array.from(
          [...indices].flatMap((index) =>
            Array.from({ length: longest }, (_, place) => place < counts[index] ? of(index, place) : padding)
          ),
        ),
        shape: [indices.length, longest],
      });
      return { tokens: rows((index, place) => 10 * index + place + 1, -7), mask: rows(() => 1, 0) };
    },
  };
}

/** All of the examples. */
function whole(examples: Examples, batchSize: number, tokens: Uint32Array | null): Collection {
  return { examples, batchSize, tokens, begin: 0, end: examples.length };
}

/** Each kind of output that models give, made of the tokens; padding gives numbers, too. */
const compute = (ops: Ops) => ({ tokens, mask }: Batch<Tensor>) => {
  const [size, length] = tokens.shape;
  const column = ops.reshape(tokens, [size, 1, length, 1]);
  const row = ops.reshape(tokens, [size, 1, 1, length]);
  const heads = ops.tensor([1, -1], [2, 1, 1]);
  return new Map([
    ["hidden", ops.multiply(ops.reshape(tokens, [size, length, 1]), ops.tensor([1, 2, 3, 4], [1, 1, WIDTH]))],
    ["scores", ops.multiply(ops.add(ops.scale(column, 100), row), heads)],
    ["queries", ops.multiply(column, ops.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, WIDTH]))],
    [
      "pooled",
      ops.multiply(ops.sum(ops.multiply(tokens, mask), { axes: [1], keepDimensions: true }), ops.tensor([1, 2, 3, 4])),
    ],
    ["sum", ops.sum(ops.multiply(tokens, mask), { axes: [1] })],
    ["transitions", ops.tensor([1, 2, 3, 4], [2, 2])],
  ]);
};

testBackends("outputs of texts are kept without padding and given back with zeros there", async (backend) => {
  const ops = createOps(backend);
  const examples = textsOf(counts);
  const tokens = (await tokensOf(examples, 4))!;
  assert.deepEqual([...tokens], counts);
  for (const batchSize of [1, 4, 9]) {
    const kept = await collectOutputs(ops, whole(examples, batchSize, tokens), compute(ops));
    const layouts = [...kept].map(([name, { extents, shared }]) => [name, [...extents], shared]);
    assert.deepEqual(layouts, [
      ["hidden", ["tokens", WIDTH], false],
      ["scores", [2, "tokens", "tokens"], false],
      ["queries", [2, "tokens", WIDTH], false],
      ["pooled", [WIDTH], false],
      ["sum", [], false],
      ["transitions", [2, 2], true],
    ]);
    assert.equal(kept.get("scores")!.data.length, counts.reduce((sum, count) => sum + 2 * count * count, 0));
    for (const indices of [[0], [2, 1, 1], [5, 4, 3, 2, 1, 0]].map((list) => Uint32Array.from(list))) {
      const batch = examples.batch(indices);
      const [, length] = batch.mask.shape;
      const computed = ops.scope(() =>
        compute(ops)(
          Object.fromEntries(Object.entries(batch).map(([name, { data, shape }]) => [name, ops.tensor(data, shape)])),
        )
      );
      for (const [name, output] of kept) {
        const offsets = offsetsOf(output, output.shared ? 1 : counts.length, tokens);
        const { data, shape } = padOutput(output, offsets, indices, tokens, length);
        const whole = computed.get(name)!;
        assert.deepEqual(shape, whole.shape, name);
        const numbers = Array.from(await whole.read());
        const expected = numbers.map((value, place) => isPadding(output.extents, shape, place, indices) ? 0 : value);
        assert.deepEqual([...data], expected, `${name} of ${indices}`);
      }
      computed.forEach((tensor) => tensor.dispose());
    }
  }
  assert.equal(backend.memory().storages, 0);
}, backends);

/** Whether a place of a batch's output lies behind the tokens of its text, along any dimension. */
function isPadding(extents: readonly unknown[], shape: readonly number[], place: number, indices: Uint32Array) {
  const at = shape.map((extent, axis) => Math.floor(place / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % extent);
  return extents.some((extent, axis) => extent === "tokens" && at[axis + 1] >= counts[indices[at[0]]]);
}

testBackends(
  "texts that are all equally long, and examples without a mask, have outputs of one shape",
  async (backend) => {
    const ops = createOps(backend);
    const even = textsOf([4, 4, 4]);
    const kept = await collectOutputs(ops, whole(even, 2, await tokensOf(even, 2)), compute(ops));
    assert.deepEqual(kept.get("hidden")!.extents, [4, WIDTH]);
    const images: Examples = {
      length: 3,
      labels: null,
      batch: (indices) => ({ x: { data: Float32Array.from(indices), shape: [indices.length] } }),
    };
    assert.equal(await tokensOf(images, 2), null);
    const twice = await collectOutputs(ops, whole(images, 2, null), ({ x }) => new Map([["twice", ops.scale(x, 2)]]));
    assert.deepEqual(twice.get("twice"), { extents: [], shared: false, data: Float32Array.of(0, 2, 4) });
  },
  [cpu],
);

testBackends("an output whose shape follows from something else is refused, whatever it is called", async (backend) => {
  const ops = createOps(backend);
  const examples = textsOf(counts);
  const tokens = await tokensOf(examples, 4);
  const collect = (shape: (size: number, length: number) => number[]) =>
    collectOutputs(ops, whole(examples, 4, tokens), ({ mask }) => {
      const [size, length] = mask.shape;
      return new Map([["features.windows", ops.full(shape(size, length), 0)]]);
    });
  const message = (shapes: string) =>
    "Cannot cache the teacher's features.windows as its shape follows neither from the number of examples nor from the " +
    `tokens of the longest: ${shapes}`;
  await assert.rejects(collect((size, length) => [size, Math.ceil(length / 2)]), {
    name: "UserError",
    message: message("[1, 1] of one with 1 tokens, [2, 4] of two with 8"),
  });
  await assert.rejects(collect((size, length) => [size * length]), {
    name: "UserError",
    message: message("[1] of one with 1 tokens, [16] of two with 8"),
  });
  assert.equal(backend.memory().storages, 0);
}, [cpu]);

Deno.test("blocks of unequal size share the corner at the first place of each dimension", () => {
  const of = (...shape: number[]) => ({
    shape,
    offset: 1,
    data: new Float32Array(1 + shape.reduce((a, b) => a * b, 1)),
  });
  const from = { ...of(2, 2, 3), data: Float32Array.from({ length: 13 }, (_, i) => i) };
  const to = of(1, 3, 2);
  copyCommon(from, to);
  assert.deepEqual([...to.data], [0, 1, 2, 4, 5, 0, 0]);
  const single = of();
  copyCommon({ shape: [], offset: 2, data: Float32Array.of(1, 2, 3) }, single);
  assert.deepEqual([...single.data], [0, 3]);
});

testBackends("outputs of a part are those of all, of their form, whatever is in the part", async (backend) => {
  const ops = createOps(backend);
  const examples = textsOf(counts), tokens = (await tokensOf(examples, 4))!;
  const all = await collectOutputs(ops, whole(examples, 4, tokens), compute(ops));
  // One text alone: of it every length would look like a number.
  for (const [begin, end] of [[0, 1], [1, 4], [4, 6]]) {
    const part = await collectOutputs(ops, { examples, tokens, batchSize: 2, begin, end }, compute(ops));
    for (const [name, { data, ...layout }] of part) {
      const { data: every, ...same } = all.get(name)!;
      assert.deepEqual(layout, same, name);
      const offsets = offsetsOf(layout, layout.shared ? 1 : counts.length, tokens);
      assert.deepEqual(data, layout.shared ? every : every.slice(offsets[begin], offsets[end]), name);
    }
  }
});
