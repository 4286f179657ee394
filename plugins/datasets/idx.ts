import { isAbsolute, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { decodeIdx, pairIdx } from "./idx_format.ts";
import { imageDataset } from "./image_dataset.ts";
import { type ImageOptions, imageOptions } from "./image_options.ts";

interface IdxFiles {
  images: string;
  labels: string;
}

interface IdxOptions extends ImageOptions {
  folder: string;
  train: IdxFiles;
  test: IdxFiles;
}

/** Images and labels in IDX files, plain or gzipped: MNIST, Fashion-MNIST, KMNIST and their like. */
export const idx = defineDataset<IdxOptions>({
  name: "idx",
  description: "IDX files of the MNIST family, gzipped or not",
  options: (kit) => {
    const { z } = kit;
    const files = (split: string, prefix: string) =>
      z.strictObject({
        images: z.string().min(1).default(`${prefix}-images-idx3-ubyte.gz`).describe(`File of the ${split} images`),
        labels: z.string().min(1).default(`${prefix}-labels-idx1-ubyte.gz`).describe(`File of the ${split} labels`),
      }).prefault({}).describe(`Files of the ${split} examples, in the folder; gzipped or not`);
    return z.strictObject({
      folder: z.string().min(1).default(".").describe("Folder of the files, relative to the recipe's base"),
      train: files("training", "train"),
      test: files("test", "t10k"),
      ...imageOptions(kit),
    });
  },
  async load(options, setup) {
    const [train, test] = [
      await decode(options.folder, options.train, setup),
      await decode(options.folder, options.test, setup),
    ];
    const count = 1 + Math.max(...[train, test].map(({ labels }) => labels.values.reduce((a, b) => Math.max(a, b), 0)));
    const classes = options.classes ?? Array.from({ length: Math.max(count, 2) }, (_, index) => `${index}`);
    if (classes.length < count) {
      throw new UserError(`Cannot name ${count} classes by ${classes.length} names: the labels go up to ${count - 1}`);
    }
    const images = [train, test].map(({ images, labels }) => pairIdx(images, labels, classes.length));
    return imageDataset(images[0], images[1], classes, options);
  },
});

async function decode(folder: string, { images, labels }: IdxFiles, { readFile }: DatasetSetup) {
  const read = async (file: string, what: string) => {
    const path = isAbsolute(file) ? file : join(folder, file);
    return await decodeIdx(await readFile(path, what), `"${path}"`);
  };
  return { images: await read(images, "the images"), labels: await read(labels, "the labels") };
}
