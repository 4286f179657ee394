import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { UserError } from "../../../core/errors.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { readRecipe } from "../../../core/recipe/recipe.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { countStudent } from "../../../tasks/init/counts.ts";
import { nobody, somebody } from "../../../tasks/init/asking.ts";
import { type InitFlags, makeRecipe } from "../../../tasks/init/make.ts";
import { inFolder, refusal } from "../../support/init_recipe.ts";
import { CHECKOUT } from "../../support/task.ts";
import { noisePng } from "../../support/pictures.ts";
import { writeTinyData } from "../../support/tiny_run.ts";

const SHIPPED = join(CHECKOUT, "plugins", "models", "data");

/** Makes a recipe in a folder, and reads it as a run does. */
async function made(folder: string, flags: Omit<InitFlags, "out">, asking = nobody) {
  const out = join(folder, "recipe.yaml");
  const told: string[] = [];
  const { verb, input, text } = await makeRecipe(
    { force: true, ...flags, out },
    asking,
    (about, text) => told.push(`${about} ${text}`),
  );
  await Deno.writeTextFile(out, text);
  const recipe = await readRecipe(out);
  const plugins = await resolvePlugins(recipe, builtins);
  const counts = countStudent(recipe, plugins, input);
  // The options of plug-ins are their own affair.
  // deno-lint-ignore no-explicit-any
  const value: any = recipe.value;
  return {
    value,
    verb,
    told: told.join("\n"),
    student: plugins.student,
    counts,
    text,
  };
}

const KINDS = ["calm", "angry"];
const rows = (count: number, label: (index: number) => string = (index) => KINDS[index % 2]) =>
  Array.from(
    { length: count },
    (_, index) => `${index},"guest ${index} said, the room was ${index % 2}",${label(index)}`,
  );
const table = (header: string, ...lines: string[]) => [header, ...lines].join("\n") + "\n";

