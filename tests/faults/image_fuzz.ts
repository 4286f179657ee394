import assert from "node:assert/strict";
import { constants, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import { Random } from "../../core/data/random.ts";
import type { DatasetDefinition, DatasetSetup, Examples } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { cifar } from "../../plugins/datasets/cifar.ts";
import { idx } from "../../plugins/datasets/idx.ts";
import { answered } from "./answers.ts";
import type { Campaign, Ending } from "./campaign.ts";
import { changedBytes, oneOf } from "./mutations.ts";

type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** A data set's set-up whose files are these bytes. */
export function setupOf(files: Readonly<Files>, random = new Random(1)): DatasetSetup {
  return {
    readFile: (file) => Promise.resolve(files[file as string]),
    readFolder: (folder) => {
      const own = Object.entries(files).filter(([name]) => name.startsWith(`${folder}/`));
      return Promise.resolve(new Map(own.map(([name, bytes]) => [name.slice(folder.length + 1), bytes])));
    },
    openFolder: () => Promise.reject(new Error("no folder is opened")),
    noteInput: () => Promise.resolve(),
    random,
  };
}

/** Loads a data set of files in memory and checks it. */
async function load(
  definition: DatasetDefinition,
  options: Record<string, unknown>,
  files: Readonly<Files>,
  check: (splits: Readonly<Record<string, Examples>>) => void,
): Promise<void> {
  check((await definition.load(definition.options(optionKit).parse(options), setupOf(files))).splits);
}

/** Pixels and labels are those that a simpler reading of the files finds, pixels as parts of 1. */
function checkSplit(examples: Examples, pixels: readonly number[], labels: readonly number[]): void {
  assert.equal(examples.length, labels.length);
  const { image, label } = examples.batch(Uint32Array.from(labels, (_, index) => index));
  assert.deepEqual([...label.data], labels);
  assert.deepEqual(image.data, Float32Array.from(pixels, (pixel) => pixel / 255));
}

/** Bytes of an IDX file. */
export function idxFile(dimensions: readonly number[], values: Uint8Array, type = 8): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * dimensions.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, dimensions.length]);
  dimensions.forEach((length, axis) => view.setUint32(4 + 4 * axis, length));
  bytes.set(values, 4 + 4 * dimensions.length);
  return bytes;
}

/** Few images of 3 x 2 pixels. */
function wholeIdx(random: Random): Files {
  const files: Files = {};
  for (const split of ["train", "test"]) {
    const count = 2 + random.below(4);
    files[`${split}-images.idx`] = idxFile(
      [count, 3, 2],
      Uint8Array.from({ length: count * 6 }, () => random.below(256)),
    );
    files[`${split}-labels.idx`] = idxFile([count], Uint8Array.from({ length: count }, (_, index) => index % 3));
  }
  return files;
}

/** What a simple reader finds in an IDX file. */
function readIdx(bytes: Uint8Array): { dimensions: number[]; values: Uint8Array } {
  const file = bytes[0] === 0x1f ? new Uint8Array(gunzipSync(bytes, { maxOutputLength: 2 ** 24 })) : bytes;
  const view = new DataView(file.buffer, file.byteOffset);
  const dimensions = Array.from({ length: file[3] }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { dimensions, values: file.subarray(4 + 4 * file[3]) };
}

const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
const SIZES = [0, 1, 2, 3, 5, 255, 65_536, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** A file that was hurt before or after it was packed. */
function hurtIdx(file: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const { dimensions, values } = readIdx(file);
  const changed = (): Uint8Array<ArrayBuffer> => {
    switch (random.below(5)) {
      case 0:
        return idxFile(dimensions.with(random.below(dimensions.length), oneOf(random, SIZES)), values);
      case 1:
        return idxFile(dimensions, values, random.below(16));
      case 2:
        return idxFile([...dimensions, ...[1, 1, 0].slice(random.below(3))], values);
      case 3:
        return idxFile(Array.from({ length: random.below(256) }, () => oneOf(random, SIZES)), values);
      default:
        return changedBytes(file, random);
    }
  };
  switch (random.below(4)) {
    case 0:
      return changedBytes(gzip(file), random);
    case 1:
      return gzip(changed());
    default:
      return changed();
  }
}

/** IDX files of images and labels, gzipped or not. */
export const idxFuzz: Campaign = {
  name: "broken IDX files",
  quick: 400,
  trial(seed) {
    const random = new Random(seed).split("idx");
    const files = wholeIdx(random);
    const hurt = oneOf(random, Object.keys(files));
    files[hurt] = hurtIdx(files[hurt], random);
    const options = {
      train: { images: "train-images.idx", labels: "train-labels.idx" },
      test: { images: "test-images.idx", labels: "test-labels.idx" },
      mean: [0],
      std: [1],
    };
    // Of images of two sizes it cannot be said which file is wrong.
    return answered(/\.idx|images of/, () =>
      load(idx, options, files, (splits) => {
        for (const split of ["train", "test"]) {
          const [images, labels] = [readIdx(files[`${split}-images.idx`]), readIdx(files[`${split}-labels.idx`])];
          checkSplit(splits[split], [...images.values], [...labels.values]);
        }
      }));
  },
};

/** Gzip of some bytes and then so many MiB of zeros, without packing them all: one packed block again and again. */
function bomb(start: Uint8Array, mebibytes: number): Uint8Array<ArrayBuffer> {
  const flushed = { finishFlush: constants.Z_FULL_FLUSH, level: 9 };
  const [head, block] = [deflateRawSync(start, flushed), deflateRawSync(new Uint8Array(2 ** 20), flushed)];
  const parts = [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), head, ...Array(mebibytes).fill(block)];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 11));
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  bytes.set([1, 0, 0, 0xff, 0xff], filled); // the last block, empty; sum and length behind it are wrong
  return bytes;
}

