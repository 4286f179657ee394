import assert from "node:assert/strict";
import { useFiles } from "../../../core/files/current.ts";
import { memoryFiles } from "../../../core/files/memory_files.ts";
import { currentFiles } from "../../../core/files/current.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { imageFolder } from "../../../plugins/datasets/image_folder.ts";
import { goldenFile, imagesIn, loadPictures, noisePng, pictureSetup, plainPng } from "../../support/pictures.ts";

type Content = Record<string, Uint8Array | string>;

/** Two classes with a picture each, to train and to test. */
const small = (): Content => ({
  "pets/train/cat/1.png": plainPng([255, 0, 0]),
  "pets/train/dog/1.png": plainPng([0, 0, 255]),
  "pets/test/cat/a.png": plainPng([255, 255, 0]),
  "pets/test/dog/b.png": plainPng([0, 255, 255]),
});

const load = (content: Content, options: Record<string, unknown> = {}, setup = pictureSetup()) => {
  useFiles(memoryFiles(content));
  return loadPictures(imageFolder, { folder: "pets", ...options }, setup);
};

Deno.test("a folder for each class: classes by the alphabet, the splits by their folders, mean and deviation measured", async () => {
  const content = { ...small(), "pets/val/dog/deep/er.png": plainPng([0, 0, 255]), "pets/train/cat/.DS_Store": "x" };
  const dataset = await load(content);
  const { input, splits, warnings } = dataset;
  assert.deepEqual([input.task, input.classes, input.image?.size], ["classification", ["cat", "dog"], [2, 2, 3]]);
  assert.deepEqual(Object.keys(splits).sort(), ["test", "train", "val"]);
  assert.deepEqual([[...splits.train.labels!], [...splits.val.labels!]], [[0, 1], [1]]);
  // Red is 1 and 0 in the training pictures: mean and deviation 1/2. Green is 0: the least deviation.
  assert.deepEqual(input.image?.normalise, { mean: [0.5, 0, 0.5], std: [0.5, 1e-6, 0.5] });
  assert.deepEqual((await imagesIn(dataset, "train"))[0].slice(0, 3), [1, 0, -1]);
  assert.equal(warnings?.length, 2);
  assert.match(warnings![0], /^the split "val" has no picture of "cat"/);
  assert.match(warnings![1], /^1 of the 1 pictures of the split "val" are training pictures, too, byte for byte/);
});

Deno.test("grey, resized and cropped, with mean and deviation of the recipe", async () => {
  const content = { ...small(), "pets/train/cat/1.png": noisePng(1, 6, 9), "pets/test/cat/a.png": noisePng(2, 9, 6) };
  const options = { channels: 1, size: [4, 4], fit: "crop", mean: [0], std: [1] };
  const dataset = await load(content, options);
  const { processor, ...image } = dataset.input.image!;
  assert.deepEqual(image, { size: [4, 4, 1], normalise: { mean: [0], std: [1] } });
  assert.deepEqual(processor, {
    resample: 2,
    image_processor_type: "CLIPImageProcessor",
    size: { shortest_edge: 4 },
    do_center_crop: true,
    crop_size: { height: 4, width: 4 },
    crop_rounding: "half-even",
    do_convert_rgb: false,
  });
  const [, dog] = await imagesIn(dataset, "train");
  assert.ok(dog.every((pixel) => Math.abs(pixel - 29 / 255) < 1e-6), "blue is 29 of 255 bright");
});

