import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../../core/deno/install.ts";
import { Random } from "../../../../core/data/random.ts";
import { initialWeights, type TaughtModel } from "../../../../core/distill/student/initial_weights.ts";
import { freshWeights, headOf } from "../../../../core/plugin/parameters.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { InputDescription } from "../../../../core/plugin/dataset.ts";
import type { Model, ModelDefinition } from "../../../../core/plugin/model.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../../../../core/safetensors.ts";
import { readModelWeights } from "../../../../core/model_folder/read_weights.ts";
import { mobilenet } from "../../../../plugins/models/mobilenet/mobilenet.ts";
import { resnet } from "../../../../plugins/models/resnet/resnet.ts";
import { mlp } from "../../../../plugins/models/stack/mlp.ts";
import { imageData } from "../../../support/inputs.ts";
import { recorder } from "../../../support/run_observers.ts";
import { tinyRun, withTinyData, writeTinyData } from "../../../support/tiny_run.ts";
import { buildBert, textInput } from "../../../plugins/models/bert_fixture.ts";
import { buildVit } from "../../../plugins/models/vit_fixture.ts";

const encoder = (layers: number, classes = 4, options = {}, task: InputDescription["task"] = "classification") =>
  buildBert({ layers, width: 8, heads: 2, ...options }, textInput(task, {}, classes));

const images = <Options>(definition: ModelDefinition<Options>, options = {}) =>
  definition.build(definition.options(optionKit).parse(options), imageData([8, 8, 1], ["a", "b"]));

const HEAD = ["classifier.weight", "classifier.bias"];
const FRESH = "the student starts with a fresh classifier.weight and classifier.bias, as head: fresh says";

