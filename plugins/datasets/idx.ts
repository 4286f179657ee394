import { UserError } from "../../core/errors.ts";
import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { decodeIdx, pairIdx } from "./idx_format.ts";
import { imageDataset } from "./image_dataset.ts";
import { type ImageOptions, imageOptions } from "./image_options.ts";

interface IdxFiles {
  images: string;
  labels: string;
}

/** Images and labels in IDX files, plain or gzipped: MNIST, Fashion-MNIST, KMNIST and their like. */
export const idx = defineDataset<ImageOptions & { train: IdxFiles; test: IdxFiles }>({
  name: "idx",
  description: "IDX files of the MNIST family, gzipped or not",
  options: (kit) => {
    const { z } = kit;
    const file = (what: string) => z.string().min(1).describe(`File of the ${what}, relative to the recipe's base`);
    const files = (split: string) =>
      z.strictObject({ images: file(`${split} images`), labels: file(`${split} labels`) });
    return z.strictObject({ train: files("training"), test: files("test"), ...imageOptions(kit) });
  },
  async load(options, setup) {
    const [train, test] = [await decode(options.train, setup), await decode(options.test, setup)];
    const count = 1 + Math.max(...[train, test].map(({ labels }) => labels.values.reduce((a, b) => Math.max(a, b), 0)));
    const classes = options.classes ?? Array.from({ length: Math.max(count, 2) }, (_, index) => `${index}`);
    if (classes.length < count) {
      throw new UserError(`Cannot name ${count} classes by ${classes.length} names: the labels go up to ${count - 1}`);
    }
    const images = [train, test].map(({ images, labels }) => pairIdx(images, labels, classes.length));
    return imageDataset(images[0], images[1], classes, options);
  },
});

async function decode({ images, labels }: IdxFiles, { readFile }: DatasetSetup) {
  return {
    images: await decodeIdx(await readFile(images, "the images"), `"${images}"`),
    labels: await decodeIdx(await readFile(labels, "the labels"), `"${labels}"`),
  };
}