Deno.test("the middle of a picture is torchvision's where the recipe crops it, and so a saved student has it", async () => {
  const wide = noisePng(1, 4, 7);
  const content: Content = {};
  for (const split of ["train", "test"]) {
    for (const kind of ["cat", "dog"]) content[`pets/${split}/${kind}/1.png`] = wide;
  }
  const bytes = { mean: [0, 0, 0], std: [1, 1, 1] };
  const shown = async (own: Content, options: Record<string, unknown>) => {
    const dataset = await load(own, { ...options, ...bytes });
    const pixels = (await imagesIn(dataset, "train"))[0];
    return { pixels, processor: dataset.input.image!.processor };
  };
  const whole = (await shown(content, {})).pixels;
  const from = (begin: number) => [0, 1, 2, 3].flatMap((row) => whole.slice((row * 7 + begin) * 3).slice(0, 12));
  const cropped = await shown(content, { size: 4, fit: "crop" });
  // int(round((7 - 4) / 2.0)) is 2, where transformers has (7 - 4) // 2.
  assert.deepEqual(cropped.pixels, from(2));
  const saved = (processor: unknown): Content => ({
    ...content,
    "own/preprocessor_config.json": JSON.stringify(processor),
  });
  const normalised = { image_mean: bytes.mean, image_std: bytes.std };
  const own = { ...cropped.processor, ...normalised };
  assert.deepEqual((await shown(saved(own), { processor: "own" })).pixels, from(2));
  const { crop_rounding: _, ...foreign } = { crop_rounding: null, ...own };
  assert.deepEqual((await shown(saved(foreign), { processor: "own" })).pixels, from(1));
});

Deno.test("a teacher's preprocessor_config.json says size, filter, crop and normalisation", async () => {
  const config = {
    image_processor_type: "CLIPImageProcessor",
    size: { shortest_edge: 6 },
    crop_size: { height: 4, width: 4 },
    do_center_crop: true,
    resample: 3,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.25, 0.25, 0.25],
  };
  const content = { ...small(), "teacher/preprocessor_config.json": JSON.stringify(config) };
  const { input } = await load(content, { processor: "teacher" });
  const third = [1, 1, 1];
  const { image_mean: _mean, image_std: _std, ...others } = config;
  assert.deepEqual(input.image, {
    size: [4, 4, 3],
    processor: others,
    normalise: { mean: third.map(() => 0.5), std: third.map(() => 0.25) },
  });
  const message = /^Expected either processor, or size, fit, shortest and resample/;
  const parsed = imageFolder.options(optionKit).safeParse({ folder: "pets", processor: "teacher", size: 4 });
  assert.match(parsed.error!.issues[0].message, message);
});

Deno.test("options that do not agree are told at their keys", () => {
  const refusal = (options: Record<string, unknown>) => {
    const { issues: [{ path, message }] } = imageFolder.options(optionKit).safeParse({ folder: "pets", ...options })
      .error!;
    return [path.join("."), message];
  };
  assert.deepEqual(refusal({ size: [8, 16], fit: "crop", shortest: 12 }), [
    "shortest",
    "Expected shortest to be at least 16, the longest side of size, as less leaves black around the picture: got 12",
  ]);
  assert.deepEqual(refusal({ size: 16, shortest: 20 }), [
    "shortest",
    "Expected fit: crop with shortest, as what is stretched has no shorter side to go by: got fit: stretch",
  ]);
  assert.deepEqual(refusal({ fit: "crop" }), ["fit", "Expected a size to crop to with fit: got none"]);
});

Deno.test("a part of each class is the test set; equal pictures stay on one side", async () => {
  const content: Content = {};
  for (let i = 0; i < 10; i++) {
    content[`pets/cat/${i}.png`] = noisePng(i, 3);
    content[`pets/dog/${i}.png`] = noisePng(20 + i % 2, 3);
  }
  const { splits, warnings } = await load(content, { testPart: 0.4 });
  const counts = (labels: ArrayLike<number>) =>
    [0, 1].map((label) => Array.from(labels).filter((l) => l === label).length);
  assert.deepEqual(
    [counts(splits.train.labels!), counts(splits.test.labels!)],
    [[6, 4], [5, 5]].map((_, side) => side === 0 ? [6, 5] : [4, 5]),
  );
  assert.equal(warnings, undefined);
  await assert.rejects(load(content, { testPart: 0.001 }), {
    name: "UserError",
    message:
      "Cannot hold out 0.001 of 20 examples to test on as that rounds to none of any class: expected a part of " +
      "0.05 or more",
  });
  const few = await load(content, { testPart: 0.05 });
  assert.deepEqual(counts(few.splits.test.labels!), [1, 0], "a cat, as five dogs are alike, and too many");
  const most = await load(content, { testPart: 0.99 });
  assert.deepEqual(counts(most.splits.train.labels!), [1, 5], "no class without a training picture");
});

