import assert from "node:assert/strict";
import { eachAlone } from "../../../core/onnx/each_alone.ts";
import { encodeModel } from "../../../core/onnx/encode.ts";
import { countOperators, type Graph } from "../../../core/onnx/graph.ts";
import { madeUp } from "../../../core/onnx/probe.ts";
import { activationsOf, quantise } from "../../../core/onnx/quantise.ts";
import { OnnxModel } from "../../../core/onnx/run_model.ts";
import { built, compared, graphOf, images, ports, rangesOn, texts } from "./onnx_models.ts";

const resnet = built("resnet", { depth: 8, width: 8 }, images(12, 12, 3));
const bert = built("bert", { layers: 2, width: 32, heads: 2, vocabulary: 400, positions: 16 }, texts());

const bytesOf = ({ initialisers }: Graph) => initialisers.reduce((sum, { data }) => sum + data.byteLength, 0);
const halfBytes = (full: Graph, half: Graph) => bytesOf(half) / bytesOf(full);

for (const [name, model] of Object.entries({ resnet, bert })) {
  Deno.test(`with fp16 a ${name} computes in float16 and takes and gives float32, in half the bytes`, async () => {
    const [full, half] = [graphOf(model), graphOf(model, "float16")];
    assert.deepEqual(ports(half.graph), ports(full.graph));
    assert.deepEqual(half.graph.initialisers.filter(({ type }) => type === "float32"), []);
    assert.ok(halfBytes(full.graph, half.graph) < 0.52);
    const { difference, largest } = await compared(model, half);
    assert.ok(difference > 1e-5 && difference < 0.01 * Math.max(1, largest), `${difference} of ${largest}`);
  });
}

Deno.test("with fp16 a weight that float16 has not is refused by its name", () => {
  const weights = new Map(resnet.weights).set("fc.bias", Float32Array.of(0, 1e5, 0, 0));
  assert.throws(() => graphOf({ ...resnet, weights }, "float16"), {
    name: "UserError",
    message:
      /^Cannot export with precision fp16 as "fc\.bias" has the number 100000: float16 goes to 65504; take fp32$/,
  });
});

Deno.test("with int8 linear layers quantise what they get, and tables are scaled row by row", async () => {
  const { graph, ...others } = graphOf(bert);
  const small = quantise(graph, new Map());
  const { MatMulInteger, DynamicQuantizeLinear, Gemm, MatMul } = countOperators(small);
  // Attention's two products have no weights; queries, keys and values quantise what they share once.
  assert.deepEqual({ MatMulInteger, Gemm, MatMul }, { MatMulInteger: 14, Gemm: undefined, MatMul: 4 });
  assert.equal(DynamicQuantizeLinear, 10);
  const table = small.initialisers.find(({ name }) => name === "bert.embeddings.word_embeddings.weight_quantized")!;
  assert.deepEqual([table.type, table.shape], ["int8", [400, 32]]);
  assert.ok(bytesOf(small) < 0.5 * bytesOf(graph), `${bytesOf(small)} of ${bytesOf(graph)}`);
  const { difference, largest } = await compared(bert, { graph: small, ...others });
  assert.ok(difference > 1e-4 && difference < 0.1 * Math.max(1, largest), `${difference} of ${largest}`);
});

Deno.test("with int8 a picture's logits do not go with those beside it where each is computed by itself", async () => {
  const mlp = built("mlp", { widths: [16] }, images(6, 6, 1));
  const { graph, ...wiring } = graphOf(mlp);
  using onnx = await OnnxModel.open(encodeModel(quantise(graph, new Map()), {}), wiring);
  const [{ image }] = madeUp(mlp.input, 3);
  const [count, ...size] = image.shape, pixels = image.data.length / count;
  const { data, shape } = eachAlone(onnx, { image });
  assert.deepEqual(shape, [count, 4]);
  for (let row = 0; row < count; row++) {
    const alone = { shape: [1, ...size], data: image.data.slice(row * pixels, (row + 1) * pixels) };
    assert.deepEqual(data.slice(row * 4, (row + 1) * 4), onnx.run({ image: alone }).get(onnx.output)!.data);
  }
  assert.notDeepEqual(onnx.run({ image }).get(onnx.output)!.data, data);
});