/** A pre-trained encoder and its file, as the `weights` of a recipe. */
async function withPretrained(model: Model, body: (weights: string, numbers: Numbers) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const numbers = freshWeights(model, new Random(7));
    const file = join(folder, "w.safetensors");
    const tensors = model.parameters.map(({ name, shape }) => [name, { shape, data: numbers.get(name)! }] as const);
    await writeSafetensors(file, new Map(tensors));
    await body(`weights: ${JSON.stringify(file)}`, numbers);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Numbers = ReadonlyMap<string, Float32Array>;

/** What a student starts from, and what the user reads. */
async function start(model: Model, student: string, teacher: TaughtModel | null = null) {
  const text =
    `name: start\ndataset: { use: idx }\nlosses: [{ use: cross-entropy }]\nstudent: { use: bert, ${student} }\n` +
    "train: { epochs: 1 }\n";
  const lines: string[] = [];
  const recipe = parseChecked(text, "recipe.yaml", recipeSchema);
  const report = (line: string) => void lines.push(line);
  return { ...await initialWeights(recipe, model, teacher, new Random(3), report), lines };
}

/** Holds a student's numbers against those that it starts from and, of some, fresh ones. */
function expectStart(model: Model, numbers: Numbers, { from, fresh }: { from: Numbers; fresh: readonly string[] }) {
  const random = freshWeights(model, new Random(3));
  assert.deepEqual([...numbers.keys()].sort(), model.parameters.map(({ name }) => name).sort());
  for (const { name } of model.parameters) {
    assert.deepEqual(numbers.get(name), (fresh.includes(name) ? random : from).get(name), name);
  }
}

const refused = (promise: Promise<unknown>, message: RegExp) => assert.rejects(promise, { name: "UserError", message });

Deno.test("a head for another number of classes is refused, and fresh where the recipe asks for it", () =>
  withPretrained(encoder(2, 5), async (weights, from) => {
    const student = encoder(2, 3);
    await refused(
      start(student, weights),
      /shapes differ: classifier\.weight is \[5, 8\], expected \[3, 8\], .*; head: fresh gives the student a new one$/,
    );
    const { numbers, lines } = await start(student, `${weights}, head: fresh`);
    expectStart(student, numbers, { from, fresh: HEAD }); // the pooler is the file's
    assert.deepEqual(lines, [FRESH]);
    // What does not fit elsewhere is no matter of the head.
    const wider = buildBert({ layers: 2, width: 16, heads: 2 }, textInput("classification", {}, 3));
    await refused(start(wider, weights), /shapes differ: .* more$/);
    await refused(start(wider, `${weights}, head: fresh`), /shapes differ: .* more$/);
  }));

Deno.test("a head that fits is kept, unless the recipe asks for a fresh one", () =>
  withPretrained(encoder(2), async (weights, from) => {
    const student = encoder(2);
    const kept = await start(student, weights);
    expectStart(student, kept.numbers, { from, fresh: [] });
    assert.deepEqual(kept.lines, []);
    const fresh = await start(student, `${weights}, head: fresh`);
    expectStart(student, fresh.numbers, { from, fresh: HEAD });
    assert.deepEqual(fresh.lines, [FRESH]);
  }));

Deno.test("a fresh head in the place of the teacher's is no copy of it", async () => {
  const model = encoder(4);
  const teacher = { model, numbers: freshWeights(model, new Random(7)) };
  const student = encoder(4);
  const whole = "initialise: { from: teacher }";
  const { numbers, startsFrom, lines } = await start(student, `${whole}, head: fresh`, teacher);
  expectStart(student, numbers, { from: teacher.numbers, fresh: HEAD });
  assert.deepEqual(lines, ["the student's layers start as the teacher's 0, 1, 2, 3", FRESH]);
  for (const name of HEAD) assert.ok(!startsFrom.has(name), name);
  assert.equal(startsFrom.get("bert.pooler.dense.weight"), "bert.pooler.dense.weight");
});

Deno.test("a fresh head without anything to start from is refused", async () => {
  await refused(start(encoder(2), "head: fresh"), /^recipe\.yaml:4:\d+: .* fresh head: it starts from nothing/);
  const model: Model = { ...encoder(2), classifier: undefined, head: undefined };
  await withPretrained(
    encoder(2),
    (weights) =>
      refused(start(model, `${weights}, head: fresh`), /its model does not say which of its tensors that is$/),
  );
});

Deno.test("each family says which tensors make its logits", () => {
  const of = (model: Model) => headOf(model)?.join(" ");
  assert.equal(of(encoder(1)), HEAD.join(" "));
  assert.equal(of(encoder(1, 4, { variant: "roberta" })), "classifier.out_proj.weight classifier.out_proj.bias");
  assert.equal(of(encoder(1, 4, { variant: "distilbert", types: 0 })), HEAD.join(" "));
  assert.match(of(encoder(1, 4, { crf: true }, "tagging"))!, /^classifier\.weight classifier\.bias .*transitions/);
  assert.equal(of(buildVit({ layers: 1, width: 8, heads: 2, patch: 4 })), HEAD.join(" "));
  assert.equal(of(images(resnet, { depth: 8 })), "fc.weight fc.bias");
  assert.equal(of(images(mobilenet, { width: 0.25 })), "classifier.1.weight classifier.1.bias");
  assert.match(of(images(mlp, { widths: [4] }))!, /^(\d)\.weight \1\.bias$/);
});

Deno.test("a student starts from some layers of its weights, and says which", () =>
  withPretrained(encoder(12), async (weights, from) => {
    const expected = (chosen: readonly number[]) =>
      new Map([
        ...from,
        ...encoder(chosen.length).parameters.map(({ name }) => {
          const source = name.replace(/layer\.(\d+)/, (_, layer) => `layer.${chosen[layer]}`);
          return [name, from.get(source)!] as const;
        }),
      ]);
    for (
      const [layers, chosen] of [
        ["mapped", [3, 7, 11]],
        ["first", [0, 1, 2]],
        ["last", [9, 10, 11]],
        ["[11, 1, 1]", [11, 1, 1]],
      ] as const
    ) {
      const { numbers, lines, startsFrom } = await start(
        encoder(3),
        `${weights}, initialise: { from: weights, layers: ${layers} }`,
      );
      expectStart(encoder(3), numbers, { from: expected(chosen), fresh: [] });
      const file = JSON.parse(weights.slice("weights: ".length));
      assert.deepEqual(lines, [`the student's layers start as ${chosen.join(", ")} of the 12 in "${file}"`]);
      assert.equal(startsFrom.size, 0, "they are no copies of a teacher's");
    }
    const both = await start(encoder(3, 2), `${weights}, initialise: { from: weights }, head: fresh`);
    expectStart(encoder(3, 2), both.numbers, { from: expected([3, 7, 11]), fresh: HEAD });

    await refused(start(encoder(3), weights), /it is of another model: 144 of its tensors have no place in this one/);
    const from1 = `${weights}, initialise: { from: weights, layers: [12, 0, 1] }`;
    await refused(start(encoder(3), from1), /Cannot start from the weights' layer 12: expected one of 0 to 11$/);
    await refused(
      start(encoder(13), `${weights}, initialise: { from: weights }`),
      /Cannot start 13 layers from the weights' 12: list the layers to be repeated$/,
    );
    await refused(
      start(encoder(3), "initialise: { from: weights }"),
      /layers of weights: student\.weights names none$/,
    );
    await refused(
      start(images(resnet, { depth: 8 }), `${weights}, initialise: { from: weights }`),
      /expected an encoder, whose layers are numbered; for other models name the weights as the teacher's/,
    );
  }));

Deno.test("layers of a file whose queries, keys and values are apart go to a student that has them fused", () => {
  const vision = (layers: number, qkv: string) => buildVit({ layers, width: 8, heads: 2, patch: 4, qkv });
  return withPretrained(vision(4, "split"), async (weights, from) => {
    const { numbers } = await start(vision(2, "fused"), `${weights}, initialise: { from: weights }`);
    const qkv = numbers.get("vit.encoder.layer.0.attention.attention.qkv.weight")!;
    const part = (name: string) => from.get(`vit.encoder.layer.1.attention.attention.${name}.weight`)!;
    assert.deepEqual([...qkv], ["query", "key", "value"].flatMap((name) => [...part(name)]));
  });
});

Deno.test("a teacher without a head is told how to get one", () =>
  withPretrained(encoder(1), async (weights) => {
    const file = JSON.parse(weights.slice("weights: ".length));
    const { tensors } = await readSafetensors(file);
    const body = [...tensors].filter(([name]) => !HEAD.includes(name));
    await writeSafetensors(file, new Map(body.map(([name, t]) => [name, { shape: t.shape, data: toFloat32(t) }])));
    await refused(
      readModelWeights(file, encoder(1), "teacher"),
      /it lacks 2 of \d+ tensors: .*; it has no head yet: train it as a student first, with deno task train$/,
    );
  }));

Deno.test("a run trains a fresh head on frozen layers, and says what is frozen", () =>
  withTinyData(async (folder) => {
    const plain = ["student.overParameterise=[]", "train.epochs=1"];
    await tinyRun(folder, { output: "before", overrides: plain });
    await writeTinyData(folder, 96, 24, { label: (value) => value % 2 }); // two classes in the place of three
    const tuned = [...plain, "student.weights=before/student"];
    await refused(
      tinyRun(folder, { overrides: tuned }),
      /^--set student\.weights=.*fc\.weight is \[3, 16\], expected \[2, 16\], .*; head: fresh gives the student a new one$/,
    );
    const frozen = [...tuned, "student.head=fresh", "train.layerRates=[{ layers: ['*', '!fc*'], scale: 0 }]"];
    const { lines, warnings, reporter } = recorder();
    await tinyRun(folder, { overrides: frozen, output: "after", reporter });
    assert.deepEqual(lines.slice(0, 2), [
      "the student starts with a fresh fc.weight and fc.bias, as head: fresh says",
      "train.layerRates freezes 27 of 29 weights, 4,972 of 5,006 numbers; running statistics follow the data all the same",
    ]);
    assert.deepEqual(warnings, []);
    const read = async (run: string) => (await readSafetensors(join(folder, run, "student/model.safetensors"))).tensors;
    const [before, after] = [await read("before"), await read("after")];
    for (const [name, tensor] of after) {
      if (name.includes("running") || name.startsWith("fc.")) continue;
      assert.deepEqual(toFloat32(tensor), toFloat32(before.get(name)!), `${name} is frozen`);
    }
    assert.deepEqual(after.get("fc.weight")!.shape, [2, 16]);
  }));

Deno.test("a head that fits by its size alone is warned about", () =>
  withTinyData(async (folder) => {
    const run = (output: string, classes: string, overrides: readonly string[] = []) => {
      const { warnings, reporter } = recorder();
      const all = ["student.overParameterise=[]", "train.maxSteps=1", `dataset.classes=${classes}`, ...overrides];
      return tinyRun(folder, { output, overrides: all, reporter }).then(() => warnings);
    };
    await run("before", "[cat, dog, cow]");
    const from = "student.weights=before/student";
    const told = (names: string) => [
      `the student starts with the head of "before/student", whose classes are cat, dog and cow, not ${names}: ` +
      "head: fresh in student gives it a new one",
    ];
    assert.deepEqual(await run("others", "[hat, log, row]", [from]), told("hat, log and row"));
    assert.deepEqual(await run("order", "[dog, cat, cow]", [from]), told("dog, cat and cow"));
    assert.deepEqual(await run("fresh", "[hat, log, row]", [from, "student.head=fresh"]), []);
    assert.deepEqual(await run("same", "[Cat, Dog, Cow]", [from]), []);
  }));
