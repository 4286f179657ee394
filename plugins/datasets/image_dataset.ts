import type { Normalisation } from "../../core/data/image_augment.ts";
import type { Images, LabelledImages } from "../../core/data/images.ts";
import { UserError } from "../../core/errors.ts";
import { firstIndices } from "../../core/data/loader.ts";
import type { Dataset, ExampleSource } from "../../core/plugin/dataset.ts";
import { equalImages } from "./equal_images.ts";
import { imageExamples } from "./image_examples.ts";
import { groupClasses } from "./image_groups.ts";
import type { ImageOptions } from "./image_options.ts";
import { repeatedExamples } from "./split_warnings.ts";

/** Mean and standard deviation of each channel of byte images, as parts of 1. */
function measure({ pixels, channels, count, height, width }: LabelledImages): Normalisation {
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i] / 255;
    sums[i % channels] += value;
    squares[i % channels] += value * value;
  }
  const per = count * height * width;
  const mean = [...sums].map((sum) => sum / per);
  return { mean, std: mean.map((value, c) => Math.sqrt(Math.max(squares[c] / per - value * value, 1e-12))) };
}

/** The files of a data set's images. */
export interface ImageFiles {
  readonly train: string;
  readonly test: string;
}

/** Examples are the first images of their file, in its order. */
const sourceOf = (file: string, records: number): { readonly source: ExampleSource } => {
  return { source: { file, records, record: firstIndices(records), ids: null } };
};

/**
 * A data set of training and test images.
 *
 * @param classes names of the classes that the images' labels number; `options.groups` may put others in their place
 * @param further training images without labels
 * @param files where training and test images come from, where each are of one file
 * @throws UserError if sizes or the normalisation's differ, or groups do not fit the classes
 */
export function imageDataset(
  train: LabelledImages,
  test: LabelledImages,
  classes: readonly string[],
  options: ImageOptions,
  further: readonly Images[] = [],
  files: ImageFiles | null = null,
): Dataset {
  const sizeOf = ({ height, width, channels }: Images) => `${height} x ${width} x ${channels}`;
  for (const [kind, images] of [["test", test], ...further.map((own) => ["unlabelled", own] as const)] as const) {
    if (sizeOf(train) === sizeOf(images)) continue;
    throw new UserError(
      `Cannot use training images of ${sizeOf(train)} with ${kind} images of ${sizeOf(images)}: sizes must be equal`,
    );
  }
  const measured = options.mean && options.std ? null : measure(train);
  const normalise = { mean: options.mean ?? measured!.mean, std: options.std ?? measured!.std };
  for (const name of ["mean", "std"] as const) {
    if (normalise[name].length !== train.channels) {
      throw new UserError(
        `Cannot normalise ${train.channels} channels by ${
          normalise[name].length
        } values in ${name}: one each is needed`,
      );
    }
  }
  for (
    const [name, wanted, { count }] of [["takeTrain", options.takeTrain, train], [
      "takeTest",
      options.takeTest,
      test,
    ]] as const
  ) {
    if (wanted !== null && wanted > count) {
      throw new UserError(`Cannot take ${wanted} images for ${name}: there are ${count}`);
    }
  }
  const grouped = options.groups && groupClasses(classes, options.groups);
  const labelled = (images: LabelledImages): LabelledImages =>
    grouped ? { ...images, labels: images.labels.map((label) => grouped.groupOf[label]) } : images;
  const [trained, tested, ...others] = equalImages([
    { ...train, count: options.takeTrain ?? train.count },
    { ...test, count: options.takeTest ?? test.count },
    ...further,
  ]);
  const equal = { train: Uint32Array.from([trained, ...others].flatMap((own) => [...own])), test: tested };
  const warnings = repeatedImages(equal, trained.length);
  return {
    input: {
      task: "classification",
      classes: grouped?.classes ?? classes,
      ...(!grouped && { numbered: true }),
      image: { size: [train.height, train.width, train.channels], normalise },
      text: null,
    },
    splits: {
      train: {
        ...imageExamples(labelled(train), normalise, options.takeTrain, further),
        equal: equal.train,
        ...(files && further.length === 0 && sourceOf(files.train, train.count)),
      },
      test: {
        ...imageExamples(labelled(test), normalise, options.takeTest),
        equal: equal.test,
        ...(files && sourceOf(files.test, test.count)),
      },
    },
    ...(warnings.length > 0 && { warnings }),
  };
}

/**
 * What is to be said of images that are trained on and measured on.
 *
 * @param labelled how many of the training images are not among the further ones; each kind is counted from 1
 */
function repeatedImages(
  equal: { readonly train: Uint32Array; readonly test: Uint32Array },
  labelled: number,
): string[] {
  const train = Array.from(
    equal.train,
    (_, index) => index < labelled ? `training image ${index + 1}` : `further image ${index - labelled + 1}`,
  );
  return repeatedExamples({ train, test: Array.from(equal.test, (_, index) => `test image ${index + 1}`) }, {
    equal,
    placeOf: (place) => place,
    what: "images",
    how: "byte for byte",
  });
}
