import assert from "node:assert/strict";
import { countOperators } from "../../../core/onnx/graph.ts";
import { graphWriter } from "../../../core/onnx/write_graph.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { built, compared, graphOf, images, ports, texts } from "./onnx_models.ts";

const small = { layers: 2, width: 16, heads: 2 };

const models = {
  "a CIFAR ResNet": built("resnet", { depth: 8, width: 4 }, images(9, 7, 1)),
  "a ResNet with padded shortcuts and subclasses": built(
    "resnet",
    { depth: 8, width: 4, shortcut: "padded", stem: "small", subclasses: 3 },
    images(12, 9, 3),
  ),
  "an ImageNet ResNet of bottlenecks": built("resnet", { depth: 50, width: 2 }, images(33, 31, 3)),
  "a MobileNetV2": built("mobilenet", { version: "v2", width: 0.1 }, images(32, 32, 3)),
  "a MobileNetV3": built("mobilenet", { version: "v3-small", width: 0.2 }, images(32, 32, 3)),
  "a stack of layers": built("cnn", {
    layers: [
      { use: "conv", channels: 6, size: 3 },
      { use: "max-pool", size: 2 },
      { use: "conv", channels: 8, size: 3, norm: "none", activation: "gelu" },
      { use: "average-pool", size: 2 },
      { use: "linear", width: 12, norm: "batch", activation: "silu" },
    ],
  }, images(12, 10, 3)),
  "an MLP": built("mlp", { widths: [20, 10], norm: "batch", activation: "tanh" }, images(6, 5, 2)),
  "a ViT": built("vit", { ...small, patch: 4 }, images(16, 8, 3)),
  "a DeiT with two heads and one matrix for queries, keys and values": built(
    "vit",
    { ...small, patch: 4, variant: "deit", distillationHead: true, qkv: "fused" },
    images(8, 16, 3),
  ),
  "a BERT": built("bert", small, texts()),
  "a BERT with subclasses and GELU by tanh": built(
    "bert",
    { ...small, subclasses: 3, activation: "gelu_new" },
    texts(),
  ),
  "a DistilBERT that answers a number": built("bert", { ...small, variant: "distilbert" }, texts("regression")),
  "a RoBERTa of several labels": built("bert", { ...small, variant: "roberta" }, texts("multi-label")),
  "an ELECTRA with narrower embeddings": built("bert", { ...small, variant: "electra", embeddingWidth: 8 }, texts()),
  "an MPNet": built("bert", { ...small, variant: "mpnet" }, texts()),
  "a BERT that makes vectors": built("bert", { ...small, pooling: "mean", normalise: true }, texts("embedding")),
  "an EfficientNet-Lite0": built("efficientnet-lite0", { variant: "timm", width: 0.1 }, images(33, 31, 3)),
  "a tagger with a CRF": built("bert", { ...small, types: 0, crf: true }, texts("tagging")),
};

for (const [name, model] of Object.entries(models)) {
  Deno.test(`${name} gives the same logits in onnxruntime, for batches of any size`, async () => {
    const { difference, largest } = await compared(model, graphOf(model));
    assert.ok(largest > 0.1 && difference < 2e-6 * Math.max(1, largest), `${difference} of ${largest}`);
  });
}

Deno.test("inputs and outputs have the names and shapes that Optimum gives them, and batches any size", () => {
  const portsOf = (name: keyof typeof models) => ports(graphOf(models[name]).graph);
  assert.deepEqual(portsOf("a ViT"), [
    "pixel_values float32 [batch_size, 3, 16, 8]",
    "logits float32 [batch_size, 4]",
  ]);
  const tokens = (name: string) => `${name} int64 [batch_size, sequence_length]`;
  assert.deepEqual(portsOf("a BERT"), [
    ...["input_ids", "attention_mask", "token_type_ids"].map(tokens),
    "logits float32 [batch_size, 3]",
  ]);
  assert.equal(portsOf("a BERT that makes vectors").at(-1), "sentence_embedding float32 [batch_size, 16]");
  assert.deepEqual(portsOf("a tagger with a CRF"), [
    ...["input_ids", "attention_mask"].map(tokens),
    "logits float32 [batch_size, sequence_length, 3]",
  ]);
});

Deno.test("batch norm goes into convolutions, attention and GELU are standard operators, and no weight changes its name", () => {
  const { graph } = graphOf(models["a CIFAR ResNet"]);
  assert.deepEqual(countOperators(graph), { Conv: 9, Relu: 7, Add: 3, ReduceMean: 1, Gemm: 1 });
  const { model } = models["a CIFAR ResNet"];
  const own = model.parameters.map(({ name }) => name);
  const lists = graph.initialisers.filter(({ type }) => type === "int64").map(({ name }) => name);
  const given = graph.initialisers.map(({ name }) => name).filter((name) => !lists.includes(name));
  assert.deepEqual(given.filter((name) => !own.includes(name)), []);
  assert.deepEqual(
    own.filter((name) => !given.includes(name) && !/running_|bn\d\.weight|downsample\.1\.weight/.test(name)),
    [],
  );
  const { Gelu, Softmax, LayerNormalization, MatMul } = countOperators(graphOf(models["a BERT"]).graph);
  assert.deepEqual({ Gelu, Softmax, LayerNormalization, MatMul }, {
    Gelu: 2,
    Softmax: 2,
    LayerNormalization: 5,
    MatMul: 16,
  });
  assert.equal(graphOf(models["a tagger with a CRF"]).transitions, "crf.transitions");
});

Deno.test("a model is traced once for all kinds of floats, and its graph is written once for each", () => {
  const { model, input, weights } = built("mlp", { widths: [5] }, images(3, 2, 1));
  let forwards = 0;
  const forward: Model["forward"] = (call) => (forwards++, model.forward(call));
  const graphs = graphWriter({ ...model, forward }, input, weights);
  assert.equal(graphs("float32"), graphs("float32"));
  const traced = forwards;
  assert.deepEqual(graphs("float16").inputs, graphs("float32").inputs);
  assert.equal(forwards, traced);
});
