import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostTensor } from "../../../core/plugin/dataset.ts";
import { holdRuntime } from "../../../core/onnx/runtime/runtime.ts";
import { joined } from "../../../core/joined.ts";
import { field } from "../../../core/onnx/protobuf.ts";
import { readGraph } from "../../../core/onnx/read_graph.ts";
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

Deno.test("a model of halves gets halves, and gives numbers", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "model.onnx");
    const layer = { ...matrix(40, 3), name: "whole" };
    await Deno.writeFile(
      path,
      linear({
        nodes: [["CastLike", ["whole", "x"], "matrix"], ["Flatten", ["x"], "flat"], [
          "MatMul",
          ["flat", "matrix"],
          "logits",
        ]],
        inputs: [{ name: "x", shape: ["n", 5, 4, 2], type: 10 }],
        outputs: [{ name: "logits", shape: ["n", 3], type: 10 }],
        constants: [layer],
      }),
    );
    using teacher = await openFile(path);
    const { data } = teacher.run({ image }).logits;
    const row = image.data.subarray(0, 40);
    for (const part of [0, 1, 2]) {
      const sum = row.reduce((sum, x, place) => sum + x * Math.sin(3 * place + part), 0);
      assert.ok(Math.abs(data[part] - sum) < 0.02, `${data[part]} for ${sum}`);
    }
  });
});

/** A linear layer on images with their channels last, of numbers of a type. */
const ofType = (type: number) =>
  linear({
    nodes: [["CastLike", ["x", "matrix"], "floats"], ["Flatten", ["floats"], "flat"], [
      "MatMul",
      ["flat", "matrix"],
      "logits",
    ]],
    inputs: [{ name: "x", shape: ["n", 5, 4, 2], type }],
  });

Deno.test("an input of integers is given bytes, or what a normalisation makes integers of them", async () => {
  const [UINT8, INT8, INT32, INT64, FLOAT] = [2, 3, 6, 7, 1];
  const bytes = Array.from({ length: 40 }, (_, place) => place * 13 % 256);
  const usual = { mean: [0.4, 0.5], std: [0.3, 0.2] },
    signed = { mean: [0.50196, 0.50196], std: [0.0039216, 0.0039216] };
  const normalised = ({ mean, std }: typeof usual) => {
    return bytes.map((byte, place) => (byte / 255 - mean[place % 2]) / std[place % 2]);
  };
  const cases = [
    { type: UINT8, normalise: usual, takes: bytes, told: 1 },
    { type: INT32, normalise: usual, takes: bytes, told: 1 },
    { type: INT64, normalise: { mean: [0, 0], std: [1, 1] }, takes: bytes, told: 1 },
    { type: INT8, normalise: signed, takes: bytes.map((byte) => byte - 128), told: 0 },
    { type: FLOAT, normalise: usual, takes: normalised(usual), told: 0 },
  ];
  await inFolder(async (folder) => {
    const path = join(folder, "model.onnx");
    for (const { type, normalise, takes, told } of cases) {
      await Deno.writeFile(path, ofType(type));
      const lines: string[] = [];
      const plain = imagesOf(5, 4, 2);
      const data = { ...plain, image: { ...plain.image!, normalise } };
      using teacher = await openFile(path, {}, data, (line) => lines.push(line));
      const run = (numbers: readonly number[]) => {
        return teacher.run({ image: { data: Float32Array.from(numbers), shape: [1, 5, 4, 2] } }).logits.data;
      };
      const given = run(normalised(normalise));
      for (const part of [0, 1, 2]) {
        const sum = takes.reduce((sum, x, place) => sum + x * Math.sin(3 * place + part), 0);
        assert.ok(Math.abs(given[part] - sum) < 2e-3, `${type}: ${given[part]} for ${sum}`);
      }
      assert.deepEqual(
        lines,
        Array(told).fill(`"${path}" takes whole numbers: its input "x" is given pixels from 0 to 255`),
      );
      if (type !== UINT8) continue;
      assert.throws(() => run(Array(40).fill(10)), {
        name: "UserError",
        message: /^Cannot run "\S+": its input "x" takes whole numbers from 0 to 255 \(uint8\), and was given 867/,
      });
    }
  });
});

Deno.test("models and batches leave nothing in WebAssembly's memory", async () => {
  const { wasm, release } = await holdRuntime(1);
  const pairs = {
    _free: "_malloc",
    _OrtReleaseTensor: "_OrtCreateTensor",
    _OrtReleaseSession: "_OrtCreateSession",
    _OrtReleaseSessionOptions: "_OrtCreateSessionOptions",
  } as const;
  const own = wasm as unknown as Record<string, (...call: unknown[]) => unknown>;
  const before = { ...own };
  const made = new Map<string, Set<unknown>>();
  for (const [undo, make] of Object.entries(pairs)) {
    const all = new Set<unknown>();
    made.set(make, all);
    own[make] = (...call) => {
      const thing = before[make](...call);
      if (thing !== 0) all.add(thing);
      return thing;
    };
    own[undo] = (thing) => {
      all.delete(thing);
      return before[undo](thing);
    };
  }
  let outputs = 0;
  const run = own._OrtRun;
  own._OrtRun = (...call) => {
    const status = run(...call);
    // The tensors that it makes are to be released as well.
    for (const tensor of wasm.HEAPU32.subarray(Number(call[6]) / 4, Number(call[6]) / 4 + Number(call[5]))) {
      if (tensor !== 0) made.get("_OrtCreateTensor")!.add(tensor);
      outputs++;
    }
    return status;
  };
  try {
    await inFolder(async (folder) => {
      const path = join(folder, "model.onnx");
      await Deno.writeFile(path, linear({ nodes: [["Hologram", ["x"], "logits"]] }));
      await assert.rejects(openFile(path));
      using teacher = await openFile(join(FIXTURES, "fixed.onnx"), { hidden: ["maps"] });
      teacher.run({ image });
    });
    // Two examples to try it, and six in two parts, of two values each.
    assert.equal(outputs, 2 + 4);
    assert.deepEqual(Object.fromEntries([...made].map(([make, all]) => [make, all.size])), {
      _malloc: 0,
      _OrtCreateTensor: 0,
      _OrtCreateSession: 0,
      _OrtCreateSessionOptions: 0,
    });
  } finally {
    Object.assign(own, before);
    release(false);
  }
});

Deno.test("a tensor whose sizes end within a number is damaged", () => {
  // Of float32, in a graph beside a set of operators of version 21.
  const tensor = (dims: number[]) => {
    const initialiser = joined([field(1, Uint8Array.from(dims)), Uint8Array.of(0x10, 1)]);
    return joined([field(7, field(5, initialiser)), field(8, Uint8Array.of(0x10, 21))]);
  };
  assert.equal(readGraph(tensor([0x80, 0x01])).parameters, 128);
  assert.throws(() => readGraph(tensor([0x80])), { name: "DamagedMessage", message: /ends within a number/ });
});
