import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { cifar } from "../../../plugins/datasets/cifar.ts";
import { equalImages } from "../../../plugins/datasets/equal_images.ts";
import { idx } from "../../../plugins/datasets/idx.ts";

const images = (...pixels: number[]) =>
  ({ pixels: Uint8Array.from(pixels), count: pixels.length / 2, height: 1, width: 2, channels: 1 }) as const;

Deno.test("images have one number where all bytes are equal, also in another list", () => {
  const numbers = equalImages([images(1, 2, 2, 1, 1, 2), images(9, 9, 2, 1), images()]);
  assert.deepEqual(numbers.map((own) => [...own]), [[0, 1, 0], [2, 1], []]);
});

Deno.test("images of one hash are told apart by their bytes", () => {
  // Found by trying: both have the same FNV-1a of 32 bits.
  const pixels = Uint8Array.of(205, 53, 228, 192, 162, 183, 29, 96, 217, 147, 70, 206);
  const numbers = equalImages([{ pixels, count: 2, height: 1, width: 2, channels: 3 }]);
  assert.deepEqual([...numbers[0]], [0, 1]);
});

/** A data set's setup whose files are these. */
const setup = (files: Record<string, Uint8Array<ArrayBuffer>>): DatasetSetup => ({
  readFile: (name) => Promise.resolve(files[String(name)]),
  readFolder: () => assert.fail("no folder is read"),
  openFolder: () => assert.fail("no folder is opened"),
  noteInput: () => Promise.resolve(),
  random: new Random(0),
});

const idxImages = (...pixels: number[]) =>
  Uint8Array.of(0, 0, 8, 3, 0, 0, 0, pixels.length, 0, 0, 0, 1, 0, 0, 0, 1, ...pixels);
const idxLabels = (...labels: number[]) => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, labels.length, ...labels);

Deno.test("copies among IDX images are known, and told where they are trained on and measured on", async () => {
  const options = {
    train: { images: "a", labels: "b" },
    test: { images: "c", labels: "d" },
    unlabelled: ["e"],
    takeTrain: 3,
    mean: [0],
    std: [1],
  };
  const files = {
    a: idxImages(10, 20, 10, 30),
    b: idxLabels(0, 1, 0, 1),
    c: idxImages(50, 40, 30, 10),
    d: idxLabels(0, 1, 1, 0),
    e: idxImages(40),
  };
  const { splits, warnings } = await idx.load(idx.options(optionKit).parse(options), setup(files));
  assert.deepEqual([...splits.train.equal!], [0, 1, 0, 3]);
  assert.deepEqual([...splits.test.equal!], [2, 3, 4, 0]);
  assert.deepEqual(warnings, [
    '2 of the 4 images of the split "test" are training images, too, byte for byte (test image 2 is further image ' +
    "1): what is measured on them says nothing of new images",
  ]);
});

Deno.test("CIFAR images are held against each other, too", async () => {
  const record = (label: number, pixel: number) => [label, ...new Uint8Array(32 * 32 * 3).fill(pixel)];
  const files = { a: Uint8Array.from([...record(0, 1), ...record(1, 2)]), b: Uint8Array.from(record(2, 2)) };
  const { splits, warnings } = await cifar.load(
    cifar.options(optionKit).parse({ train: ["a"], test: ["b"] }),
    setup(files),
  );
  assert.deepEqual([[...splits.train.equal!], [...splits.test.equal!]], [[0, 1], [1]]);
  assert.match(warnings!.join(), /^1 of the 1 images of the split "test" are training images, too, byte for byte \(/);
});
