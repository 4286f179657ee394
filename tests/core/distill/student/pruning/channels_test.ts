import assert from "node:assert/strict";
import { Random } from "../../../../../core/data/random.ts";
import { CpuBackend } from "../../../../../core/backend/cpu/cpu_backend.ts";
import { cutChannels } from "../../../../../core/distill/student/pruning/cut_channels.ts";
import { chooseChannels } from "../../../../../core/distill/student/pruning/channels.ts";
import { channelsAtZero, widthsOf, withoutChannels } from "../../../../../core/plugin/inner_widths.ts";
import { freeze } from "../../../../../core/nn/frozen_weights.ts";
import { createOps } from "../../../../../core/ops/ops.ts";
import { infer } from "../../../../../core/evaluate/predictions.ts";
import { optionKit } from "../../../../../core/plugin/kit.ts";
import { upload } from "../../../../../core/plugin/batch.ts";
import type { Examples, InputDescription } from "../../../../../core/plugin/dataset.ts";
import type { Model, ModelDefinition } from "../../../../../core/plugin/model.ts";
import { countTrainable, freshWeights } from "../../../../../core/plugin/parameters.ts";
import { parseChecked } from "../../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../../core/recipe/schema.ts";
import { bert } from "../../../../../plugins/models/bert/bert.ts";
import { resnet } from "../../../../../plugins/models/resnet/resnet.ts";
import { mlp } from "../../../../../plugins/models/stack/mlp.ts";
import { vit } from "../../../../../plugins/models/vit/vit.ts";
import { float64, testBackends } from "../../../../support/backends.ts";
import { imageData } from "../../../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../../../support/numbers.ts";
import { textInput } from "../../../../plugins/models/bert_fixture.ts";

const text = (prune: string) =>
  `name: p\ndataset: { use: idx }\nlosses: [{ use: cross-entropy }]\ntrain: { epochs: 1 }\n` +
  `student: { use: resnet, prune: { structure: channels, ${prune} } }\n`;

const section = (prune: string) => parseChecked(text(prune), "r.yaml", recipeSchema).part("student").part("prune")!;

const images = imageData([8, 8, 1], ["a", "b", "c"]);
const data = { image: images, text: textInput("classification") };

/** A model of which all numbers differ, running statistics included, as they would after training. */
function made<Options>(definition: ModelDefinition<Options>, options: object, input: InputDescription) {
  const parsed = definition.options(optionKit).parse(options) as Options;
  const model = definition.build(parsed, input);
  const random = new Random(4);
  const moved = [...freshWeights(model, new Random(3))].map(([name, values]) => {
    return [name, values.map((value) => Math.abs(value + 0.3 * random.normal()) + 0.05)] as const;
  });
  const narrow = (widths: ReadonlyMap<string, number>) =>
    definition.build(definition.withWidths!(parsed, widths), input);
  return { model, numbers: new Map(moved), narrow };
}

const FAMILIES = {
  "resnet of basic blocks": () => made(resnet, { depth: 8, width: 4, shortcut: "padded" }, data.image),
  "resnet of bottlenecks": () => made(resnet, { blocks: [1, 2], bottleneck: true, width: 4 }, data.image),
  mlp: () => made(mlp, { widths: [6, 5] }, data.image),
  "mlp with batch norm": () => made(mlp, { widths: [6, 5], norm: "batch" }, data.image),
  vit: () => made(vit, { patch: 4, layers: 2, width: 8, heads: 2, ffn: 12 }, data.image),
  bert: () => made(bert, { layers: 2, width: 8, heads: 2, ffn: 12 }, data.text),
};

function batchOf(model: Model): Record<string, { data: Float32Array; shape: number[] }> {
  if (model.textInputs) {
    const whole = (data: number[]) => ({ data: Float32Array.from(data), shape: [2, 4] });
    return {
      tokens: whole([1, 2, 3, 0, 2, 2, 1, 3]),
      types: whole([0, 0, 1, 0, 0, 1, 1, 1]),
      mask: whole([1, 1, 1, 0, 1, 1, 1, 1]),
    };
  }
  return { image: { data: Float32Array.from(pseudoRandom(1, 128)), shape: [2, 8, 8, 1] } };
}

for (const [name, make] of Object.entries(FAMILIES)) {
  testBackends(`${name}: without channels it gives what it gives with them at zero`, async (backend) => {
    const ops = createOps(backend);
    const { model, numbers, narrow } = make();
    const kept = chooseChannels(section("amount: 0.4"), model, numbers, new Random(1));
    const smaller = narrow(widthsOf(kept));
    const cut = withoutChannels(model, numbers, kept);
    for (const { name, shape } of smaller.parameters) {
      assert.equal(cut.get(name)!.length, shape.reduce((product, extent) => product * extent, 1), name);
    }
    assert.ok(countTrainable(smaller.parameters) < countTrainable(model.parameters));
    const logits = (model: Model, numbers: ReadonlyMap<string, Float32Array>) =>
      ops.scope(() => infer(ops, model, freeze(ops, model, numbers), upload(ops, batchOf(model))).logits);
    const zeroed = logits(model, channelsAtZero(model, numbers, kept));
    const [whole, without, full] = await ops.read([zeroed, logits(smaller, cut), logits(model, numbers)]);
    assertClose(without, whole, 1e-9, "logits");
    assert.ok(full.some((value, index) => Math.abs(value - whole[index]) > 1e-3), "the channels did something");
  }, [float64]);
}

const network = () => FAMILIES["resnet of basic blocks"]();

