import assert from "node:assert/strict";
import "../../../../core/deno/install.ts";
import { Random } from "../../../../core/data/random.ts";
import { chooseLayers } from "../../../../core/distill/student/choose_layers.ts";
import { initialWeights, type TaughtModel } from "../../../../core/distill/student/initial_weights.ts";
import { freshWeights } from "../../../../core/plugin/parameters.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { Model } from "../../../../core/plugin/model.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { writeSafetensors } from "../../../../core/safetensors.ts";
import { resnet } from "../../../../plugins/models/resnet/resnet.ts";
import { imageData } from "../../../support/inputs.ts";
import { buildBert } from "../../../plugins/models/bert_fixture.ts";
import { buildVit } from "../../../plugins/models/vit_fixture.ts";

const encoder = (layers: number, width = 8) => buildBert({ layers, width, heads: 2 });

const taught = (model: Model): TaughtModel => ({ model, numbers: freshWeights(model, new Random(7)) });

/** What a student starts from, and what the user reads. */
async function start(model: Model, teacher: TaughtModel | null, student: string) {
  const text =
    `name: start\ndataset: { use: idx }\nlosses: [{ use: cross-entropy }]\nstudent: { use: bert, ${student} }\n` +
    "train: { epochs: 1, batchSize: 1, optimiser: { use: sgd, learningRate: 1 } }\n";
  const lines: string[] = [];
  const recipe = parseChecked(text, "recipe.yaml", recipeSchema);
  const report = (line: string) => void lines.push(line);
  const { numbers: weights, startsFrom } = await initialWeights(recipe, model, teacher, new Random(3), report);
  return { weights, startsFrom, lines };
}

Deno.test("layers are the first, the last, the last of each share, or as listed", () => {
  assert.deepEqual(chooseLayers(3, 6, "first"), [0, 1, 2]);
  assert.deepEqual(chooseLayers(3, 6, "last"), [3, 4, 5]);
  assert.deepEqual(chooseLayers(6, 12, "mapped"), [1, 3, 5, 7, 9, 11]);
  assert.deepEqual(chooseLayers(5, 12, "mapped"), [1, 3, 6, 8, 11]);
  assert.deepEqual(chooseLayers(3, 2, [0, 0, 1]), [0, 0, 1]);
});

Deno.test("a student of its teacher's layers has their numbers, and all others by name", async () => {
  const teacher = taught(encoder(4));
  const student = encoder(2);
  const { weights, lines } = await start(student, teacher, "initialise: { from: teacher, layers: [3, 0] }");
  assert.deepEqual(lines, ["the student's layers start as the teacher's 3, 0"]);
  for (const { name } of student.parameters) {
    const source = name.replace(/layer\.(\d)/, (_, layer) => `layer.${[3, 0][layer]}`);
    assert.deepEqual(weights.get(name), teacher.numbers.get(source), name);
    assert.notEqual(weights.get(name), teacher.numbers.get(source), "a copy, not the teacher's own");
  }
});

Deno.test("a student whose queries, keys and values are fused starts from a teacher's that are apart, and back", async () => {
  const vision = (qkv: string) => buildVit({ layers: 2, width: 8, heads: 2, patch: 4, qkv });
  const first = taught(vision("split"));
  const { weights, lines } = await start(
    vision("fused"),
    first,
    "initialise: { from: teacher, layers: [1, 0] }",
  );
  assert.deepEqual(lines, ["the student's layers start as the teacher's 1, 0"]);
  const qkv = weights.get("vit.encoder.layer.0.attention.attention.qkv.weight")!;
  const part = (name: string) => first.numbers.get(`vit.encoder.layer.1.attention.attention.${name}.weight`)!;
  assert.deepEqual([...qkv], ["query", "key", "value"].flatMap((name) => [...part(name)]));

  const mapped = "initialise: { from: teacher, layers: mapped }";
  const { startsFrom } = await start(vision("fused"), first, mapped);
  assert.ok(!startsFrom.has("vit.encoder.layer.0.attention.attention.qkv.weight"), "made of three: no copy");
  assert.equal(startsFrom.get("vit.encoder.layer.0.output.dense.weight"), "vit.encoder.layer.0.output.dense.weight");

  const fused = { model: vision("fused"), numbers: weights };
  const back = await start(vision("split"), fused, "initialise: { from: teacher, layers: [1, 0] }");
  assert.deepEqual(back.weights, first.numbers);
});

