import { normaliseImages } from "../data/image_augment.ts";
import { UserError } from "../errors.ts";
import type { Batch, HostTensor, ImageInput } from "../plugin/dataset.ts";

/** Images for a model. */
export interface ImageInputs {
  /** Row-major `[batch, height, width, channels]`, of the model's size: bytes from 0 to 255, or floats from 0 to 1. */
  readonly images: Uint8Array | Uint8ClampedArray | Float32Array;
  /** Height, width and channels of each; if given, it must be the model's. */
  readonly size?: readonly [height: number, width: number, channels: number];
}

/** Texts for a model. */
export interface TextInputs {
  /** Texts, or pairs of texts. */
  readonly texts: readonly (string | readonly [text: string, pair: string])[];
}

/** Sentences for a tagger. */
export interface WordInputs {
  /** The words of each sentence. */
  readonly words: readonly (readonly string[])[];
}

/** What a model is run on. */
export type ModelInputs = ImageInputs | TextInputs | WordInputs;

/** Batches of texts, made by the tokenizer that belongs to a model. */
export interface FolderTokenizer {
  /** Tokens are numbered from 0 up to but not this. */
  readonly vocabulary: number;
  /**
   * Texts as the model's `tokens`, `types` and `mask`.
   *
   * @param cut told the index of each text that had to be cut, as the model does not take so many tokens
   */
  batch(texts: TextInputs["texts"], cut?: (index: number) => void): Batch<HostTensor>;
  /**
   * The same of sentences, and where the first token of each word is; words that are too many have none. `label` is 0
   * there and -1 elsewhere, as a CRF chooses the tags of those tokens together.
   */
  wordBatch(sentences: WordInputs["words"]): {
    readonly batch: Batch<HostTensor>;
    readonly places: readonly (readonly number[])[];
  };
}

/**
 * Opens the tokenizer in a model's folder; `null` if there is none.
 *
 * @param maxLength the most tokens that the model takes
 */
export type TokenizerOpener = (folder: string, maxLength: number) => Promise<FolderTokenizer | null>;

/** Images as a model's batches. @throws UserError if they are of another size, or floats that are no pixels */
export function imageBatches(
  { images, size: given }: ImageInputs,
  size: ImageInput["size"],
  normalise: ImageInput["normalise"],
  batchSize: number,
): Batch<HostTensor>[] {
  const [height, width, channels] = size;
  const each = height * width * channels;
  const count = images.length / each;
  if ((given && given.join() !== size.join()) || !Number.isInteger(count)) {
    const what = given ? `images of ${given.join(" x ")}` : `${images.length} numbers`;
    throw new UserError(
      `Cannot run the model on ${what}: it takes images of ${size.join(" x ")} (height, width, channels), ` +
        `${each} numbers each`,
    );
  }
  if (![Uint8Array, Uint8ClampedArray, Float32Array].some((kind) => images instanceof kind)) {
    throw new UserError("Cannot read the images: expected a Uint8Array (0 to 255) or a Float32Array (0 to 1)");
  }
  const pixels = images instanceof Uint8ClampedArray
    ? new Uint8Array(images.buffer, images.byteOffset, images.length)
    : images;
  const wrong = pixels instanceof Float32Array ? pixels.find((pixel) => !(pixel >= 0 && pixel <= 1)) : undefined;
  if (wrong !== undefined) {
    throw new UserError(
      `Cannot use ${wrong} as a pixel: floats go from 0 to 1, and bytes (Uint8Array) from 0 to 255`,
    );
  }
  const most = Math.min(batchSize, count);
  return Array.from({ length: count === 0 ? 0 : Math.ceil(count / most) }, (_, batch) => {
    const first = batch * most;
    const indices = Uint32Array.from({ length: Math.min(most, count - first) }, (_, index) => first + index);
    const data = new Float32Array(indices.length * each);
    normaliseImages({ pixels, count, height, width, channels }, indices, normalise, data);
    return { image: { data, shape: [indices.length, height, width, channels] } };
  });
}
