import assert from "node:assert/strict";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../../core/data/random.ts";
import { traceModel } from "../../../core/onnx/trace.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Batch, InputDescription } from "../../../core/plugin/dataset.ts";
import { factoredModel } from "../../../core/plugin/factored_model.ts";
import { factorNames, factorShapes, joinFactors, productOfFactors } from "../../../core/plugin/factors.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { freshWeights } from "../../../core/plugin/parameters.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { imageData, textData } from "../../support/inputs.ts";

function build(use: string, options: Record<string, unknown>, input: InputDescription): Model {
  const definition = builtins.model.find(({ name }) => name === use)!;
  return definition.build(definition.options(optionKit).parse(options), input);
}

const IMAGES = imageData([8, 8, 3], ["a", "b", "c"]);
const resnet = () => build("resnet", { depth: 8, width: 4 }, IMAGES);
const mobilenet = () => build("mobilenet", { width: 0.25 }, imageData([32, 32, 3], ["a", "b"]));
const bert = () =>
  build("bert", { layers: 1, width: 16, heads: 2, ffn: 24, positions: 8 }, textData(["a", "b"], { vocabulary: 12 }));

/** Random factors of some weights, and the weights of which they are. */
function factorsOf(model: Model, ranks: ReadonlyMap<string, number>, random: Random) {
  const [whole, own] = [freshWeights(model, random), freshWeights(model, random)];
  for (const [name, rank] of ranks) {
    const { shape } = model.parameters.find((spec) => spec.name === name)!;
    const shapes = factorShapes(shape, rank);
    const numbers = (shape: readonly number[]) =>
      Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / Math.sqrt(sizeOf(shape.slice(1))));
    const [down, up] = [numbers(shapes.down), numbers(shapes.up)];
    whole.set(name, productOfFactors(down, up, rank));
    own.delete(name);
    own.set(factorNames(name).down, down).set(factorNames(name).up, up);
  }
  return { whole, own };
}

/** All matrices and filters that may be chains, at one rank. */
const everywhere = ({ parameters }: Model, rank: number) =>
  new Map(parameters.filter(({ overParameterisable }) => overParameterisable).map(({ name }) => [name, rank]));

function batchOf(ops: Ops, { image }: InputDescription, random: Random): Batch<Tensor> {
  if (image) {
    const shape = [3, ...image.size];
    return { image: ops.tensor(Float32Array.from({ length: sizeOf(shape) }, () => random.normal()), shape) };
  }
  const tokens = (value: (at: number) => number) =>
    ops.tensor(Float32Array.from({ length: 24 }, (_, at) => value(at)), [3, 8]);
  return { tokens: tokens(() => random.below(12)), types: tokens(() => 0), mask: tokens((at) => at % 8 < 6 ? 1 : 0) };
}

async function withOps(body: (ops: Ops) => Promise<void>) {
  const backend = await CpuBackend.create();
  await body(createOps(backend));
  await backend.close();
}

Deno.test("a model of factors gives what the model of their products gives", () =>
  withOps(async (ops) => {
    for (const [model, input] of [[resnet(), IMAGES], [bert(), textData(["a", "b"])]] as const) {
      const random = new Random(3);
      const ranks = everywhere(model, 3);
      const factored = factoredModel(model, ranks);
      const { whole, own } = factorsOf(model, ranks, random);
      const batch = batchOf(ops, input, random);
      const run = (model: Model, numbers: ReadonlyMap<string, Float32Array>) =>
        model.forward({ ops, weights: freeze(ops, model, numbers), batch, training: false, randomSeed: () => 0 });
      const [logits, expected] = await ops.read([run(factored, own).logits, run(model, whole).logits]);
      const largest = Math.max(...expected.map(Math.abs));
      assert.ok(largest > 0.001, `${largest}`);
      expected.forEach((value, at) => assert.ok(Math.abs(value - logits[at]) < 1e-5 * largest, `${at}`));
    }
  }));

Deno.test("each factor is one operation of the trace, and the product none", () => {
  const model = resnet();
  const count = (model: Model) => {
    const { steps } = traceModel(model, IMAGES);
    return [
      steps.filter(({ name }) => name === "conv2d").length,
      steps.filter(({ name }) => name === "linear").length,
      steps.length,
    ];
  };
  const [convolutions, linear, all] = count(model);
  assert.deepEqual(count(factoredModel(model, everywhere(model, 2))), [
    2 * convolutions,
    2 * linear,
    all + convolutions + linear,
  ]);
});

Deno.test("files have both factors, and give the product to a model that has the weight whole", () => {
  const model = bert();
  const ranks = new Map([["bert.encoder.layer.0.intermediate.dense.weight", 2]]);
  const factored = factoredModel(model, ranks);
  const { whole, own } = factorsOf(model, ranks, new Random(1));
  const tensors = new Map(
    factored.parameters.map(({ name, shape }) => [name, { shape, numbers: () => own.get(name)! }]),
  );
  const stored = factored.toFile!(tensors);
  const [[name, rank]] = ranks;
  const { down, up } = factorNames(name);
  assert.deepEqual([stored.get(down)!.shape, stored.get(up)!.shape, stored.has(name)], [[rank, 16], [24, rank], false]);
  const joined = joinFactors(stored);
  assert.deepEqual([joined.get(name)!.shape, joined.has(down)], [[24, 16], false]);
  assert.deepEqual(joined.get(name)!.numbers(), whole.get(name));
  const source = { config: null, report: () => {} };
  const again = factored.fromFile!(joined, source);
  for (const part of [down, up]) assert.equal(again.get(part)!.numbers(), own.get(part));
  assert.ok(model.fromFile!(joined, source).has(name));
});

Deno.test("the config hides what other programs would load the folder by, and says the ranks", () => {
  const model = bert();
  const name = "classifier.weight";
  const { config, classifier, parameters } = factoredModel(model, new Map([[name, 1]]));
  assert.equal(model.config.model_type, "bert");
  assert.equal(config.model_type, undefined);
  assert.deepEqual(config.factors, {
    ranks: { [name]: 1 },
    hidden: { model_type: "bert", architectures: model.config.architectures },
  });
  assert.equal(classifier, undefined);
  assert.ok(!parameters.some((spec) => spec.name === name));
});

Deno.test("what cannot be done by factors is refused with the weight's name", () => {
  const traced = (model: Model, input: InputDescription, name: string) => () =>
    traceModel(factoredModel(model, new Map([[name, 1]])), input);
  const grouped = mobilenet();
  const depthwise = grouped.parameters.find(({ shape }) => shape.length === 4 && shape[1] === 1)!;
  assert.throws(traced(grouped, imageData([32, 32, 3], ["a", "b"]), depthwise.name), {
    name: "UserError",
    message:
      `Cannot keep ${depthwise.name} as factors: the model uses it in conv2d, and expected is a linear layer, or a ` +
      "convolution without groups",
  });
  const embedding = "bert.embeddings.word_embeddings.weight";
  assert.throws(traced(bert(), textData(["a", "b"], { vocabulary: 12 }), embedding), {
    message: /^Cannot keep bert\.embeddings\.word_embeddings\.weight as factors: the model uses it in embedding, /,
  });
  for (const [name, rank] of [["none", 1], ["fc.weight", 0], ["fc.weight", 1.5], ["fc.bias", 1]] as const) {
    assert.throws(() => factoredModel(resnet(), new Map([[name, rank]])), {
      message: `Cannot take factors of rank ${rank} for ${name}: expected a weight of the model and a rank from 1`,
    });
  }
});
