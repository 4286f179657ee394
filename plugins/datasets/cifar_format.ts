import type { LabelledImages } from "../../core/data/images.ts";
import { UserError } from "../../core/errors.ts";

/** Which data set the files are of, and which of its labels are wanted: CIFAR-100 has 100 classes in 20 coarse ones. */
export type CifarVariant = "cifar-10" | "cifar-100" | "cifar-100-coarse";

interface RecordLayout {
  /** For each label byte at the start of a record, how many classes it tells apart. */
  readonly classesOfLabels: readonly number[];
  /** Which of these bytes is the label wanted. */
  readonly wanted: number;
}

const LAYOUTS: Readonly<Record<CifarVariant, RecordLayout>> = {
  "cifar-10": { classesOfLabels: [10], wanted: 0 },
  "cifar-100": { classesOfLabels: [20, 100], wanted: 1 },
  "cifar-100-coarse": { classesOfLabels: [20, 100], wanted: 0 },
};

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const IMAGE_BYTES = PLANE * CHANNELS;

/** A file's content and what it is called in errors: `"data_batch_1.bin"`. */
export interface CifarFile {
  readonly source: string;
  readonly bytes: Uint8Array;
}

/** The number of classes that the labels of a variant tell apart: 10, 100 or 20. */
export function cifarClasses(variant: CifarVariant): number {
  const { classesOfLabels, wanted } = LAYOUTS[variant];
  return classesOfLabels[wanted];
}

/**
 * Decodes files of the binary version of CIFAR-10 or CIFAR-100, one after the other. Their records are the label bytes
 * and then the image plane by plane (red, green, blue); the result has the channels last.
 *
 * @param files the files in the order wanted
 * @param variant which data set and labels
 * @returns images of [count, 32, 32, 3] and their labels
 * @throws UserError if a file is not a whole number of records, holds none, or has a label that is too large
 *
 * @example
 * ```ts
 * import { readUserFile } from "../../core/files.ts";
 *
 * const bytes = await readUserFile("test_batch.bin", "the images");
 * const images = decodeCifar([{ source: '"test_batch.bin"', bytes }], "cifar-10");
 * ```
 */
export function decodeCifar(files: readonly CifarFile[], variant: CifarVariant): LabelledImages {
  const { classesOfLabels, wanted } = LAYOUTS[variant];
  const recordBytes = classesOfLabels.length + IMAGE_BYTES;
  for (const { source, bytes } of files) checkRecords(bytes, recordBytes, classesOfLabels, variant, source);

  const count = files.reduce((sum, { bytes }) => sum + bytes.length / recordBytes, 0);
  const pixels = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  let image = 0;
  for (const { bytes } of files) {
    for (let record = 0; record < bytes.length; record += recordBytes, image++) {
      labels[image] = bytes[record + wanted];
      writeChannelsLast(bytes, record + classesOfLabels.length, pixels, image * IMAGE_BYTES);
    }
  }
  return { pixels, labels, count, height: SIDE, width: SIDE, channels: CHANNELS };
}

function checkRecords(
  bytes: Uint8Array,
  recordBytes: number,
  classesOfLabels: readonly number[],
  variant: CifarVariant,
  source: string,
): void {
  const rest = bytes.length % recordBytes;
  if (bytes.length === 0 || rest !== 0) {
    refuse(source, variant, `it holds ${bytes.length} bytes: a whole number of records of ${recordBytes} is needed`);
  }
  for (let record = 0; record < bytes.length; record += recordBytes) {
    for (const [position, classes] of classesOfLabels.entries()) {
      const label = bytes[record + position];
      if (label >= classes) {
        const kind = classesOfLabels.length === 1 ? "label" : ["coarse label", "fine label"][position];
        refuse(source, variant, `record ${record / recordBytes} has the ${kind} ${label}: it must be below ${classes}`);
      }
    }
  }
}

function writeChannelsLast(planes: Uint8Array, from: number, pixels: Uint8Array, to: number): void {
  for (let pixel = 0; pixel < PLANE; pixel++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      pixels[to + pixel * CHANNELS + channel] = planes[from + channel * PLANE + pixel];
    }
  }
}

function refuse(source: string, variant: CifarVariant, reason: string): never {
  throw new UserError(`Cannot read ${source} as the binary version of ${variant}: ${reason}`);
}
