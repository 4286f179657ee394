import type { Images, LabelledImages } from "../../core/data/images.ts";
import { UserError } from "../../core/errors.ts";
import { gunzipUpTo, isGzip, mostInflated } from "./gunzip.ts";

/** An array of bytes in the IDX format, which MNIST and its family use. */
export interface IdxArray {
  /** The length of each dimension, the slowest first. */
  readonly dimensions: readonly number[];
  /** Row-major. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** What was read, as it stands in errors. */
  readonly source: string;
}

/** The element types of the format by their code; only unsigned bytes are read. */
const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  0x08: "unsigned bytes",
  0x09: "signed bytes",
  0x0b: "16-bit integers",
  0x0c: "32-bit integers",
  0x0d: "32-bit floats",
  0x0e: "64-bit floats",
};
const UNSIGNED_BYTES = 0x08;

/** Two zeros, the type, the number of dimensions: what stands before the dimensions. */
const MAGIC_BYTES = 4;
const MAX_HEADER_BYTES = MAGIC_BYTES + 4 * 255;

/** The most that is inflated; the largest set of MNIST's family, EMNIST by class, has half of it. */
const MAX_INFLATED_BYTES = 2 ** 30;
/** Above so many bytes no more than so many times the packed ones: drawings are packed to about a fifth. */
const UNSUSPICIOUS_BYTES = 2 ** 28;
const MAX_RATIO = 40;

/**
 * Decodes an IDX file of unsigned bytes. Gzip is known by its content and inflated to at most the size that the
 * header promises.
 *
 * @param bytes the content of the file
 * @param source what is read, as it stands in errors: `"train-images-idx3-ubyte.gz"`
 * @throws UserError if the file is not IDX, holds another type, or is shorter or longer than its header says
 *
 * @example
 * ```ts
 * import { readUserFile } from "../../core/files.ts";
 *
 * const path = "train-images-idx3-ubyte.gz";
 * const bytes = await readUserFile(path, "the images");
 * const { dimensions, values } = await decodeIdx(bytes, `"${path}"`); // [60000, 28, 28]
 * ```
 */
export async function decodeIdx(bytes: Uint8Array<ArrayBuffer>, source: string): Promise<IdxArray> {
  const gzip = isGzip(bytes);
  const start = gzip ? await inflate(bytes, MAX_HEADER_BYTES, source) : bytes;
  const { dimensions, headerBytes, fileBytes } = parseHeader(start, source);
  if (gzip && fileBytes > MAX_INFLATED_BYTES) {
    refuse(source, `it inflates to ${fileBytes} bytes: at most ${MAX_INFLATED_BYTES} are inflated, so unpack it`);
  }
  if (gzip && fileBytes > UNSUSPICIOUS_BYTES && fileBytes > MAX_RATIO * bytes.length) {
    const times = Math.round(fileBytes / bytes.length);
    refuse(
      source,
      `it inflates to ${fileBytes} bytes, ${times} times its size, as no images do: unpack it if it is right`,
    );
  }
  if (gzip && fileBytes > mostInflated(bytes)) {
    refuse(source, `it is cut short: no ${bytes.length} bytes of gzip hold the ${fileBytes} that its header promises`);
  }
  // One byte more than promised tells a file that is too long, and makes gzip check its sum.
  const file = gzip ? await inflate(bytes, fileBytes + 1, source) : bytes;
  if (file.length < fileBytes) {
    refuse(source, `it is cut short: ${show(dimensions)} values need ${fileBytes} bytes, and it holds ${file.length}`);
  }
  if (file.length > fileBytes) {
    refuse(source, `bytes follow its ${show(dimensions)} values: it must end after ${fileBytes} bytes`);
  }
  return { dimensions, values: file.subarray(headerBytes), source };
}

/**
 * Puts the two files of a data set together.
 *
 * @param images dimensions [count, height, width]
 * @param labels dimensions [count]; `null` for images without labels
 * @param classes the number of classes
 * @param noLabel the label of an image that has none
 * @throws UserError if a file has other dimensions, there are no images, or not one label below `classes` for each
 */