Deno.test("a table of texts alone becomes a recipe that trains a small encoder", () =>
  inFolder({ "notes.csv": table("id,note,mood", ...rows(60)) }, async (folder) => {
    const { value, verb, told, counts, text: yaml } = await made(folder, { data: join(folder, "notes.csv") });
    assert.equal(verb, "train");
    assert.match(told, /^data .*: a table of texts, 48 training and 12 test examples$/m);
    assert.match(told, /^classes 2: angry \(24\), calm \(24\)$/m);
    assert.match(told, /^lengths half of the texts have up to 1\d tokens/m);
    const { name, dataset, teacher, student, losses, validation } = value;
    assert.equal(name, "notes");
    const { use, train, testPart, text, label, vocabularySize, maxLength } = dataset;
    assert.deepEqual([use, train, testPart, text, label], ["text-table", "notes.csv", 0.2, "note", "mood"]);
    assert.deepEqual([vocabularySize, maxLength], [2500, 16]);
    assert.match(yaml, /maxLength: 16 # no text is longer$/m);
    assert.match(
      counts,
      /^bert, 3\d\d,\d{3} parameters in training, 3\d\d,\d{3} at inference; at least [4567]\.\d\d MB /,
    );
    assert.deepEqual([teacher, validation.fraction], [null, 0.2]);
    assert.deepEqual([student.use, student.positions, student.overParameterise.length], ["bert", 16, 0]);
    assert.deepEqual(losses.map(({ use }: { use: string }) => use), ["cross-entropy"]);
  }));

Deno.test("the length is that of nearly all texts, also beyond what the teacher takes, and says what is cut", () => {
  const long = Array.from(
    { length: 60 },
    (_, index) => `${"word ".repeat(index < 30 ? 20 : 140)}${index},${KINDS[index % 2]}`,
  );
  return inFolder({ "notes.csv": table("text,label", ...long) }, async (folder) => {
    const { value, text, told } = await made(folder, { data: join(folder, "notes.csv") });
    assert.match(told, /95 % up to 14\d$/m);
    assert.equal(value.dataset.maxLength, 128);
    assert.match(text, /maxLength: 128 # 5\d % of the texts are longer, and cut; attention grows with its square/);
  });
});

Deno.test("texts that are longer than what is looked at are said to be so", () => {
  const notes = (long: number) =>
    table(
      "text,label",
      ...Array.from({ length: 60 }, (_, i) => `${"word ".repeat(i < long ? 700 : 9)}${i},${KINDS[i % 2]}`),
    );
  return inFolder({ "half.csv": notes(50), "some.csv": notes(10) }, async (folder) => {
    const told = async (name: string) => (await made(folder, { data: join(folder, name) })).told;
    assert.match(await told("half.csv"), /^lengths half of the texts have 512 tokens or more$/m);
    assert.match(await told("some.csv"), /^lengths half of the texts have up to 1\d tokens, 5 % 512 or more$/m);
  });
});

Deno.test("one class is most of those that have a label, however many have none", () =>
  inFolder({
    "mails.csv": table(
      "text,label",
      ...rows(300, (i) => i >= 100 ? "" : i % 20 ? "ham" : "spam").map((row) => row.slice(row.indexOf('"'))),
    ),
  }, async (folder) => {
    const { value, text } = await made(folder, {
      data: join(folder, "mails.csv"),
      teacher: join(SHIPPED, "mail-bert4"),
    });
    assert.equal(value.train.monitor, "validation.f1Macro");
    assert.match(text, /monitor: validation\.f1Macro # 95 % are of one class/);
  }));

Deno.test("the shipped teacher of images gets a student like the quickstart's", () =>
  inFolder({}, async (folder) => {
    const data = join(CHECKOUT, "plugins", "datasets", "data", "fashion-mnist");
    const { value, verb, student, counts } = await made(folder, { data, teacher: join(SHIPPED, "fashion-resnet20") });
    assert.match(counts, /^resnet, 40,290 parameters in training, 19,810 at inference; /);
    const quickstart = (await readRecipe(join(CHECKOUT, "tasks", "recipes", "quickstart.yaml"))).value;
    assert.equal(verb, "distill");
    for (const key of ["mean", "std", "classes", "use"]) {
      assert.deepEqual(value.dataset[key], quickstart.dataset[key], key);
    }
    for (const key of ["use", "depth", "width", "initialise", "overParameterise"]) {
      assert.deepEqual(value.student[key], quickstart.student[key], key);
    }
    assert.equal(student.options.stem, "cifar");
    const shown = ({ use, weight }: { readonly use: string; readonly weight: unknown }) => ({ use, weight });
    assert.deepEqual(value.losses.map(shown), quickstart.losses.map(shown));
    for (const key of ["epochs", "batchSize", "schedule"]) {
      assert.deepEqual(value.train[key], quickstart.train[key as "epochs"]);
    }
    assert.equal(value.train.optimiser.learningRate, 0.1);
  }));

Deno.test("IDX files of other names are found by their parts; a student may be small all the same", () =>
  inFolder({}, async (folder) => {
    await writeTinyData(folder);
    const { value, verb } = await made(folder, { data: folder, name: "tiny" });
    assert.equal(verb, "train");
    assert.deepEqual(value.dataset.train, { images: "train-images", labels: "train-labels" });
    assert.equal(value.dataset.folder, ".");
    // 96 - 19 = 77 = 4 x 16 + 13
    assert.deepEqual([value.train.batchSize, value.train.dropLast], [16, false]);
    await writeTinyData(folder, 101);
    assert.equal((await made(folder, { data: folder, name: "tiny" })).value.train.dropLast, true, "81 = 5 x 16 + 1");
    await Deno.remove(join(folder, "test-labels"));
    assert.match(await refusal(folder, { data: folder }, "b.yaml"), /^Cannot find the test labels among the IDX files/);
  }));

Deno.test("e-mails in folders get the classes of their teacher, and half of its layers", () => {
  const mail = (index: number) => `From: a@b.example\nSubject: note ${index}\n\nThis is message ${index}.\n`;
  const files = ["easy-ham-1", "easy-ham-2", "spam-1"].flatMap((group) =>
    Array.from({ length: 12 }, (_, index) => [`mails/${group}/${index}`, mail(index + group.length * 100)] as const)
  );
  return inFolder(Object.fromEntries(files), async (folder) => {
    const data = join(folder, "mails");
    const { value, text } = await made(folder, { data, teacher: join(SHIPPED, "mail-bert4") });
    assert.deepEqual(value.dataset.classes, { ham: ["easy-ham-1", "easy-ham-2"], spam: ["spam-1"] });
    assert.deepEqual([value.student.layers, value.student.initialise.from], [2, "teacher"]);
    assert.match(text, /learningRate: 0\.0003 }/);
    const { dataset } = (await made(folder, { data })).value;
    assert.deepEqual(dataset.classes, { "easy-ham": ["easy-ham-1", "easy-ham-2"], spam: ["spam-1"] });
    const small = (await made(folder, { data, teacher: join(SHIPPED, "mail-bert4"), student: "small" })).value.student;
    assert.deepEqual([small.initialise, small.overParameterise], [null, []]);
  });
});

Deno.test("sentences with tags are known by their content, and taught by the marginals of a CRF", () =>
  inFolder({}, async (folder) => {
    const data = join(CHECKOUT, "plugins", "datasets", "data", "speech-phrases");
    const { value, told } = await made(folder, { data, teacher: join(SHIPPED, "phrases-bert") });
    assert.match(told, /^tags 10: O, B-ADJP, /m);
    assert.deepEqual([value.student.crf, value.student.layers], [true, 1]);
    assert.deepEqual(value.losses.map(({ use }: { use: string }) => use), [
      "crf",
      "structure-marginals",
      "tensor-alignment",
    ]);
  }));

Deno.test("texts without labels are taught by the teacher alone, under its classes", () =>
  inFolder(
    { "notes.csv": table("text", ...rows(40).map((row) => row.split('"')[1].replaceAll(",", ""))) },
    async (folder) => {
      const { value } = await made(folder, { data: join(folder, "notes.csv"), teacher: join(SHIPPED, "mail-bert4") });
      assert.deepEqual([value.dataset.label, value.dataset.classes], [null, ["ham", "spam"]]);
      assert.deepEqual(value.losses.map(({ use }: { use: string }) => use), ["kd", "tensor-alignment"]);
    },
  ));

Deno.test("pictures in folders by class keep their size if it is one, and get one if not; splits by name are found", () =>
  inFolder({}, async (folder) => {
    const write = async (path: string, seed: number, side: number) => {
      await Deno.mkdir(join(folder, path, ".."), { recursive: true });
      await Deno.writeFile(join(folder, path), noisePng(seed, side));
    };
    for (let seed = 0; seed < 24; seed++) await write(`own/${seed % 2 ? "cat" : "dog"}/${seed}.png`, seed, 8);
    const { value, told } = await made(folder, { data: join(folder, "own"), flip: true });
    assert.match(told, /^images 8 x 8, 3 channels$/m);
    assert.deepEqual([value.dataset.use, value.dataset.folder, value.dataset.testPart], ["image-folder", "own", 0.2]);
    assert.deepEqual([value.dataset.size, value.augment.flip], [null, true]);
    await write("own/cat/large.png", 99, 20);
    const { dataset } = (await made(folder, { data: join(folder, "own") })).value;
    assert.deepEqual([dataset.size, dataset.fit], [64, "crop"]);
    for (let seed = 0; seed < 24; seed++) {
      await write(`split/${seed < 16 ? "train" : "val"}/${seed % 2 ? "cat" : "dog"}/${seed}.png`, seed, 8);
    }
    const split = (await made(folder, { data: join(folder, "split") })).value.dataset;
    assert.deepEqual([split.testPart, split.trainFolder, split.testFolder], [null, "train", "val"]);
    await Deno.writeTextFile(join(folder, "own/dog/broken.png"), "no picture");
    assert.match(await refusal(folder, { data: join(folder, "own") }, "new.yaml"), /^--data own: .*broken\.png/);
  }));

Deno.test("what cannot be told is refused in a sentence that names the flag", () =>
  inFolder({
    "two.csv": table("title,abstract,label", ...rows(40).map((row) => row.replace(/^\d+/, "some words about it"))),
    "labels.csv": table("id,text,kind,level", ...rows(40, (index) => `${index % 3},${index % 2}`)),
    "none.csv": table("text", ...rows(40).map((row) => row.split('"')[1].replaceAll(",", ""))),
    "tags.txt": "anna B-PER\nwent O\n\nbob B-PER\nsaw O\n\n",
    "other.bin": "?",
    "other.onnx": "?",
    "recipe.yaml": "mine",
    "three.csv": table("text,label", ...rows(40, (index) => `${index % 3}`).map((row) => row.slice(row.indexOf('"')))),
    "empty/a.md": "",
  }, async (folder) => {
    const at = (name: string) => join(folder, name);
    const refusals: [Omit<InitFlags, "out">, RegExp][] = [
      [{}, /^Cannot start without data: say it with --data FILE_OR_FOLDER$/],
      [{ data: at("nowhere") }, /^--data nowhere: Cannot find a file or a folder of that name$/],
      [
        { data: at("two.csv") },
        /^Cannot tell which column of "two\.csv" holds the texts: it may be title or abstract; say it with --text COLUMN/,
      ],
      [{ data: at("labels.csv") }, /"labels\.csv" is the label: it may be kind or level; say it with --label COLUMN$/],
      [{ data: at("labels.csv"), label: "levl" }, /^--label levl: .*: did you mean "level"\?$/],
      [{ data: at("none.csv") }, /is the label: it has text, of which none .*--label COLUMN, or name a --teacher/],
      [
        { data: at("tags.txt") },
        /^--data tags\.txt: Cannot do without test sentences: name their file with --test FILE/,
      ],
      [{ data: at("other.bin") }, /^--data other\.bin: Cannot recognise the data: expected a table of texts/],
      [{ data: at("empty") }, /Cannot recognise the data, it holds a\.md: expected /],
      [
        { data: at("three.csv"), task: "regressio" },
        /^--task regressio: Expected classification, regression or multi-label$/,
      ],
      [{ data: at("three.csv"), student: "smal" }, /^--student smal: .*did you mean "small"\?$/],
      [{ data: at("three.csv"), student: "half" }, /^--student half: .* as there is no teacher: expected small$/],
      [
        { data: at("three.csv"), teacher: at("empty") },
        /^--teacher empty: Expected a model folder: there is no config\.json in it$/,
      ],
      [{ data: at("three.csv"), teacher: at("other.onnx") }, /^Cannot read "other\.onnx" as an ONNX model: /],
      [
        { data: at("three.csv"), teacher: at("other.bin") },
        /^--teacher other\.bin: Expected a model folder, .* an ONNX /,
      ],
      [
        { data: at("three.csv"), teacher: join(SHIPPED, "mail-bert4") },
        /Cannot teach 3 classes, 0, 1 and 2, by a model of 2, ham and spam$/,
      ],
      [
        { data: at("three.csv"), teacher: join(SHIPPED, "fashion-resnet20") },
        /Cannot teach by a model of images, as the data are texts/,
      ],
      [
        { data: at("three.csv"), teacher: join(SHIPPED, "phrases-bert") },
        /answers a tag for each word, as the labels are classes$/,
      ],
    ];
    for (const [flags, sentence] of refusals) assert.match(await refusal(folder, flags, "new.yaml"), sentence);
    assert.match(
      await refusal(folder, { data: at("three.csv") }),
      /^Cannot write "recipe\.yaml" as it is there already: --force replaces it, --out names another$/,
    );
    assert.equal(await Deno.readTextFile(at("recipe.yaml")), "mine");
    // Two classes under other names than the teacher's: which is which nobody knows but the user.
    await Deno.writeTextFile(at("mood.csv"), table("text,mood", ...rows(40).map((row) => row.slice(row.indexOf('"')))));
    const flags = { data: at("mood.csv"), teacher: join(SHIPPED, "mail-bert4") };
    assert.match(
      await refusal(folder, flags, "new.yaml"),
      /Cannot tell which of its classes, ham and spam, is which .* --teacher-classes /,
    );
    assert.match(
      await refusal(folder, { ...flags, teacherClasses: "calm,sad" }, "new.yaml"),
      /^--teacher-classes calm,sad: Expected /,
    );
    const { value } = await made(folder, { ...flags, teacherClasses: "calm,angry" });
    assert.deepEqual(value.teacher.classes, ["calm", "angry"]);
  }));

Deno.test("at a terminal the same is asked for, again until it is answered", () =>
  inFolder({
    "two.csv": table("title,abstract,label", ...rows(40).map((row) => row.replace(/^\d+/, "some words about it"))),
  }, async (folder) => {
    const answers = [join(folder, "two.csv"), "none", "7", "3"];
    const asked: string[] = [];
    const asking = somebody((text) => {
      asked.push(text);
      return answers.shift() ?? null;
    }, (line) => asked.push(line));
    const { value, verb } = await made(folder, {}, asking);
    assert.deepEqual([verb, value.dataset.text, value.dataset.pair], ["train", "title", "abstract"]);
    assert.ok(asked.includes("Which column of two.csv holds the texts?"));
    assert.equal(asked.filter((text) => text === "1 to 3:").length, 2);
    // A terminal that is closed is as nobody.
    assert.throws(
      () => somebody(() => null, () => {}).say({ question: "?", cannot: "Cannot go on", flag: "--x" }, null),
      UserError,
    );
  }));

Deno.test("pictures are grey for a teacher of grey ones, also where its preprocessor_config.json says the rest", () =>
  inFolder({}, async (folder) => {
    const teacher = join(folder, "teacher");
    await Deno.mkdir(teacher);
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(join(SHIPPED, "fashion-resnet20", name), join(teacher, name));
    }
    const { labels } = JSON.parse(await Deno.readTextFile(join(teacher, "config.json")));
    for (const [kind, name] of labels.entries()) {
      await Deno.mkdir(join(folder, "own", name), { recursive: true });
      for (let seed = 0; seed < 5; seed++) {
        await Deno.writeFile(join(folder, "own", name, `${seed}.png`), noisePng(5 * kind + seed, 28));
      }
    }
    const flags = { data: join(folder, "own"), teacher };
    assert.deepEqual((await made(folder, flags)).value.dataset.channels, 1);
    const processor = { size: { height: 28, width: 28 }, resample: 2, image_mean: [0.286], image_std: [0.353] };
    await Deno.writeTextFile(
      join(teacher, "preprocessor_config.json"),
      JSON.stringify({ image_processor_type: "ViTImageProcessor", do_resize: true, do_rescale: true, ...processor }),
    );
    const { value: { dataset }, told } = await made(folder, flags);
    assert.deepEqual([dataset.processor, dataset.channels], ["teacher", 1]);
    assert.match(told, /^images 28 x 28, 1 channel$/m);
  }));

Deno.test("examples are counted as a run does, whose validation is a part of those with a label", () =>
  inFolder({
    "notes.csv": table(
      "text,label",
      ...rows(60, (i) => i % 3 ? KINDS[i % 2] : "").map((row) => row.slice(row.indexOf('"'))),
    ),
  }, async (folder) => {
    await Deno.writeTextFile(
      join(folder, "test.csv"),
      table("text,label", ...rows(8).map((row) => row.slice(row.indexOf('"')))),
    );
    const { text } = await made(folder, { data: join(folder, "notes.csv"), test: join(folder, "test.csv") });
    // 60 less a fifth of the 40 with a label
    assert.match(text, /steps an epoch of 52 examples/);
    assert.doesNotMatch(text, /its teacher/);
  }));
