import { nameOfFile } from "../../core/data/remote_file.ts";
import { defineDataset, type RemoteFile } from "../../core/plugin/dataset.ts";
import { cifarClasses, type CifarVariant, decodeCifar } from "./cifar_format.ts";
import { imageDataset } from "./image_dataset.ts";
import { type ImageOptions, imageOptions } from "./image_options.ts";
import { UserError } from "../../core/errors.ts";

interface CifarOptions extends ImageOptions {
  variant: CifarVariant;
  train: (string | RemoteFile)[];
  test: (string | RemoteFile)[];
}

const CIFAR_10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009); CIFAR-100 with its fine or its coarse labels. */
export const cifar = defineDataset<CifarOptions>({
  name: "cifar",
  description: "Binary version of CIFAR-10 and CIFAR-100",
  source: "Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html",
  options: (kit) => {
    const { z, dataFile } = kit;
    const files = (split: string) =>
      z.array(dataFile()).min(1).describe(
        `Files of the ${split} images in order, relative to the recipe's base, or URLs with their SHA-256`,
      );
    return z.strictObject({
      variant: z.enum(["cifar-10", "cifar-100", "cifar-100-coarse"]).default("cifar-10").describe(
        "Which of the sets, and for CIFAR-100 which labels",
      ),
      train: files("training").describe("data_batch_1.bin to data_batch_5.bin, or train.bin"),
      test: files("test").describe("test_batch.bin, or test.bin"),
      ...imageOptions(kit),
    });
  },
  async load(options, { readFile }) {
    const { variant } = options;
    const decode = async (files: readonly (string | RemoteFile)[]) => {
      const parts = [];
      for (const file of files) {
        parts.push({ source: `"${nameOfFile(file)}"`, bytes: await readFile(file, "the images") });
      }
      return decodeCifar(parts, variant);
    };
    const count = cifarClasses(variant);
    const usual = variant === "cifar-10" ? CIFAR_10 : Array.from({ length: count }, (_, index) => `${index}`);
    const classes = options.classes ?? usual;
    if (classes.length !== count) {
      throw new UserError(`Cannot name ${count} classes by ${classes.length} names: one each is needed`);
    }
    return imageDataset(await decode(options.train), await decode(options.test), classes, options);
  },
});
