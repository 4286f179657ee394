import { isUrl, nameOfFile } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import { isAbsolute, join } from "../../core/paths.ts";
import { type DatasetSetup, defineDataset, type RemoteFile } from "../../core/plugin/dataset.ts";
import { bounded } from "../../core/recipe/bounds.ts";
import { decodeIdx, type IdxArray, idxImages, pairIdx } from "./idx_format.ts";
import { imageDataset } from "./image_dataset.ts";
import { type ImageOptions, imageOptions } from "./image_options.ts";

type File = string | RemoteFile;

interface IdxFiles {
  images: File;
  /** `null`: the images have no labels. */
  labels: File | null;
}

interface IdxOptions extends ImageOptions {
  folder: string;
  train: IdxFiles;
  test: IdxFiles;
  unlabelled: File[];
  noLabel: number | null;
}

/** Images and labels in IDX files, plain or gzipped: MNIST, Fashion-MNIST, KMNIST and their like. */
export const idx = defineDataset<IdxOptions>({
  name: "idx",
  description: "IDX files of the MNIST family, gzipped or not",
  source: "LeCun et al. 1998 (MNIST); Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747 (Fashion-MNIST)",
  options: (kit) => {
    const { z, dataFile } = kit;
    const files = (split: string, prefix: string) =>
      z.strictObject({
        images: dataFile().default(`${prefix}-images-idx3-ubyte.gz`).describe(`File of the ${split} images`),
        labels: dataFile().nullable().default(`${prefix}-labels-idx1-ubyte.gz`).describe(
          `File of the ${split} labels; null: the images have none`,
        ),
      }).prefault({}).describe(
        `Files of the ${split} examples, gzipped or not: paths in the folder, or URLs with their SHA-256`,
      );
    return z.strictObject({
      folder: z.string().min(1).refine((folder) => !isUrl(folder), {
        error: "Cannot take a URL for the folder: name each file in it as { url: …, sha256: … }",
      }).default(".").describe("Folder of the files, relative to the recipe's base"),
      train: files("training", "train"),
      test: files("test", "t10k"),
      unlabelled: z.array(dataFile()).default([]).describe("Files of further training images, which have no labels"),
      noLabel: bounded(z.int().min(0).max(255), "labels are bytes").nullable().default(null).describe(
        "The label of an image that has none, such as 255; null: every label is a class",
      ),
      ...imageOptions(kit),
    });
  },
  async load(options, setup) {
    const { folder, noLabel } = options;
    const [train, test] = [
      await decode(folder, options.train, setup),
      await decode(folder, options.test, setup),
    ];
    const further = [];
    for (const file of options.unlabelled) {
      further.push(idxImages(await read(folder, file, "the unlabelled images", setup)));
    }
    const largest = (labels: IdxArray | null) =>
      labels?.values.reduce((most, label) => label === noLabel ? most : Math.max(most, label), -1) ?? -1;
    const count = 1 + Math.max(largest(train.labels), largest(test.labels));
    if (count === 0 && !options.classes) {
      throw new UserError(
        "Cannot tell the classes as no image has a label: name them in classes, in the order of the teacher's logits",
      );
    }
    const classes = options.classes ?? Array.from({ length: Math.max(count, 2) }, (_, index) => `${index}`);
    if (classes.length < count) {
      throw new UserError(`Cannot name ${count} classes by ${classes.length} names: the labels go up to ${count - 1}`);
    }
    const images = [train, test].map(({ images, labels }) => pairIdx(images, labels, classes.length, noLabel));
    return imageDataset(images[0], images[1], classes, options, further, {
      train: nameOfFile(options.train.images),
      test: nameOfFile(options.test.images),
    });
  },
});

async function decode(folder: string, { images, labels }: IdxFiles, setup: DatasetSetup) {
  return {
    images: await read(folder, images, "the images", setup),
    labels: labels === null ? null : await read(folder, labels, "the labels", setup),
  };
}

async function read(folder: string, name: File, what: string, { readFile }: DatasetSetup): Promise<IdxArray> {
  const file = typeof name !== "string" || isAbsolute(name) ? name : join(folder, name);
  return await decodeIdx(await readFile(file, what), `"${nameOfFile(file)}"`);
}