Deno.test("with int8 convolutions go by measured ranges, in pairs of QuantizeLinear and DequantizeLinear", async () => {
  const { graph, ...others } = graphOf(resnet);
  const names = activationsOf(graph);
  // The images, each convolution's result behind its ReLU, and each sum behind its own.
  assert.deepEqual([names[0], names.length], ["pixel_values", 1 + 9 + 3]);
  const ranges = await rangesOn(resnet, { graph, ...others }, names);
  const small = quantise(graph, ranges);
  const { Conv, QuantizeLinear, MatMulInteger } = countOperators(small);
  assert.deepEqual({ Conv, QuantizeLinear, MatMulInteger }, { Conv: 9, QuantizeLinear: 13, MatMulInteger: 1 });
  const weights = small.initialisers.filter(({ name }) => name.endsWith(".weight_quantized"));
  assert.deepEqual(weights.filter(({ shape }) => shape.length === 4).map(({ type }) => type), Array(9).fill("int8"));
  const { difference, largest } = await compared(resnet, { graph: small, ...others });
  assert.ok(difference > 1e-4 && difference < 0.1 * Math.max(1, largest), `${difference} of ${largest}`);
});

/** Numbers by the names of a graph's initialisers. */
const numbersOf = ({ initialisers }: Graph) => (name: string) =>
  Array.from(initialisers.find((found) => found.name === name)!.data as Float32Array);

Deno.test("weights of eight bits are at most half a step from what they were, and a bias has the steps of its sum", () => {
  const whole = built("cnn", { layers: [{ use: "conv", channels: 3, size: 3 }] }, images(5, 5, 2));
  // A channel may be almost dead, as with weights that decayed, or quite, as pruned ones are: its bias lives on.
  const filters = whole.weights.get("0.weight")!;
  const dead = [0, 1], row = filters.length / 3;
  filters.set(filters.subarray(0, row).map((value) => 1e-9 * value));
  filters.fill(0, row, 2 * row);
  const { graph } = graphOf(whole);
  const ranges = new Map(activationsOf(graph).map((name): [string, [number, number]] => [name, [-2, 5]]));
  const [before, after] = [graph, quantise(graph, ranges)].map(numbersOf);
  const steps = (name: string) => after(`${name}_scale`);
  // Filters by rows, the classifier's matrix turned to [in, out] by columns.
  const [filter, matrix] = ["0.weight", "4.weight"].map(before);
  after("0.weight_quantized").forEach((value, place) => {
    const step = steps("0.weight")[Math.floor(place / 18)];
    assert.ok(Math.abs(value * step - filter[place]) <= 0.501 * step);
  });
  const outputs = steps("4.weight").length;
  assert.equal(after("4.weight_zero_point")[0], 128);
  after("4.weight_quantized").forEach((value, place) => {
    const [row, column] = [Math.floor(place / outputs), place % outputs];
    const step = steps("4.weight")[column];
    assert.ok(Math.abs((value - 128) * step - matrix[column * matrix.length / outputs + row]) <= 0.501 * step);
  });
  steps("1.bias").forEach((step, row) => {
    assert.ok(Math.abs(step / (steps("0.weight")[row] * steps("pixel_values")[0]) - 1) < 1e-6);
    assert.ok(Math.abs(after("1.bias_quantized")[row] * step - before("1.bias")[row]) <= 0.501 * step);
  });
  for (const row of dead) {
    const [bias, given] = [before("1.bias")[row], after("1.bias_quantized")[row] * steps("1.bias")[row]];
    assert.ok(bias !== 0 && Math.abs(given / bias - 1) < 1e-6, `${given}, not ${bias}`);
  }
});

Deno.test("a file of more than 2 GiB is refused before it is made", () => {
  const [weight] = graphOf(resnet).graph.initialisers;
  const huge = { ...weight, data: { byteLength: 2 ** 31 + 2 ** 29 } as unknown as Float32Array };
  assert.throws(() => encodeModel({ inputs: [], outputs: [], nodes: [], initialisers: [huge] }, {}), {
    name: "UserError",
    message: /^Cannot write an ONNX file of 2\.5 GiB: it can have 2 GiB, /,
  });
});
