import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostTensor } from "../../../core/plugin/dataset.ts";
import { readGraph } from "../../../plugins/models/onnx/graph.ts";
import {
  channelsLast,
  expected,
  FIXTURES,
  imagesOf,
  inFolder,
  linear,
  matrix,
  onnxBytes,
  openFile,
  rows,
  texts,
} from "./onnx_fixture.ts";

function near(actual: HostTensor, { data, shape }: HostTensor): void {
  assert.deepEqual(actual.shape, shape);
  data.forEach((value, place) => assert.ok(Math.abs(actual.data[place] - value) < 1e-5, `${place}: ${value}`));
}

const { inputs: { pixels }, outputs: { logits, maps } } = expected.image;
const image = channelsLast(pixels);

Deno.test("a model of PyTorch gives what it gives in Python, and any value of its graph, with channels last", async () => {
  using teacher = await openFile(join(FIXTURES, "image.onnx"), {
    outputs: { logits: "logits" },
    features: { first: "maps" },
    hidden: ["maps"],
    pooled: "mean",
  });
  const given = teacher.run({ image });
  near(given.logits, logits);
  near(given.maps, channelsLast(maps));
  assert.deepEqual(given.mean.shape, [6, 4]);
  assert.equal(teacher.model.foreignParameters, 4 * 2 * 9 + 4 + 4 * 3 + 3);
  assert.deepEqual(Object.keys(teacher.run({ image }, new Set())), ["logits"]);
});

Deno.test("batches of a fixed size are met by padding, and tensors are taken from a file beside the model", async () => {
  using teacher = await openFile(join(FIXTURES, "fixed.onnx"));
  near(teacher.run({ image }).logits, logits);
  near(teacher.run({ image: rows(image, 1, 2) }).logits, rows(logits, 1, 2));
});

Deno.test("a model of texts takes its inputs by name, in its own kind of numbers", async () => {
  using teacher = await openFile(join(FIXTURES, "text.onnx"), {}, texts);
  const { inputs, outputs } = expected.text;
  const batch = { tokens: inputs.input_ids, mask: inputs.attention_mask, types: inputs.token_type_ids };
  near(teacher.run(batch).logits, outputs.logits);
  assert.deepEqual(teacher.model.textInputs, ["tokens", "types", "mask"]);
});

Deno.test("probabilities of scikit-learn become logits, without its labels and its list of maps", async () => {
  const path = join(FIXTURES, "rows.onnx");
  const { inputs: { X }, outputs: { output_probability: probabilities } } = expected.rows;
  using teacher = await openFile(path, { outputs: { probabilities: "output_probability" } }, imagesOf(8, 8, 1));
  const { data, shape } = teacher.run({ image: { data: X.data, shape: [3, 8, 8, 1] } }).logits;
  near({ data: data.map(Math.exp), shape }, probabilities);
});

Deno.test("a model without a mask gets each text without its padding, unless it takes one length alone", async () => {
  // The mean over all tokens of one number each: a token of padding would change it.
  const model = (length: number | string) =>
    onnxBytes({
      nodes: [["Gather", ["words", "ids"], "states"], ["ReduceMean", ["states", "axis"], "logits"]],
      inputs: [{ name: "ids", shape: ["n", length], type: 7 }],
      outputs: [{ name: "logits", shape: ["n", 1, 3] }],
      constants: [{ ...matrix(30, 3), name: "words" }, { name: "axis", shape: [1], values: [1], type: 7 }],
      opset: 18,
    });
  await inFolder(async (folder) => {
    const path = join(folder, "model.onnx");
    const tokens = { data: Float32Array.of(3, 4, 5, 6, 7, 0, 8, 9, 0), shape: [3, 3] };
    const mask = { data: Float32Array.of(1, 1, 1, 1, 1, 0, 1, 1, 0), shape: [3, 3] };
    const word = (token: number) => Array.from({ length: 3 }, (_, part) => Math.sin(3 * token + part));
    const mean = (ids: readonly number[]) => {
      return word(0).map((_, part) => ids.reduce((sum, id) => sum + word(id)[part], 0) / ids.length);
    };
    for (const [length, read] of [["any", [[3, 4, 5], [6, 7], [8, 9]]], [8, [[3, 4, 5, 0, 0, 0, 0, 0]]]] as const) {
      await Deno.writeFile(path, model(length));
      using teacher = await openFile(folder, {}, texts);
      const { data } = teacher.run({ tokens, mask, types: tokens }).logits;
      read.forEach((ids, row) => {
        mean(ids).forEach((value, part) =>
          assert.ok(Math.abs(data[row * 3 + part] - value) < 1e-5, `${length} ${row}`)
        );
      });
    }
  });
});

Deno.test("images go in by the layout that the input's shape shows, in a row too, and by the one that is said", async () => {
  const cases = [
    { shape: ["n", 2, 5, 4], first: true },
    { shape: ["n", 5, 4, 2], first: false },
    { shape: ["n", "channels", "h", "w"], first: true },
    { shape: ["n", "h", "w", "c"], layout: "nhwc", first: false },
    { shape: ["n", 40], layout: "nchw", first: true },
    { shape: ["n", 40], layout: "nhwc", first: false },
  ] as const;
  await inFolder(async (folder) => {
    const path = join(folder, "model.onnx");
    for (const { shape, first, ...options } of cases) {
      await Deno.writeFile(path, linear({ inputs: [{ name: "x", shape }] }));
      using teacher = await openFile(path, options);
      const row = (first ? pixels : image).data.subarray(0, 40);
      const sums = [0, 1, 2].map((part) => row.reduce((sum, x, place) => sum + x * Math.sin(3 * place + part), 0));
      const { data } = teacher.run({ image }).logits;
      sums.forEach((sum, part) => assert.ok(Math.abs(data[part] - sum) < 1e-4, `${shape.join()} ${options}`));
    }
  });
});

Deno.test("a graph is read with the values that its nodes make and the numbers that it holds", async () => {
  const graph = readGraph(await Deno.readFile(join(FIXTURES, "rows.onnx")));
  assert.deepEqual(graph.outputs, ["output_label", "output_probability"]);
  assert.deepEqual(graph.makers.get("output_probability"), { operator: "ZipMap", inputs: ["probabilities"] });
  assert.equal(graph.parameters, 64 * 3 + 3);
  assert.deepEqual(readGraph(await Deno.readFile(join(FIXTURES, "fixed.onnx"))).locations, ["fixed.onnx.data"]);
});
