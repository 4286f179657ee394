import { luma } from "./luma.ts";
import type { Picture } from "./resize.ts";

/** What RandAugment may do to an image. */
export const OPERATIONS = [
  "identity",
  "shearX",
  "shearY",
  "translateX",
  "translateY",
  "rotate",
  "brightness",
  "colour",
  "contrast",
  "sharpness",
  "posterize",
  "solarize",
  "autoContrast",
  "equalize",
] as const;

/** An operation and how much of it. */
export interface Operation {
  readonly name: typeof OPERATIONS[number];
  /**
   * Of shears the offset for each pixel of the other side, of translations pixels, of a rotation degrees
   * counterclockwise; of brightness, colour, contrast and sharpness the change of the factor 1; the bits that
   * `posterize` leaves, the value from which `solarize` inverts.
   */
  readonly magnitude: number;
}

/**
 * An image of bytes after an operation, to the pixel as torchvision does it by Pillow: places are rounded to the
 * nearest pixel, colours to bytes.
 *
 * @param fill the byte of what comes from outside of the image
 */
export function operated(picture: Picture, { name, magnitude }: Operation, fill: number): Picture {
  const { width, height } = picture;
  switch (name) {
    case "identity":
      return picture;
    case "shearX":
      return moved(picture, [1, magnitude, 0, 0, 1, 0], fill);
    case "shearY":
      return moved(picture, [1, 0, 0, magnitude, 1, 0], fill);
    case "translateX":
      return moved(picture, [1, 0, -Math.trunc(magnitude), 0, 1, 0], fill);
    case "translateY":
      return moved(picture, [1, 0, 0, 0, 1, -Math.trunc(magnitude)], fill);
    case "rotate": {
      const [sine, cosine] = [Math.sin(magnitude * Math.PI / 180), Math.cos(magnitude * Math.PI / 180)];
      const [x, y] = [width / 2, height / 2];
      return moved(picture, [cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y], fill);
    }
    case "brightness":
      return blended(picture, () => 0, 1 + magnitude);
    case "colour":
      return picture.channels === 3 ? blended(picture, greyAt(picture), 1 + magnitude) : picture;
    case "contrast": {
      const mean = meanOf(picture);
      return blended(picture, () => mean, 1 + magnitude);
    }
    case "sharpness":
      return blended(picture, smoothAt(picture), 1 + magnitude);
    case "posterize":
      return mapped(picture, () => (byte) => byte & ~(2 ** (8 - Math.trunc(magnitude)) - 1));
    case "solarize":
      return mapped(picture, () => (byte) => byte < magnitude ? byte : 255 - byte);
    case "autoContrast":
      return mapped(picture, stretching);
    case "equalize":
      return mapped(picture, equalising);
  }
}

/** The place in the input of the output's (x, y), counted from pixels' corners: (a x + b y + c, d x + e y + f). */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Moves pixels, to the nearest, in Pillow's fixed-point numbers with 16 bits behind the point. */
function moved({ pixels, height, width, channels }: Picture, [a, b, c, d, e, f]: Affine, fill: number): Picture {
  const fixed = (value: number) => Math.floor(value * 65536 + 0.5);
  const out = new Uint8Array(pixels.length).fill(fill);
  const [stepX, stepY] = [fixed(a), fixed(d)];
  for (let y = 0, to = 0; y < height; y++) {
    let fromX = fixed(c + (a + b) / 2) + y * fixed(b);
    let fromY = fixed(f + (d + e) / 2) + y * fixed(e);
    for (let x = 0; x < width; x++, to += channels, fromX += stepX, fromY += stepY) {
      const [column, row] = [Math.floor(fromX / 65536), Math.floor(fromY / 65536)];
      if (column < 0 || column >= width || row < 0 || row >= height) continue;
      const from = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++) out[to + channel] = pixels[from + channel];
    }
  }
  return { pixels: out, height, width, channels };
}

/** The way from another image, given at each place of the bytes, to this one and beyond. */
function blended(picture: Picture, otherAt: (place: number) => number, factor: number): Picture {
  // Pillow computes in float32 and cuts what is behind the point.
  const part = Math.fround(factor), from = picture.pixels;
  // Typed arrays' own `from` and `map` take some ten times as long as a loop.
  const pixels = new Uint8Array(from.length);
  for (let place = 0; place < from.length; place++) {
    const other = otherAt(place);
    const value = Math.trunc(Math.fround(other + Math.fround(part * (from[place] - other))));
    pixels[place] = Math.max(0, Math.min(255, value));
  }
  return { ...picture, pixels };
}

/** The grey of ITU-R 601 at a place of the bytes, in Pillow's whole numbers; of one or two channels their mean. */
function greyAt({ pixels, channels }: Picture): (place: number) => number {
  return (place) => {
    const pixel = place - place % channels;
    if (channels === 3) return luma(pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]);
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += pixels[pixel + channel];
    return Math.round(sum / channels);
  };
}

/** The rounded mean of an image's greys. */
function meanOf(picture: Picture): number {
  const [grey, { pixels: { length }, channels }] = [greyAt(picture), picture];
  let sum = 0;
  for (let place = 0; place < length; place += channels) sum += grey(place);
  return Math.floor(sum / (length / channels) + 0.5);
}

/** The mean of 3 x 3 pixels of which the middle counts five times; the edge is as it was. */
function smoothAt({ pixels, height, width, channels }: Picture): (place: number) => number {
  const row = width * channels;
  return (place) => {
    const [y, x] = [Math.floor(place / row), Math.floor(place % row / channels)];
    if (y === 0 || x === 0 || y === height - 1 || x === width - 1) return pixels[place];
    let sum = 4 * pixels[place];
    for (let above = place - row; above <= place + row; above += row) {
      sum += pixels[above - channels] + pixels[above] + pixels[above + channels];
    }
    return Math.floor(sum / 13 + 0.5);
  };
}

/** Maps bytes of each channel by what its histogram gives. */
function mapped(picture: Picture, ofHistogram: (counts: Uint32Array) => (byte: number) => number): Picture {
  const { pixels, channels } = picture;
  const out = new Uint8Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const counts = new Uint32Array(256);
    for (let at = channel; at < pixels.length; at += channels) counts[pixels[at]]++;
    const table = new Uint8ClampedArray(256), valueOf = ofHistogram(counts);
    for (let byte = 0; byte < 256; byte++) table[byte] = valueOf(byte);
    for (let at = channel; at < pixels.length; at += channels) out[at] = table[pixels[at]];
  }
  return { ...picture, pixels: out };
}

/** The darkest byte becomes 0 and the brightest 255. */
function stretching(counts: Uint32Array): (byte: number) => number {
  const [least, most] = [counts.findIndex(Boolean), counts.findLastIndex(Boolean)];
  if (most <= least) return (byte) => byte;
  const scale = 255 / (most - least);
  return (byte) => Math.trunc(byte * scale - least * scale);
}

/** All bytes become about equally frequent. */
function equalising(counts: Uint32Array): (byte: number) => number {
  const there = counts.filter(Boolean);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const step = there.length <= 1 ? 0 : Math.floor((total - there[there.length - 1]) / 255);
  if (step === 0) return (byte) => byte;
  let sum = Math.floor(step / 2);
  const table = Array.from(counts, (count) => {
    const value = Math.floor(sum / step);
    sum += count;
    return value;
  });
  return (byte) => table[byte];
}
