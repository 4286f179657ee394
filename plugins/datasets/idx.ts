import { isUrl, nameOfFile } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import { isAbsolute, join } from "../../core/paths.ts";
import { type DatasetSetup, defineDataset, type RemoteFile } from "../../core/plugin/dataset.ts";
import { decodeIdx, pairIdx } from "./idx_format.ts";
import { imageDataset } from "./image_dataset.ts";
import { type ImageOptions, imageOptions } from "./image_options.ts";

interface IdxFiles {
  images: string | RemoteFile;
  labels: string | RemoteFile;
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
  source: "LeCun et al. 1998 (MNIST); Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747 (Fashion-MNIST)",
  options: (kit) => {
    const { z, dataFile } = kit;
    const files = (split: string, prefix: string) =>
      z.strictObject({
        images: dataFile().default(`${prefix}-images-idx3-ubyte.gz`).describe(`File of the ${split} images`),
        labels: dataFile().default(`${prefix}-labels-idx1-ubyte.gz`).describe(`File of the ${split} labels`),
      }).prefault({}).describe(
        `Files of the ${split} examples, gzipped or not: paths in the folder, or URLs with their SHA-256`,
      );
    return z.strictObject({
      folder: z.string().min(1).refine((folder) => !isUrl(folder), {
        error: "Cannot take a URL for the folder: name each file in it as { url: …, sha256: … }",
      }).default(".").describe("Folder of the files, relative to the recipe's base"),
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
  const read = async (name: string | RemoteFile, what: string) => {
    const file = typeof name !== "string" || isAbsolute(name) ? name : join(folder, name);
    return await decodeIdx(await readFile(file, what), `"${nameOfFile(file)}"`);
  };
  return { images: await read(images, "the images"), labels: await read(labels, "the labels") };
}