/** Small IDX.gz files that inflate to gigabytes, whatever their headers promise. */
export const gzipBombs: Campaign = {
  name: "gzip bombs",
  quick: 20,
  trial(seed): Promise<Ending> {
    const random = new Random(seed).split("bomb");
    const files = wholeIdx(random);
    const hurt = oneOf(random, Object.keys(files));
    const { dimensions } = readIdx(files[hurt]);
    // Sizes that the limits let through, and sizes that they do not.
    const total = oneOf(random, [2 ** 24, 2 ** 28 - 64, 2 ** 28, 2 ** 29, 2 ** 30 - 64, 2 ** 30, 2 ** 31, 2 ** 32 - 1]);
    const promised = dimensions.map((_, axis) => axis === 0 ? total : 1);
    const start = idxFile(oneOf(random, [dimensions, promised, promised, Array(255).fill(1)]), new Uint8Array(0));
    files[hurt] = bomb(random.below(8) === 0 ? new Uint8Array(0) : start, oneOf(random, [1, 64, 1024, 4096]));
    const options = {
      train: { images: "train-images.idx", labels: "train-labels.idx" },
      test: { images: "test-images.idx", labels: "test-labels.idx" },
    };
    return answered(".idx", async () => {
      const { splits } = await idx.load(idx.options(optionKit).parse(options), setupOf(files));
      assert.fail(`${splits.train.length} examples of a file without a sum`);
    });
  },
};

const RECORD = 3072;

/** Records of the binary version of CIFAR. */
function cifarFile(random: Random, labels: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * (labels + RECORD));
  for (let record = 0; record < count; record++) {
    const start = record * (labels + RECORD);
    for (let byte = 0; byte < labels; byte++) bytes[start + byte] = random.below(10);
    bytes.fill(random.below(256), start + labels, start + labels + 1024);
    bytes.fill(random.below(256), start + labels + 1024, start + labels + RECORD);
  }
  return bytes;
}

/** The binary version of CIFAR-10 and CIFAR-100. */
export const cifarFuzz: Campaign = {
  name: "broken CIFAR files",
  quick: 200,
  trial(seed) {
    const random = new Random(seed).split("cifar");
    const variant = oneOf(random, ["cifar-10", "cifar-100", "cifar-100-coarse"]);
    const labels = variant === "cifar-10" ? 1 : 2;
    const names = ["train.bin", "more.bin", "test.bin"];
    const files: Files = Object.fromEntries(
      names.map((name) => [name, cifarFile(random, labels, 1 + random.below(2))]),
    );
    const hurt = oneOf(random, names);
    files[hurt] = random.below(3) === 0
      ? files[hurt].with(random.below(labels), random.below(256)) as Uint8Array<ArrayBuffer>
      : changedBytes(files[hurt], random);
    const options = { variant, train: names.slice(0, 2), test: names.slice(2), mean: [0, 0, 0], std: [1, 1, 1] };
    return answered(".bin", () =>
      load(cifar, options, files, (splits) => {
        for (const [split, parts] of [["train", names.slice(0, 2)], ["test", names.slice(2)]] as const) {
          const [pixels, classes]: [number[], number[]] = [[], []];
          for (const bytes of parts.map((part) => files[part])) {
            for (let start = 0; start < bytes.length; start += labels + RECORD) {
              classes.push(bytes[start + (variant === "cifar-100" ? 1 : 0)]);
              for (let pixel = 0; pixel < RECORD; pixel++) {
                pixels.push(bytes[start + labels + (pixel % 3) * 1024 + Math.floor(pixel / 3)]);
              }
            }
          }
          checkSplit(splits[split], pixels, classes);
        }
      }));
  },
};
