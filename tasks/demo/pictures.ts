import type { Sample } from "./messages.ts";

/** Height, width and channels of a model's images. */
export type Size = readonly [height: number, width: number, channels: number];

/** Pixels along a side of the pad; a fold of 28, the side of the models that are shipped. */
export const PAD = 280;

/** Shows a test image, white on black. */
export function pixelsToCanvas(
  canvas: HTMLCanvasElement,
  pixels: Uint8Array,
  [height, width]: readonly [number, number],
): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  pixels.forEach((value, index) => image.data.set([value, value, value, 255], 4 * index));
  context.putImageData(image, 0, 0);
}

/**
 * A picture as a model takes it.
 *
 * @returns bytes, row-major `[height, width, channels]`; grey where the model has one channel
 */
export function pixelsFor(
  source: HTMLCanvasElement,
  [height, width, channels]: Size,
): Uint8Array<ArrayBuffer> {
  const small = document.createElement("canvas");
  [small.width, small.height] = [width, height];
  const context = small.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.drawImage(halved(source, 2 * Math.max(width, height)), 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: height * width * channels }, (_, index) => {
    const pixel = 4 * Math.floor(index / channels);
    if (channels !== 1) return data[pixel + Math.min(index % channels, 3)];
    return Math.round(0.299 * data[pixel] + 0.587 * data[pixel + 1] + 0.114 * data[pixel + 2]);
  });
}

/**
 * A test image as a model takes it: its own bytes, for each channel, where the model's images are as large.
 *
 * @param shown the same, which is made larger or smaller for the other models
 */
export function testImageFor(
  { pixels, size }: Sample,
  shown: HTMLCanvasElement,
  [height, width, channels]: Size,
): Uint8Array<ArrayBuffer> {
  if (size[0] !== height || size[1] !== width) return pixelsFor(shown, [height, width, channels]);
  return Uint8Array.from({ length: channels * pixels.length }, (_, index) => pixels[Math.floor(index / channels)]);
}

/** Browsers look at a few pixels only when they make a picture much smaller: it is halved as often as it can be. */
function halved(source: HTMLCanvasElement, least: number): HTMLCanvasElement {
  let from = source;
  while (Math.min(from.width, from.height) >= 2 * least) {
    const half = document.createElement("canvas");
    [half.width, half.height] = [from.width >> 1, from.height >> 1];
    half.getContext("2d")!.drawImage(from, 0, 0, half.width, half.height);
    from = half;
  }
  return from;
}

/**
 * Puts a picture file into the pad: its middle square, inverted where its rim is bright, as the models know things that
 * are bright on black.
 *
 * @throws Error if the browser cannot read it as a picture
 */
export async function fileToPad(pad: HTMLCanvasElement, file: File): Promise<void> {
  const image = await createImageBitmap(file).catch(() => {
    throw new Error(`Cannot read "${file.name}" as a picture: choose a PNG, JPEG, WebP or GIF file`);
  });
  const side = Math.min(image.width, image.height);
  const context = pad.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "white";
  context.fillRect(0, 0, PAD, PAD);
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, PAD, PAD);
  const pixels = context.getImageData(0, 0, PAD, PAD);
  const { data } = pixels;
  let rim = 0;
  for (let at = 0; at < PAD; at++) {
    for (const place of [at, (PAD - 1) * PAD + at, at * PAD, at * PAD + PAD - 1]) rim += data[4 * place + 1];
  }
  if (rim / (4 * PAD) > 127) {
    for (let at = 0; at < data.length; at++) if (at % 4 !== 3) data[at] = 255 - data[at];
    context.putImageData(pixels, 0, 0);
  }
}
