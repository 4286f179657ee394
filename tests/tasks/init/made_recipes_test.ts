import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { distill } from "../../../core/distill/distill.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { encodeSafetensors } from "../../../core/safetensors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { type Asking, nobody, somebody } from "../../../tasks/init/asking.ts";
import { type InitFlags, makeRecipe } from "../../../tasks/init/make.ts";
import { FIXTURES, linear, matrix } from "../../plugins/models/onnx_fixture.ts";
import { saveLayers, smallNetwork, tfl } from "../../plugins/models/tfjs_fixture.ts";
import { noisePng } from "../../support/pictures.ts";
import { tinyRun, writeTinyData } from "../../support/tiny_run.ts";

/** Makes a recipe from flags. */
async function made(folder: string, flags: Omit<InitFlags, "out">, asking: Asking = nobody) {
  const file = join(folder, "recipe.yaml");
  const { text, verb } = await makeRecipe({ ...flags, out: file, force: true }, asking, () => {});
  const recipe = parseChecked(text, file, recipeSchema, {
    overrides: ["train.maxSteps=2", { path: ["output"], value: join(folder, "run"), label: "test" }],
  });
  return { recipe, text, verb };
}

/** The same, and really runs it for two steps. */
async function run(folder: string, flags: Omit<InitFlags, "out">, asking?: Asking) {
  const { recipe, text, verb } = await made(folder, flags, asking);
  const backend = await CpuBackend.create();
  try {
    const { steps } = await distill(recipe, { backend, builtins });
    assert.equal(steps, 2, text);
    assert.equal(backend.memory().storages, 0);
  } finally {
    await backend.close();
  }
  await Deno.remove(join(folder, "run"), { recursive: true });
  // The options of plug-ins are their own affair.
  // deno-lint-ignore no-explicit-any
  return { ...(recipe.value as any), verb, text };
}