/** Twelve pictures that take 1.4 MB as pixels. */
function large(): Content {
  const names = ["train/cat/1", "train/cat/2", "train/cat/3", "train/dog/1", "train/dog/2", "train/dog/3"];
  const all = [...names, ...names.map((name) => name.replace("train", "test"))];
  return Object.fromEntries(all.map((name, seed) => [`pets/${name}.png`, noisePng(seed, 8)]));
}

Deno.test("what memory does not hold is read from the cache, or decoded again, and is the same", async () => {
  const whole = await load(large(), { size: 200, resample: "nearest" });
  assert.equal(whole.splits.train.fetch, undefined, "it is in memory");
  const expected = [await imagesIn(whole, "train"), await imagesIn(whole, "test")];
  const augmentation = { flip: true, shift: 3, seed: 1, epoch: 2 };
  const chosen = Uint32Array.of(4, 1);
  const augmented = whole.splits.train.batch(chosen, augmentation).image;
  for (const cache of [true, false]) {
    const streamed = await load(large(), { size: 200, resample: "nearest", memory: 1, cache });
    const { train } = streamed.splits;
    assert.ok(train.fetch, "it is fetched");
    assert.throws(() => train.batch(chosen), "nothing was fetched yet");
    await train.fetch(chosen);
    assert.deepEqual(train.batch(chosen, augmentation).image, augmented, "some of them");
    assert.deepEqual([await imagesIn(streamed, "train"), await imagesIn(streamed, "test")], expected);
    assert.deepEqual(streamed.input, whole.input);
  }
});

Deno.test("the cache is used by later runs; one that is damaged is not, and a picture that changed is refused", async () => {
  const options = { size: 200, resample: "nearest", memory: 1 };
  const expected = await imagesIn(await load(large(), options), "train");
  const files = currentFiles();
  const names = (await files.list("runs/cache")).map(({ name }) => `runs/cache/${name}`).sort();
  assert.match(names.join(), /^runs\/cache\/pictures-[0-9a-f]{16}\.bin,runs\/cache\/pictures-[0-9a-f]{16}\.json$/);
  const pixels = await files.read(names[0]);
  const again = () => loadPictures(imageFolder, { folder: "pets", ...options });
  // A byte of each image turned: all are decoded again.
  const damaged = pixels.map((byte, at) => at % 120000 === 7 ? byte ^ 1 : byte);
  await files.write(names[0], damaged);
  assert.deepEqual(await imagesIn(await again(), "train"), expected);
  assert.deepEqual(await files.read(names[0]), damaged, "they were decoded from their files");
  await files.write(names[0], pixels.subarray(1));
  assert.deepEqual(await imagesIn(await again(), "train"), expected);
  assert.deepEqual(await files.read(names[0]), pixels, "a pack of another size is made anew");
  const last = await again();
  await files.write(names[0], damaged);
  await files.write("pets/train/cat/1.png", noisePng(99, 8));
  await assert.rejects(imagesIn(last, "train"), {
    name: "UserError",
    message: 'Cannot use "pets/train/cat/1.png" as it was changed since it was first read: start the run again',
  });
});

Deno.test("broken pictures are refused by name, or skipped, counted and listed", async () => {
  const content = { ...small(), "pets/train/cat/2.jpg": goldenFile("jpeg-444").subarray(0, 500) };
  await assert.rejects(load(content, { size: 2 }), {
    message:
      'Cannot use the picture "train/cat/2.jpg" of "pets" as it ends before its picture does: mend it, leave it ' +
      "out, or set onBad to skip, which leaves such examples out",
  });
  const skipped = [{
    file: "pets",
    count: 1,
    first: ['the picture "train/cat/2.jpg": it ends before its picture does'],
  }];
  const dataset = await load(content, { size: 2, onBad: "skip" });
  assert.deepEqual([dataset.skipped, dataset.splits.train.length], [skipped, 2]);
  const cached = await loadPictures(imageFolder, { folder: "pets", size: 2, onBad: "skip" });
  assert.deepEqual([cached.skipped, cached.splits.train.length], [skipped, 2], "from the cache, too");
  await assert.rejects(loadPictures(imageFolder, { folder: "pets", size: 2 }), { name: "UserError" });
});