export function pairIdx(
  images: IdxArray,
  labels: IdxArray | null,
  classes: number,
  noLabel: number | null = null,
): LabelledImages {
  const own = idxImages(images);
  const { count } = own;
  if (!labels) return { ...own, labels: new Uint8Array(count), labelled: new Uint8Array(count) };
  if (labels.dimensions.length !== 1) {
    throw new UserError(
      `Cannot use ${labels.source} as labels: its values are ${show(labels.dimensions)}, [count] is needed`,
    );
  }
  if (labels.values.length !== count) {
    throw new UserError(
      `Cannot pair the ${count} images of ${images.source} with the ${labels.values.length} labels of ` +
        `${labels.source}: one for each is needed`,
    );
  }
  const wrong = labels.values.findIndex((label) => label >= classes && label !== noLabel);
  if (wrong >= 0) {
    const label = labels.values[wrong];
    throw new UserError(
      `Cannot use label ${label} of image ${wrong} in ${labels.source}: ${classes} classes have labels 0 to ` +
        `${classes - 1}`,
    );
  }
  if (noLabel === null || !labels.values.includes(noLabel)) return { ...own, labels: labels.values };
  return {
    ...own,
    labels: labels.values.map((label) => label === noLabel ? 0 : label),
    labelled: labels.values.map((label) => label === noLabel ? 0 : 1),
  };
}

/** The images of a file. @throws UserError if it has other dimensions, or there are none */
export function idxImages({ dimensions, values, source }: IdxArray): Images {
  const [count, height, width] = dimensions;
  if (dimensions.length !== 3 || values.length === 0) {
    throw new UserError(
      `Cannot use ${source} as images: its values are ${show(dimensions)}, [count, height, width] is needed`,
    );
  }
  return { pixels: values, count, height, width, channels: 1 };
}

function parseHeader(start: Uint8Array<ArrayBuffer>, source: string) {
  const [zero, alsoZero, type, rank] = start;
  if (start.length < MAGIC_BYTES) {
    refuse(source, `it holds ${start.length} bytes: the format begins with ${MAGIC_BYTES}`);
  }
  if (zero !== 0 || alsoZero !== 0 || !(type in ELEMENT_TYPES) || rank === 0) {
    const magic = Array.from(start.subarray(0, MAGIC_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    refuse(source, `it begins with the bytes ${magic}: 00 00 08 and the number of dimensions are needed`);
  }
  if (type !== UNSIGNED_BYTES) refuse(source, `it holds ${ELEMENT_TYPES[type]}: unsigned bytes are needed`);
  const headerBytes = MAGIC_BYTES + 4 * rank;
  if (start.length < headerBytes) {
    refuse(source, `it is cut short: the lengths of ${rank} dimensions end at byte ${headerBytes} of ${start.length}`);
  }
  const view = new DataView(start.buffer, start.byteOffset);
  const dimensions = Array.from({ length: rank }, (_, axis) => view.getUint32(MAGIC_BYTES + 4 * axis)); // big-endian
  const fileBytes = headerBytes + dimensions.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(fileBytes)) refuse(source, `its dimensions ${show(dimensions)} overflow`);
  return { dimensions, headerBytes, fileBytes };
}

async function inflate(bytes: Uint8Array<ArrayBuffer>, limit: number, source: string) {
  try {
    return await gunzipUpTo(bytes, limit);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refuse(source, "its gzip data is damaged or cut short");
  }
}

/** Lengths in a message, the first of many. */
function show(dimensions: readonly number[]): string {
  return dimensions.length <= 6 ? `[${dimensions}]` : `[${dimensions.slice(0, 5)},... ${dimensions.length} in all]`;
}

function refuse(source: string, reason: string): never {
  throw new UserError(`Cannot read ${source} as IDX: ${reason}`);
}