async function inFolder(body: (folder: string, at: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder, (name) => join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refused(folder: string, flags: Omit<InitFlags, "out">, asking = nobody): Promise<string> {
  const made = makeRecipe({ ...flags, out: join(folder, "refused.yaml") }, asking, () => {});
  const { name, message } = await made.then(() => ({ name: "none", message: "" }), (error) => error);
  assert.equal(name, "UserError", message);
  return message.replaceAll(`${folder}/`, "");
}

const COUNT = 24;
const numbers = Array.from({ length: COUNT }, (_, index) => index);
const kindOf = (index: number) => index % 2 ? "cat" : "dog";
const tableOf = (header: string, row: (index: number) => string) => [header, ...numbers.map(row), ""].join("\n");
const jsonl = (row: (index: number) => unknown) => numbers.map((index) => JSON.stringify(row(index)) + "\n").join("");
const usesOf = (losses: readonly { readonly use: string }[]) => losses.map(({ use }) => use);
const textOf = (index: number) => `a note of guest ${index} about the ${kindOf(index)}`;

/** Pictures of noise. */
async function writePictures(folder: string, nameOf: (index: number) => string): Promise<void> {
  for (const index of numbers) {
    const path = join(folder, nameOf(index));
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeFile(path, noisePng(index, 8));
  }
}

/** A linear layer on pictures. */
const ofPictures = (classes: number) =>
  linear({
    inputs: [{ name: "x", shape: ["n", 3, 8, 8] }],
    outputs: [{ name: "logits", shape: ["n", classes] }],
    constants: [matrix(192, classes)],
  });

Deno.test("a table of paths of pictures becomes an image-table, from whatever folder its paths count", () =>
  inFolder(async (folder, at) => {
    await writePictures(at("set/pets"), (index) => `${index}.png`);
    await Deno.writeTextFile(at("set/pets.csv"), tableOf("file,kind", (index) => `${index}.png,${kindOf(index)}`));
    const { dataset, verb, student } = await run(folder, { data: at("set/pets.csv") });
    const { use, folder: pictures, train, testPart, path, label, onBad } = dataset;
    assert.deepEqual([use, pictures, train, testPart], ["image-table", "set/pets", "set/pets.csv", 0.2]);
    assert.deepEqual([path, label, onBad, verb, student.use], ["file", "kind", "refuse", "train", "resnet"]);
    await Deno.rename(at("set/pets"), at("elsewhere"));
    const flags = { data: at("set/pets.csv") };
    assert.match(await refused(folder, flags), /^Cannot find the pictures of .*"0\.png".* with --pictures FOLDER$/);
    assert.match(await refused(folder, { ...flags, pictures: at("none") }), /^--pictures none: Cannot find a folder/);
    assert.equal((await run(folder, { ...flags, pictures: at("elsewhere") })).dataset.folder, "elsewhere");
    assert.match(
      await refused(folder, { ...flags, text: "file" }),
      /^Cannot take the column "file" of "pets\.csv" for texts as it names pictures, the first "0\.png": leave out --text/,
    );
    assert.match(
      await refused(folder, { ...flags, pictures: at("elsewhere"), pair: "kind" }),
      /^--pair kind: Expected a table of texts as data/,
    );
  }));

Deno.test("what is done about broken pictures is said by a flag, or asked", () =>
  inFolder(async (folder, at) => {
    await writePictures(at("pets"), (index) => `${kindOf(index)}/${index}.png`);
    await Deno.writeTextFile(at("pets/cat/broken.png"), "no picture");
    const flags = { data: at("pets") };
    const sentence =
      /^--data pets: Cannot use all pictures: skipped 1 example .*broken\.png.*; --on-bad skip leaves them/;
    assert.match(await refused(folder, flags), sentence);
    assert.match(await refused(folder, { ...flags, onBad: "refuse" }), /broken\.png/);
    assert.match(await refused(folder, { ...flags, onBad: "drop" }), /^--on-bad drop: Expected refuse or skip$/);
    assert.equal((await run(folder, { ...flags, onBad: "skip" })).dataset.onBad, "skip");
    const answering = (...answers: string[]) => somebody(() => answers.shift() ?? null, () => {});
    const { dataset, text } = await run(folder, flags, answering("", "none", "1"));
    assert.equal(dataset.onBad, "skip");
    assert.match(text, /onBad: skip # some are damaged or missing; refuse: stop at the first/);
    assert.match(await refused(folder, flags, answering("", "none", "2")), sentence);
  }));

Deno.test("several labels an example become multi-label: lists, flags, and names with something between them", () =>
  inFolder(async (folder, at) => {
    const sets = [["sport"], ["money", "sport"], ["money"], []];
    const set = (index: number) => sets[index % 3];
    await Deno.writeTextFile(at("lists.jsonl"), jsonl((index) => ({ text: textOf(index), labels: sets[index % 4] })));
    const lists = await run(folder, { data: at("lists.jsonl") });
    assert.deepEqual([lists.dataset.task, lists.dataset.separator], ["multi-label", null]);
    assert.deepEqual(usesOf(lists.losses), ["binary-cross-entropy"]);
    const flags = jsonl((index) => ({ text: textOf(index), label: [index % 2, (index >> 1) % 2, 1] }));
    await Deno.writeTextFile(at("flags.jsonl"), flags);
    const flagged = (await run(folder, { data: at("flags.jsonl") })).dataset;
    assert.deepEqual([flagged.flags, flagged.classes], [true, ["0", "1", "2"]]);
    await Deno.writeTextFile(at("names.csv"), tableOf("text,tags", (i) => `${textOf(i)},${set(i).join("|")}`));
    const named = (await run(folder, { data: at("names.csv") })).dataset;
    assert.deepEqual([named.task, named.label, named.separator], ["multi-label", "tags", "|"]);
    // Under a name of one, who knows.
    await Deno.writeTextFile(at("open.csv"), tableOf("text,label", (i) => `${textOf(i)},${set(i).join(";")}`));
    const open = { data: at("open.csv") };
    assert.match(await refused(folder, open), /says: it may be .*--task multi-label or --task classification$/);
    assert.match((await made(folder, { ...open, task: "multi-label" })).text, /separator: ;/);
    assert.doesNotMatch((await made(folder, { ...open, task: "classification" })).text, /multi-label/);
    assert.match(
      await refused(folder, { data: at("names.csv"), label: "text", text: "tags", task: "multi-label" }),
      /^--task multi-label: Cannot find several classes in "text"/,
    );
    assert.match(
      await refused(folder, { data: at("lists.jsonl"), task: "regression" }),
      /^Cannot take the lists in "labels" of "lists\.jsonl" for one label each/,
    );
    await writePictures(at("pets"), (index) => `${index}.png`);
    await Deno.writeTextFile(at("pets.jsonl"), jsonl((index) => ({ path: `pets/${index}.png`, labels: set(index) })));
    const pictures = await run(folder, { data: at("pets.jsonl") });
    assert.deepEqual([pictures.dataset.use, pictures.dataset.task], ["image-table", "multi-label"]);
    await Deno.writeFile(at("pets.onnx"), ofPictures(2));
    const taught = { data: at("pets.jsonl"), teacher: at("pets.onnx"), teacherPixels: "0..255" };
    const { losses, teacher } = await run(folder, { ...taught, teacherClasses: "sport,money" });
    assert.deepEqual([usesOf(losses), teacher.outputs], [["binary-cross-entropy", "kd"], { logits: "logits" }]);
    const said = jsonl((index) => ({ probabilities: { money: 0.8, sport: index / COUNT } }));
    await Deno.writeTextFile(at("said.jsonl"), said);
    assert.equal((await run(folder, { ...taught, teacher: at("said.jsonl") })).teacher.independent, true);
  }));

Deno.test("numbers that may be those of classes are asked about", () =>
  inFolder(async (folder, at) => {
    await Deno.writeTextFile(at("notes.csv"), tableOf("text,label", (index) => `${textOf(index)},${index % 2}.0`));
    const flags = { data: at("notes.csv") };
    assert.equal(
      await refused(folder, flags),
      'Cannot tell what the numbers in the column "label" of "notes.csv" are: it may be "2 classes by their numbers" or ' +
        '"amounts to be predicted"; say it with --task classification or --task regression',
    );
    const classes = (await run(folder, { ...flags, task: "classification" })).losses;
    assert.deepEqual(usesOf(classes), ["cross-entropy"]);
    const answers = ["", "none", "2"];
    const asking = somebody(() => answers.shift() ?? null, () => {});
    assert.equal((await run(folder, flags, asking)).dataset.task, "regression");
  }));

Deno.test("with a teacher, too, a column that may be the label is asked about, and none is said", () =>
  inFolder(async (folder, at) => {
    const said = jsonl(() => ({ probabilities: { dog: 0.25, cat: 0.75 } }));
    await Deno.writeTextFile(at("said.jsonl"), said);
    const flags = { data: at("notes.csv"), teacher: at("said.jsonl") };
    await Deno.writeTextFile(at("notes.csv"), tableOf("nr,text,when", (i) => `${i},${textOf(i)},${i % 20} of may`));
    assert.equal(
      await refused(folder, flags),
      'Cannot tell which column of "notes.csv" is the label: it may be when or none; say it with --label COLUMN, or ' +
        "--label none if no example has one",
    );
    assert.equal((await run(folder, { ...flags, label: "none" })).dataset.label, null);
    assert.match(
      await refused(folder, { data: flags.data, label: "none" }),
      /^--label none: Cannot find that column in "notes\.csv": it has nr, text and when$/,
    );
    await Deno.writeTextFile(at("notes.csv"), tableOf("text,strength", (i) => `${textOf(i)},${i / 8}`));
    assert.match(await refused(folder, flags), /is the label: it may be strength or none;/);
    // Numbers of rows and what is the same of all are no labels.
    await Deno.writeTextFile(at("notes.csv"), tableOf("nr,text,language", (i) => `${i},${textOf(i)},en`));
    assert.equal((await run(folder, flags)).dataset.label, null);
    await Deno.writeTextFile(at("notes.csv"), tableOf("text;label", (i) => `${textOf(i)};${kindOf(i)}`));
    assert.match(await refused(folder, flags), /^Cannot tell the columns of ".*notes\.csv" by its first line/);
  }));

Deno.test("a table whose first line is an example is refused, as that would be lost", () =>
  inFolder(async (folder, at) => {
    const row = (index: number) => `${textOf(index)},${kindOf(index)}`;
    await Deno.writeTextFile(at("notes.csv"), tableOf(row(99), row));
    assert.equal(
      await refused(folder, { data: at("notes.csv") }),
      'Cannot take the first line of "notes.csv" for names of columns as it looks like an example: "cat" is a label ' +
        "further down, too. Write a line of their names above it, or name them with dataset.columns in a recipe of your " +
        "own; rename the column if it is a name",
    );
    await Deno.writeTextFile(
      at("notes.jsonl"),
      jsonl((index) => ({ text: textOf(index), cat: kindOf(index) })),
    );
    assert.equal((await made(folder, { data: at("notes.jsonl"), label: "cat" })).verb, "train");
  }));

Deno.test("an ONNX file teaches, by its own sizes, with probabilities where its graph gives them", () =>
  inFolder(async (folder, at) => {
    await writeTinyData(folder, 36, 9);
    await Deno.copyFile(join(FIXTURES, "rows.onnx"), at("rows.onnx"));
    const flags = { data: folder, teacher: at("rows.onnx"), teacherPixels: "0..1" };
    assert.match(await refused(folder, { ...flags, teacherPixels: undefined }), /--teacher-pixels RANGE$/);
    const { teacher, dataset, losses } = await run(folder, flags);
    assert.deepEqual([teacher.use, teacher.weights], ["onnx", "rows.onnx"]);
    assert.deepEqual(teacher.outputs, { probabilities: "output_probability" });
    assert.deepEqual([dataset.mean, dataset.std, usesOf(losses)], [[0], [1], ["cross-entropy", "kd"]]);

    await writePictures(at("pets"), (index) => `${kindOf(index)}/${index}.png`);
    await Deno.writeFile(at("pets.onnx"), ofPictures(2));
    const pets = { data: at("pets"), teacher: at("pets.onnx"), teacherPixels: "imagenet" };
    assert.match(await refused(folder, pets), /Cannot tell which of its classes, without names, .*--teacher-classes/);
    assert.match(
      await refused(folder, { ...pets, teacherClasses: "dog,cat", student: "half" }),
      /^--student half: Cannot take half of a teacher's layers, as of pets\.onnx, onnx, 384 parameters, there is none /,
    );
    const named = await run(folder, { ...pets, teacherClasses: "dog,cat" });
    assert.deepEqual([named.dataset.size, named.dataset.mean], [8, [0.485, 0.456, 0.406]]);
    assert.deepEqual([named.teacher.outputs, named.teacher.classes], [{ logits: "logits" }, ["dog", "cat"]]);

    // Without labels the classes are the teacher's.
    await writePictures(at("loose"), (index) => `${index}.png`);
    const loose = await run(folder, { ...pets, data: at("loose"), teacherClasses: "dog,cat" });
    assert.deepEqual([loose.dataset.labels, loose.dataset.classes], [false, ["dog", "cat"]]);
    assert.deepEqual(usesOf(loose.losses), ["kd"]);
    await Deno.writeTextFile(at("loose.csv"), tableOf("path", (index) => `loose/${index}.png`));
    const table = (await run(folder, { ...pets, data: at("loose.csv") })).dataset;
    assert.deepEqual([table.use, table.label, table.classes], ["image-table", null, ["class 0", "class 1"]]);
    for (const name of ["train", "test"]) await Deno.remove(at(`${name}-labels`));
    const idx = await run(folder, { ...flags, teacherClasses: "a,b,c" });
    assert.deepEqual([idx.dataset.train.labels, idx.dataset.classes], [null, ["a", "b", "c"]]);
  }));

Deno.test("a folder of ONNX in Hugging Face's layout says its pixels and classes, named as a folder or as its model", () =>
  inFolder(async (folder, at) => {
    await writePictures(at("pets"), (index) => `${kindOf(index)}/${index}.png`);
    await Deno.mkdir(at("hub/onnx"), { recursive: true });
    await Deno.writeFile(at("hub/onnx/model.onnx"), ofPictures(2));
    await Deno.writeTextFile(at("hub/config.json"), JSON.stringify({ id2label: { 0: "dog", 1: "cat" } }));
    const [image_mean, image_std] = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]];
    const processor = {
      image_processor_type: "ViTImageProcessor",
      size: { height: 8, width: 8 },
      image_mean,
      image_std,
    };
    await Deno.writeTextFile(at("hub/preprocessor_config.json"), JSON.stringify(processor));
    for (const named of ["hub", "hub/onnx/model.onnx"]) {
      const { teacher, dataset } = await run(folder, { data: at("pets"), teacher: at(named) });
      assert.deepEqual([teacher.use, teacher.weights, dataset.processor], ["onnx", "hub", "hub"]);
    }
    // So do folders with another precision alone; beside the exact one it is a file by itself.
    const alone = { data: at("pets"), teacher: at("hub/onnx/model_fp16.onnx") };
    await Deno.copyFile(at("hub/onnx/model.onnx"), at("hub/onnx/model_fp16.onnx"));
    assert.match(await refused(folder, alone), /--teacher-pixels RANGE$/);
    await Deno.remove(at("hub/onnx/model_fp16.onnx"));
    let file = "hub/onnx/model.onnx";
    for (const name of ["model_fp16.onnx", "model_quantized.onnx"]) {
      await Deno.rename(at(file), at(file = `hub/onnx/${name}`));
      for (const named of ["hub", file]) {
        const { teacher } = await run(folder, { data: at("pets"), teacher: at(named) });
        assert.deepEqual([teacher.use, teacher.weights], ["onnx", "hub"]);
      }
    }
    await Deno.rename(at(file), at("hub/onnx/other.onnx"));
    const other = { data: at("pets"), teacher: at("hub/onnx/other.onnx") };
    assert.match(await refused(folder, other), /--teacher-pixels RANGE$/);
  }));

Deno.test("a folder of TensorFlow.js teaches, and says by its last layer whether it gives probabilities", () =>
  inFolder(async (folder, at) => {
    await writeTinyData(folder, 36, 9);
    await Deno.mkdir(at("network"));
    await saveLayers(smallNetwork(), at("network"));
    const flags = { data: folder, teacher: at("network"), teacherPixels: "-1..1" };
    const { teacher, dataset } = await run(folder, flags);
    assert.deepEqual([teacher.use, teacher.weights, teacher.probabilities], ["tfjs", "network", false]);
    assert.deepEqual([dataset.mean, dataset.std], [[0.5], [0.5]]);
    const soft = smallNetwork();
    soft.add(tfl.layers.softmax({ name: "soft" }));
    await saveLayers(soft, at("network"));
    assert.equal((await run(folder, { ...flags, teacher: at("network/model.json") })).teacher.probabilities, true);
  }));

Deno.test("a file of outputs teaches: lists by row, maps by id, columns, tensors; augmentation is left out", () =>
  inFolder(async (folder, at) => {
    await Deno.writeTextFile(at("notes.csv"), tableOf("nr,text,label", (i) => `n${i},${textOf(i)},${kindOf(i)}`));
    await Deno.writeTextFile(at("lists.jsonl"), jsonl((index) => ({ probabilities: [0.7, 0.3 * (index ? 1 : 1)] })));
    const notes = { data: at("notes.csv"), teacher: at("lists.jsonl") };
    const lists = (await run(folder, { ...notes, teacherClasses: "dog,cat" })).teacher;
    assert.deepEqual([lists.use, lists.file, lists.key, lists.values], [
      "outputs",
      "lists.jsonl",
      "row",
      "probabilities",
    ]);
    assert.deepEqual(lists.classes, ["dog", "cat"]);

    const map = (index: number) => ({ nr: `n${COUNT - 1 - index}`, scores: { dog: index, cat: -3 } });
    await Deno.writeTextFile(at("maps.jsonl"), jsonl(map));
    const maps = await run(folder, { ...notes, teacher: at("maps.jsonl") });
    assert.deepEqual([maps.teacher.key, maps.teacher.id, maps.dataset.id], ["id", "nr", "nr"]);
    assert.deepEqual([maps.teacher.values, maps.teacher.column], ["logits", "scores"]);
    const top = (index: number) => ({ probs: { [kindOf(index)]: 0.9 } });
    await Deno.writeTextFile(at("top.jsonl"), jsonl(top));
    assert.equal((await run(folder, { ...notes, teacher: at("top.jsonl") })).teacher.rest, "spread");

    // The data may be without labels: the file names the classes.
    await Deno.writeTextFile(at("bare.csv"), tableOf("text", textOf));
    await Deno.writeTextFile(at("columns.csv"), tableOf("id,dog,cat", (index) => `${index},0.25,0.75`));
    const bare = await run(folder, { data: at("bare.csv"), teacher: at("columns.csv") });
    assert.deepEqual([bare.dataset.label, bare.dataset.classes], [null, ["dog", "cat"]]);

    const few = (index: number) => ({ probabilities: { [`${(index + 9) % 11}`]: 0.5 } });
    await Deno.writeTextFile(at("few.jsonl"), jsonl(few));
    const numbered = await made(folder, { data: at("bare.csv"), teacher: at("few.jsonl") });
    assert.match(numbered.text, /classes: \["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"\]/);

    await writePictures(at("pets"), (index) => `${kindOf(index)}/${index}.png`);
    const said = tableOf("path,dog,cat", (index) => `${kindOf(index)}/${index}.png,2,-1`);
    await Deno.writeTextFile(at("said.csv"), said);
    const pets = await run(folder, { data: at("pets"), teacher: at("said.csv") });
    assert.deepEqual([pets.teacher.key, pets.teacher.id, pets.augment.flip, pets.augment.shift], [
      "id",
      "path",
      false,
      0,
    ]);
    assert.equal(pets.teacher.values, "logits");
    const tensor = { shape: [COUNT, 2], data: Float32Array.from({ length: 2 * COUNT }, (_, place) => Math.sin(place)) };
    await Deno.writeFile(at("said.safetensors"), encodeSafetensors(new Map([["logits", tensor]])));
    const tensors =
      (await run(folder, { ...notes, teacher: at("said.safetensors"), teacherClasses: "cat,dog" })).teacher;
    assert.deepEqual([tensors.values, tensors.key], ["logits", "row"]);
    // A number that stands beside the classes is no logit; the ids by which records are joined are none either.
    await Deno.writeTextFile(at("counted.csv"), tableOf("nr,text,label", (i) => `${i + 7},${textOf(i)},${kindOf(i)}`));
    await Deno.writeTextFile(at("joined.csv"), tableOf("nr,dog,cat", (index) => `${index + 7},0.25,0.75`));
    const counted = { data: at("counted.csv"), teacher: at("joined.csv") };
    const joined = (await run(folder, counted)).teacher;
    assert.deepEqual([joined.id, joined.values, joined.independent ?? false], ["nr", "probabilities", false]);
    await Deno.writeTextFile(at("beside.csv"), tableOf("nr,dog,cat,length", (i) => `${i + 7},0.25,0.75,9`));
    assert.equal(
      await refused(folder, { ...counted, teacher: at("beside.csv") }),
      '--teacher beside.csv: Cannot tell what its numbers in the column "length" are, as the data\'s classes are cat and ' +
        "dog: leave the column out of the file",
    );
    await Deno.writeTextFile(at("none.csv"), tableOf("text", textOf));
    assert.match(
      await refused(folder, { ...notes, teacher: at("none.csv") }),
      /^--teacher none\.csv: Cannot find outputs in it: expected .*; there are text$/,
    );
  }));

Deno.test("outputs that have their texts belong to these, in whatever order, or are refused", () =>
  inFolder(async (folder, at) => {
    const flags = { data: at("notes.csv"), teacher: at("said.jsonl") };
    const write = async (textOf: (index: number) => string, said: (index: number) => string) => {
      await Deno.writeTextFile(at("notes.csv"), tableOf("text,label", (i) => `${textOf(i)},${kindOf(i)}`));
      const probabilities = { dog: 0.25, cat: 0.75 };
      await Deno.writeTextFile(at("said.jsonl"), jsonl((index) => ({ text: said(index), probabilities })));
    };
    await write(textOf, (index) => textOf(COUNT - 1 - index));
    const { teacher, dataset } = await run(folder, flags);
    assert.deepEqual([teacher.key, teacher.id, dataset.id], ["id", "text", "text"]);
    await write(textOf, textOf);
    assert.equal((await run(folder, flags)).teacher.key, "row");
    const twice = (index: number) => textOf(index >> 1);
    await write(twice, twice);
    assert.equal((await run(folder, flags)).teacher.key, "row");
    await write(twice, (index) => twice(index === 2 ? 5 : index));
    assert.equal(
      await refused(folder, flags),
      '--teacher said.jsonl: Cannot join its records to the data by their order as the "text" of line 3 is "a note of ' +
        'guest 2 about the dog", where the data have "a note of guest 1 about the cat": expected the data\'s order, texts ' +
        "that are all different, or a column of ids in both",
    );
  }));

Deno.test("a residual network in another's folder is known by its weights, and its pictures by the file beside them", () =>
  inFolder(async (folder, at) => {
    await writeTinyData(folder, 36, 9);
    const overrides = ["train.epochs=1", "validation=null", "student.overParameterise=[]"];
    await tinyRun(folder, { output: "ours", overrides });
    await Deno.mkdir(at("theirs"));
    await Deno.copyFile(at("ours/student/model.safetensors"), at("theirs/model.safetensors"));
    const config = { model_type: "resnet", id2label: { 0: "a", 1: "b", 2: "c" } };
    await Deno.writeTextFile(at("theirs/config.json"), JSON.stringify(config));
    await writePictures(at("pets"), (index) => `${"abc"[index % 3]}/${index}.png`);
    const flags = { data: at("pets"), teacher: at("theirs") };
    assert.match(await refused(folder, flags), /^--teacher theirs: Cannot tell with which pixels it was trained: /);
    const plain = await run(folder, { ...flags, teacherPixels: "-1..1" });
    assert.deepEqual([plain.teacher.use, plain.dataset.channels, plain.dataset.mean], ["resnet", 1, [0.5]]);
    const processor = { image_processor_type: "ConvNextImageProcessor", size: { shortest_edge: 7 }, crop_pct: 0.875 };
    await Deno.writeTextFile(
      at("theirs/preprocessor_config.json"),
      JSON.stringify({ ...processor, resample: 3, image_mean: [0.25], image_std: [0.5] }),
    );
    const { dataset, teacher } = await run(folder, flags);
    assert.deepEqual([dataset.processor, dataset.channels, teacher.weights], ["theirs", 1, "theirs"]);

    // Bare weights, as PyTorch's users save them, in a folder or under a name of their own.
    await Deno.mkdir(at("bare"));
    await Deno.copyFile(at("ours/student/model.safetensors"), at("bare/model.safetensors"));
    await Deno.copyFile(at("bare/model.safetensors"), at("best.safetensors"));
    const bare = { ...flags, teacherPixels: "-1..1", teacherClasses: "a,b,c" };
    for (const named of ["bare", "bare/model.safetensors", "best.safetensors"]) {
      const { use, weights, classes } = (await run(folder, { ...bare, teacher: at(named) })).teacher;
      assert.deepEqual([use, weights, classes], ["resnet", named, ["a", "b", "c"]]);
    }
    await writePictures(at("two"), (index) => `${"ab"[index % 2]}/${index}.png`);
    assert.match(
      await refused(folder, { ...bare, teacher: at("bare"), data: at("two"), teacherClasses: undefined }),
      /^--teacher bare: Cannot teach 2 classes, a and b, by a model of 3$/,
    );
    assert.match(
      await refused(folder, { ...bare, teacher: at("bare"), data: at("two"), teacherClasses: "a,b" }),
      /^--teacher bare: Cannot teach 2 classes, a and b, by a model of 3$/,
    );
    const encoder = encodeSafetensors(new Map([["encoder.weight", { shape: [3, 3], data: new Float32Array(9) }]]));
    await Deno.writeFile(at("bare/model.safetensors"), encoder);
    assert.match(
      await refused(folder, { ...bare, teacher: at("bare") }),
      /^--teacher bare: Expected a model folder: there is no config\.json in it, and its weights alone do not say which/,
    );
    assert.match(
      await refused(folder, { ...bare, teacher: at("bare/model.safetensors") }),
      /^--teacher bare\/model\.safetensors: Cannot find outputs in it as it holds .*, such as encoder\.weight: /,
    );
  }));