const without = (...paths: string[]) =>
  Object.fromEntries(Object.entries(small()).filter(([path]) => !paths.includes(path)));

const refused: readonly (readonly [name: string, Content, Record<string, unknown>, RegExp])[] = [
  ["an empty folder", { "pets/readme.txt": "" }, {}, /^Cannot find classes in "pets": expected train\/ and test\//],
  ["a folder that is not there", { "x/y": "" }, {}, /^Cannot read the pictures "pets" as there is no such file/],
  [
    "classes without splits",
    { "pets/cat/1.png": plainPng([0]), "pets/dog/1.png": plainPng([1]) },
    {},
    /^Cannot find classes in "pets"/,
  ],
  [
    "no test folder",
    { ...without("pets/test/cat/a.png", "pets/test/dog/b.png"), "pets/val/cat/1.png": plainPng([5]) },
    {},
    /^Cannot find "test" with a folder for each class in "pets": there are train and val; set testFolder to one of them/,
  ],
  [
    "one class",
    without("pets/train/dog/1.png", "pets/test/dog/b.png"),
    {},
    /^Cannot tell classes apart by "pets\/train": "cat" is the only folder in it$/,
  ],
  [
    "a class that only the test set has",
    { ...small(), "pets/test/bird/1.png": plainPng([7]) },
    {},
    /^Cannot use the class "bird" of "pets\/test" as "pets\/train" does not have it: there are cat and dog$/,
  ],
  [
    "a class whose pictures are all skipped",
    { ...small(), "pets/train/dog/1.png": "no picture" },
    { onBad: "skip" },
    /^Cannot learn the class "dog" from "pets": no training picture shows it$/,
  ],
  [
    "a split whose pictures are all skipped",
    { ...small(), "pets/test/dog/b.png": "", "pets/test/cat/a.png": "" },
    { onBad: "skip" },
    /^Cannot use "pets" as none of its 2 examples can be used: the picture "test\/cat\/a.png": it is empty$/,
  ],
  ["classes that are not there", small(), { classes: ["cat", "cow"] }, /^Cannot find the class "cow" in "pets\/train"/],
  [
    "sizes that differ",
    { ...small(), "pets/test/dog/b.png": noisePng(1, 3) },
    {},
    /^Cannot use pictures of different sizes: "pets\/.*" has \d x \d pixels, and .*; set size, to which all are resized$/,
  ],
  ["transparent pixels", { ...small(), "pets/test/dog/b.png": goldenFile("png-rgba") }, { size: 2 }, /set background/],
  ["means of another number", small(), { mean: [0.5], std: [0.5] }, /^Cannot normalise 3 channels by 1 values in mean/],
  [
    "a page in a picture's place",
    { ...small(), "pets/test/dog/b.png": "<!doctype html>" },
    {},
    /as it is a page of HTML: expected PNG, JPEG, WebP, GIF or BMP: mend it/,
  ],
  [
    "a format that is not read",
    { ...small(), "pets/test/dog/b.tif": "II*\0" },
    {},
    /as it is a TIFF picture: expected/,
  ],
];

for (const [name, content, options, message] of refused) {
  Deno.test(`image-folder refuses ${name}`, async () => {
    await assert.rejects(load(content, options), { name: "UserError", message });
  });
}

Deno.test("the folder of a class without a training picture is refused by its name", async () => {
  const refusal = async (content: Content, empty: readonly string[], options: Record<string, unknown> = {}) => {
    useFiles(memoryFiles(content));
    for (const folder of empty) await currentFiles().makeFolder(folder, true);
    return await loadPictures(imageFolder, { folder: "pets", ...options }).then(
      ({ input: { classes } }) => classes.join(),
      ({ message }) => String(message),
    );
  };
  const none = (path: string) =>
    `Cannot learn the class "cow" as its folder "pets/${path}" holds no picture: put its pictures there, remove the ` +
    "folder, or name the other classes in classes";
  const cow = { "pets/test/cow/1.png": plainPng([9, 9, 9]) };
  assert.equal(await refusal(small(), ["pets/train/cow"]), none("train/cow"));
  assert.equal(await refusal(small(), ["pets/test/cow"]), none("test/cow"));
  assert.equal(await refusal({ ...small(), ...cow }, ["pets/train/cow/deep"]), none("train/cow"));
  assert.equal(await refusal(small(), ["pets/train/cow"], { classes: ["cat", "cow"] }), none("train/cow"));
  assert.equal(await refusal({ ...small(), "pets/train/cow/readme.md": "" }, []), none("train/cow"));
  const whole: Content = {};
  for (const i of [0, 1, 2, 3]) whole[`pets/${i % 2 ? "cat" : "dog"}/${i}.png`] = noisePng(i, 2);
  assert.equal(await refusal(whole, ["pets/cow"], { testPart: 0.5 }), none("cow"));
  // What is no class, or none that is wanted, may be empty.
  const others = ["pets/train/.cache", "pets/train/cat/more", "pets/val/cow", "pets/more"];
  assert.equal(await refusal(small(), others), "cat,dog");
  assert.equal(await refusal(small(), ["pets/train/cow"], { classes: ["dog", "cat"] }), "dog,cat");
});

Deno.test("testPart does not take the folders of splits for classes, unless classes names them", async () => {
  for (const second of ["test", "val", "validation"]) {
    const content: Content = {};
    for (const split of ["train", second]) {
      for (const i of [0, 1, 2, 3]) content[`pets/${split}/${i % 2 ? "cat" : "dog"}/${i}.png`] = noisePng(i, 2);
    }
    await assert.rejects(load(content, { testPart: 0.5 }), {
      name: "UserError",
      message: new RegExp(
        `^Cannot split "pets" by testPart as it holds train/ and ${second}/: leave out testPart, or, if these are classes`,
      ),
    });
    const { input } = await load(content, { testPart: 0.5, classes: [second, "train"] });
    assert.deepEqual(input.classes, [second, "train"]);
  }
});

Deno.test("odd names are names, and are shown on one line", async () => {
  const odd = ["a b", "ä\u0301", "__proto__", "x\ny", "-rf", "%41", "'\""];
  const content: Content = {};
  for (const [seed, name] of odd.entries()) {
    content[`pets/train/${name}/${name}.png`] = noisePng(seed, 2);
    content[`pets/test/${name}/${name}.png`] = noisePng(50 + seed, 2);
  }
  const { input, splits } = await load(content);
  assert.deepEqual(input.classes, [...odd].sort());
  assert.equal(splits.test.length, odd.length);
  content["pets/train/x\ny/x\ny.png"] = "";
  await assert.rejects(load(content), { message: /^Cannot use the picture "train\/x\\ny\/x\\ny\.png" of "pets"/ });
});

Deno.test("further files are left out and told", async () => {
  const { warnings } = await load({ ...small(), "pets/train/cat/labels.txt": "x", "pets/readme.md": "x" });
  assert.deepEqual(warnings, [
    '2 files of "pets" are left out as they are no pictures of a class: "pets/readme.md" and "train/cat/labels.txt"'
      .replace("pets/readme", "readme"),
  ]);
  const { warnings: one } = await load({ ...small(), "pets/readme.md": "x" });
  assert.deepEqual(one, ['1 file of "pets" is left out as it is no picture of a class: "readme.md"']);
});

Deno.test("what is decoded is noted: another file, name or form is another input", async () => {
  const noteOf = async (content: Content, options = {}) => {
    const noted = new Map<string, string>();
    await load(content, options, pictureSetup(noted));
    return noted.get("pets");
  };
  const first = await noteOf(small());
  assert.equal(await noteOf(small()), first);
  const moved = { ...without("pets/train/cat/1.png"), "pets/train/cat/2.png": plainPng([255, 0, 0]) };
  const others = [
    await noteOf({ ...small(), "pets/train/cat/1.png": plainPng([254, 0, 0]) }),
    await noteOf(moved),
    await noteOf(small(), { size: 2, resample: "bicubic" }),
    await noteOf(small(), { orient: false }),
  ];
  assert.equal(new Set([first, ...others]).size, 5);
});

Deno.test("a data set says for its models that its pictures are not turned", async () => {
  assert.equal((await load(small(), { orient: false })).input.image!.orient, false);
  assert.equal((await load(small())).input.image!.orient ?? true, true);
});

Deno.test("a folder of pictures without labels is trained on, too; paths are the examples' ids", async () => {
  const content = { ...small(), "pets/more/a.png": noisePng(1, 2), "pets/more/b/c.png": noisePng(2, 2) };
  const { labels, labelled, source } = (await load(content, { unlabelled: "more" })).splits.train;
  assert.deepEqual([[...labels!], [...labelled!]], [[0, 1, -1, -1], [1, 1, 0, 0]]);
  assert.deepEqual(source?.ids, ["train/cat/1.png", "train/dog/1.png", "more/a.png", "more/b/c.png"]);
  const grouped = await load(content, { unlabelled: "more", groups: { wild: ["dog"], tame: ["cat"] } });
  assert.deepEqual([...grouped.splits.train.labels!], [1, 0, -1, -1]);
  await assert.rejects(load(small(), { unlabelled: "more" }), {
    message: 'Cannot find pictures in the folder "more" of "pets": expected those without labels',
  });
});

Deno.test("pictures without labels need no folders of classes, but their names", async () => {
  const content = {
    "pets/a.png": noisePng(1, 2),
    "pets/b/c.png": noisePng(2, 2),
    "pets/d.png": noisePng(3, 2),
    "pets/e.png": noisePng(3, 2),
  };
  const none = { labels: false, classes: ["cat", "dog"] };
  const { splits, input, warnings } = await load(content, { ...none, testPart: 0.5 });
  assert.deepEqual([input.classes, splits.train.length, splits.test.length], [["cat", "dog"], 1, 3]);
  assert.deepEqual([[...splits.train.labelled!], [...splits.test.labelled!]], [[0], [0, 0, 0]]);
  assert.equal(warnings, undefined, "equal pictures are on one side");
  const split = await load({ "pets/train/a.png": noisePng(1, 2), "pets/test/b/c.png": noisePng(2, 2) }, none);
  assert.deepEqual([split.splits.train.source?.ids, split.splits.test.source?.ids], [["train/a.png"], [
    "test/b/c.png",
  ]]);
  const refused = (content: Content, options: Record<string, unknown>, message: RegExp) =>
    assert.rejects(load(content, { ...none, ...options }), { message });
  await refused(content, { classes: null }, /Cannot tell the classes of pictures without labels: name them in classes/);
  await refused(content, { testPart: 0.5, classes: ["cat", "cat"] }, /^Cannot use classes as it has "cat" twice/);
  await refused(
    { "pets/read.me.md": "" },
    { testPart: 0.5 },
    /^Cannot find pictures in "pets": expected pictures, and/,
  );
  await refused(content, {}, /^Cannot find "train" /);
});

Deno.test("pictures of the test set that are trained on are told, whatever they are called", async () => {
  const { warnings } = await load({ ...small(), "pets/test/dog/c.png": plainPng([255, 0, 0]) });
  assert.deepEqual(warnings, [
    '1 of the 3 pictures of the split "test" are training pictures, too, byte for byte ("test/dog/c.png" is ' +
    '"train/cat/1.png"): what is measured on them says nothing of new pictures',
  ]);
});
