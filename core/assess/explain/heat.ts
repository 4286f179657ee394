import { toBase64 } from "../../byte_texts.ts";
import { type Picture, resizePicture } from "../../data/resize.ts";
import type { HostTensor, ImageInput } from "../../plugin/dataset.ts";

/** The most pixels of a side of a picture on a page. */
const MOST_PIXELS = 112;

/** What speaks for an answer is red: an end of ColorBrewer's RdBu, whose colours the colour-blind tell apart. */
export const FOR = [178, 24, 43] as const;
/** What speaks against it is blue. */
export const AGAINST = [33, 102, 172] as const;

/** How much of the image is seen below the colours. */
const FAINT = 0.15;

/** The share of parts, the largest, that all have the full colour: a single peak would make all else pale. */
const PEAKS = 0.01;

/** An image `[1, height, width, channels]` as people see it, of one channel or three. */
export function pictureOf({ data, shape: [, height, width, depth] }: HostTensor, { normalise }: ImageInput): Picture {
  const channels = depth >= 3 ? 3 : 1;
  const pixels = Uint8Array.from({ length: height * width * channels }, (_, at) => {
    const [place, channel] = [Math.floor(at / channels), at % channels];
    const part = data[place * depth + channel] * normalise.std[channel] + normalise.mean[channel];
    return Math.min(Math.max(Math.round(255 * part), 0), 255);
  });
  return { height, width, channels, pixels };
}

/**
 * Numbers of pixels as colours over a faint image: red above 0, blue below, the deeper the larger a number is beside
 * the largest.
 *
 * @param values of the picture's pixels
 */
export function heatOf(values: ArrayLike<number>, picture: Picture): Picture {
  const largest = scaleOf(values);
  const { height, width, channels } = picture;
  const pixels = new Uint8Array(height * width * 3);
  for (let place = 0; place < height * width; place++) {
    const depth = largest === 0 ? 0 : Math.min(1, Math.abs(values[place]) / largest);
    const colour = values[place] >= 0 ? FOR : AGAINST;
    for (let channel = 0; channel < 3; channel++) {
      const own = picture.pixels[place * channels + (channels === 3 ? channel : 0)];
      const faint = 255 - FAINT * (255 - own);
      pixels[3 * place + channel] = Math.round((1 - depth) * faint + depth * colour[channel]);
    }
  }
  return { height, width, channels: 3, pixels };
}

/** What counts as the largest of numbers, by their sizes. */
export function scaleOf(values: ArrayLike<number>): number {
  const sizes = Float64Array.from(values, Math.abs).sort();
  return sizes.length === 0 ? 0 : sizes[Math.max(0, sizes.length - 1 - Math.floor(PEAKS * sizes.length))];
}

/** A picture as a page keeps it: not too large, its bytes as text. */
export function keptPicture(picture: Picture) {
  const share = Math.min(1, MOST_PIXELS / Math.max(picture.height, picture.width));
  const [height, width] = [picture.height, picture.width].map((side) => Math.max(1, Math.round(side * share)));
  const { pixels } = resizePicture(picture, height, width, "box");
  return { height, width, channels: picture.channels as 1 | 3, pixels: toBase64(pixels) };
}
