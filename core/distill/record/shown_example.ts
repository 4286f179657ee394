import { toBase64 } from "../../byte_texts.ts";
import { resizePicture } from "../../data/resize.ts";
import type { Examples, HostTensor, ImageInput, InputDescription } from "../../plugin/dataset.ts";

/** An example as people can look at it. */
export interface ShownExample {
  /** Its number in the list, from 0. */
  readonly index: number;
  /** Its id in the data, or the file and the number of its record; `null` where that is not known. */
  readonly source: string | null;
  /** Of an image: 8-bit pixels `[height, width, channels]` in Base64, as the model sees it, or smaller. */
  readonly picture: {
    readonly height: number;
    readonly width: number;
    readonly channels: 1 | 3;
    readonly pixels: string;
  } | null;
  /** Of a text: numbers of its tokens, or of those around the one that is looked at; `at` is its place among them. */
  readonly tokens: { readonly numbers: readonly number[]; readonly at: number | null } | null;
}

/** The most pixels of a side. */
const MOST_PIXELS = 96;

/** The most tokens of an excerpt. */
const MOST_TOKENS = 96;

/** Makes an example fit to be shown. @param token the one that is looked at; `null`: the whole text */
export async function shownExample(
  { image, text }: InputDescription,
  examples: Examples,
  index: number,
  token: number | null,
): Promise<ShownExample> {
  const indices = Uint32Array.of(index);
  await examples.fetch?.(indices);
  const batch = examples.batch(indices);
  return {
    index,
    source: sourceOf(examples, index),
    picture: image && batch.image ? pictureOf(batch.image, image) : null,
    tokens: text && batch.tokens ? excerptOf(batch.tokens, batch.mask, token) : null,
  };
}

function sourceOf({ source }: Examples, index: number): string | null {
  if (!source) return null;
  return source.ids?.[index] ?? (source.file === null ? null : `${source.file} ${source.record[index] + 1}`);
}

function pictureOf({ data, shape: [, height, width, depth] }: HostTensor, { normalise }: ImageInput) {
  const channels = depth >= 3 ? 3 : 1;
  const pixels = Uint8Array.from({ length: height * width * channels }, (_, at) => {
    const [place, channel] = [Math.floor(at / channels), at % channels];
    const part = data[place * depth + channel] * normalise.std[channel] + normalise.mean[channel];
    return Math.min(Math.max(Math.round(255 * part), 0), 255);
  });
  const scale = Math.min(1, MOST_PIXELS / Math.max(height, width));
  const small = resizePicture(
    { pixels, height, width, channels },
    Math.max(1, Math.round(height * scale)),
    Math.max(1, Math.round(width * scale)),
    "box",
  );
  return { height: small.height, width: small.width, channels, pixels: toBase64(small.pixels) } as const;
}

function excerptOf(tokens: HostTensor, mask: HostTensor | undefined, token: number | null) {
  const length = mask ? mask.data.reduce((sum, one) => sum + one, 0) : tokens.data.length;
  const half = MOST_TOKENS / 2;
  const begin = token === null ? 0 : Math.max(0, Math.min(token - half, length - MOST_TOKENS));
  const numbers = [...tokens.data.slice(begin, Math.min(begin + MOST_TOKENS, length))];
  return { numbers, at: token === null ? null : token - begin };
}