Deno.test("the channels of the smallest scale and filter go, of each width its share, and one stays", () => {
  const { model, numbers } = network();
  const scales = Float32Array.of(4, 1, 3, 2);
  const takers = numbers.get("layer1.0.conv2.weight")!.fill(1);
  numbers.set("layer1.0.bn1.weight", scales);
  const kept = (prune: string) => [...chooseChannels(section(prune), model, numbers, new Random(1))];
  assert.deepEqual(kept("amount: 0.5")[0], ["layer1.0.conv1", [0, 2]]);
  assert.deepEqual(kept("amount: 0.5").map(([, { length }]) => length), [2, 4, 8]);
  assert.deepEqual(kept("amount: 0").map(([, { length }]) => length), [4, 8, 16]);
  assert.deepEqual(kept("amount: 0.99").map(([, { length }]) => length), [1, 1, 1]);
  // The second channel, whose scale is the least, is taken by filters that are large.
  takers.forEach((_, place) => takers[place] = Math.floor(place / 9) % 4 === 1 ? 10 : 1);
  assert.deepEqual(kept("amount: 0.5")[0], ["layer1.0.conv1", [0, 1]]);
  assert.deepEqual(kept("amount: 0.5, layers: layer3*").map(([, { length }]) => length), [4, 8, 8]);
  assert.equal(kept("amount: 0.5, scope: global").flatMap(([, channels]) => channels).length, 14);
  assert.deepEqual(kept("amount: 0.99, scope: global").map(([, { length }]) => length), [1, 1, 1]);
  assert.notDeepEqual(kept("amount: 0.5, method: random"), kept("amount: 0.5"));
  assert.deepEqual(kept("amount: 0.5, method: random"), kept("amount: 0.5, method: random"));
});

Deno.test("a number of parameters is kept to, by as few channels as it takes", () => {
  const { model, numbers, narrow } = network();
  const all = countTrainable(model.parameters);
  for (const scope of ["layer", "global"]) {
    const sizeFor = (parameters: number) => {
      const kept = chooseChannels(section(`parameters: ${parameters}, scope: ${scope}`), model, numbers, new Random(1));
      return countTrainable(narrow(widthsOf(kept)).parameters);
    };
    assert.equal(sizeFor(all), all);
    const wanted = Math.round(all * 0.6);
    const got = sizeFor(wanted);
    assert.ok(got <= wanted && got > wanted * 0.85, `${got} of ${wanted}`);
    assert.throws(() => sizeFor(10), {
      name: "UserError",
      message: /^r\.yaml:.*: Cannot leave 10 numbers of the student: with one channel in each width .* it has [\d,]+$/,
    });
  }
});

Deno.test("a model that computes something else when it is narrower is refused before it is trained", async () => {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const recipe = parseChecked(text("amount: 0.5"), "r.yaml", recipeSchema);
  const options = resnet.options(optionKit).parse({ depth: 8, width: 4 });
  const image = { data: Float32Array.from(pseudoRandom(1, 256)), shape: [4, 8, 8, 1] };
  const batch = () => ({ image, label: { data: Float32Array.of(0, 1, 2, 0), shape: [4] } });
  const examples = { length: 4, labels: null, batch } as unknown as Examples;
  const cut = (definition: ModelDefinition) => {
    const model = definition.build(options, images);
    const start = { numbers: made(resnet, options, images).numbers, startsFrom: new Map() };
    const plugin = { definition, options, path: ["student"] };
    const random = new Random(1);
    return cutChannels({ ops, recipe, plugin, input: images, model, start, random, examples, report: () => {} });
  };
  assert.deepEqual((await cut(resnet)).widths, {
    "layer1.0.conv1": [4, 2],
    "layer2.0.conv1": [8, 4],
    "layer3.0.conv1": [16, 8],
  });
  const counting: ModelDefinition = {
    ...resnet,
    build(...call) {
      const model = resnet.build(...call);
      const forward: Model["forward"] = (call) => {
        const outputs = model.forward(call);
        const [channels] = call.weights.get("layer1.0.conv1.weight").shape;
        return { ...outputs, logits: call.ops.scale(outputs.logits, channels) };
      };
      return { ...model, forward };
    },
  };
  await assert.rejects(cut(counting), {
    name: "UserError",
    message:
      /^r\.yaml:5:.*: Cannot take channels away: the narrower model gives logits that differ by up to \d.* its plug-in/,
  });
  const { withWidths: _, ...fixed } = resnet;
  await assert.rejects(cut(fixed), {
    name: "UserError",
    message: /Cannot take channels away from the model resnet: its options cannot say how many are left/,
  });
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
  await backend.close();
});

Deno.test("what cannot shrink is refused", () => {
  const { model, numbers } = network();
  const { innerWidths: _, ...fixed } = model;
  assert.throws(() => chooseChannels(section("amount: 0.5"), fixed, numbers, new Random(1)), {
    message: /Cannot take channels away from a model that does not say which of its widths may shrink/,
  });
  assert.throws(() => chooseChannels(section("amount: 0.5, layers: conv9"), model, numbers, new Random(1)), {
    message: /Nothing matches "conv9": the nearest of 3 are layer1\.0\.conv1/,
  });
  assert.throws(() => bert.withWidths!({ ffn: 4 } as never, new Map([["a", 3], ["b", 4]])), {
    name: "UserError",
    message: /Cannot build an encoder whose feed-forward networks have different widths, 3, 4: .* scope: layer$/,
  });
});