Deno.test("a student knows which weight of its teacher each of its own is a copy of", async () => {
  const teacher = taught(encoder(4));
  const query = (layer: number) => `bert.encoder.layer.${layer}.attention.self.query.weight`;
  const { startsFrom } = await start(encoder(2), teacher, "initialise: { from: teacher, layers: mapped }");
  assert.equal(startsFrom.get(query(0)), query(1));
  assert.equal(startsFrom.get(query(1)), query(3));
  assert.equal(startsFrom.get("classifier.weight"), "classifier.weight");
  assert.equal((await start(encoder(2), teacher, "initialise: null")).startsFrom.size, 0);
});

Deno.test("of a residual network's stages a block starts from the last that has its tensors", async () => {
  const resnetOf = (depth: number) =>
    resnet.build(resnet.options(optionKit).parse({ depth, width: 4 }), imageData([8, 8, 1], ["a", "b"]));
  const teacher = taught(resnetOf(20));
  const { weights, lines } = await start(resnetOf(8), teacher, "initialise: { from: teacher }");
  assert.deepEqual(lines, ["the student's layers start as the teacher's 2, 3, 6"]);
  for (const [name, numbers] of weights) {
    assert.deepEqual(numbers, teacher.numbers.get(name.replace("layer1.0.", "layer1.2.")), name);
  }
  await assert.rejects(() => start(resnetOf(8), teacher, "initialise: { from: teacher, layers: last }"), {
    name: "UserError",
    message:
      /: Cannot start layer1\.0\.conv1\.weight of shape \[4, 4, 3, 3\] from the teacher's layer3\.0\.conv1\.weight of shape/,
  });
});

Deno.test("a student that does not fit its teacher is refused in one sentence", async () => {
  const refused = (model: Model, teacher: TaughtModel | null, student: string, message: RegExp) =>
    assert.rejects(() => start(model, teacher, student), { name: "UserError", message });
  const teacher = taught(encoder(4));
  const from = (layers: string) => `initialise: { from: teacher, layers: ${layers} }`;
  await refused(encoder(2), null, from("first"), /^recipe\.yaml:4:\d+: Cannot start the student .*: there is none$/);
  await refused(
    encoder(2, 4),
    teacher,
    from("first"),
    /word_embeddings\.weight of shape \[23, 4\] from .* of shape \[23, 8\]: they must be equal, by .* of the teacher$/,
  );
  await refused(encoder(5), teacher, from("mapped"), /Cannot start 5 layers from the teacher's 4: list/);
  await refused(encoder(2), teacher, from("[1]"), /Cannot start 2 layers from \[1\]: expected 2 numbers/);
  await refused(encoder(2), teacher, from("[1, 4]"), /the teacher's layer 4: expected one of 0 to 3$/);
  await refused(
    buildBert({ variant: "distilbert", layers: 2, width: 8 }),
    teacher,
    from("first"),
    /it has no distilbert/,
  );
  await refused(encoder(2), teacher, `weights: w.safetensors, ${from("first")}`, /as well as from its teacher$/);
});

Deno.test("a student that starts from an encoder without a head gets a fresh one, and says so", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const model = encoder(2);
    const { numbers } = taught(model);
    const body = model.parameters.filter(({ name }) => !model.head!.includes(name));
    const file = `${folder}/w.safetensors`;
    const plain = (name: string) => name.replace(/^bert\./, ""); // as a bare BertModel is saved
    await writeSafetensors(
      file,
      new Map(body.map(({ name, shape }) => [plain(name), { shape, data: numbers.get(name)! }])),
    );
    const { weights, lines } = await start(model, null, `weights: ${JSON.stringify(file)}`);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0],
      /fresh bert\.pooler\.dense\.weight, .* and classifier\.bias, which ".*w\.safetensors" lacks$/,
    );
    const fresh = freshWeights(model, new Random(3));
    for (const { name } of model.parameters) {
      const expected = model.head!.includes(name) ? fresh : numbers;
      assert.deepEqual(weights.get(name), expected.get(name), name);
    }
    await writeSafetensors(file, new Map([["classifier.bias", { shape: [4], data: new Float32Array(4) }]]));
    await assert.rejects(() => start(model, null, `weights: ${JSON.stringify(file)}`), {
      name: "UserError",
      message: /it lacks \d+ of \d+ tensors: bert\.embeddings\.word_embeddings\.weight/,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
