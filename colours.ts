import type { Picture } from "../../../core/data/resize.ts";
import { type DecodedPicture, refuse } from "./picture_format.ts";

/** What becomes of a picture's colours. */
export interface PictureColours {
  /** 1: grey, 3: red, green, blue. */
  readonly channels: 1 | 3;
  /**
   * What is behind pixels that are not opaque: red, green and blue; `drop`: their colours count as they are stored;
   * `null`: such pictures are refused.
   */
  readonly background: readonly number[] | "drop" | null;
  /** Whether pictures are turned as EXIF says. */
  readonly orient: boolean;
}

/** A picture as grey or as red, green and blue. @throws BadPicture for transparent pixels without a background */
export function inChannels(picture: DecodedPicture, { channels, background }: PictureColours): Picture {
  const { width, height, pixels } = picture;
  const [own, isGrey, hasOpacity] = [picture.channels, picture.channels < 3, picture.channels % 2 === 0];
  const shows = hasOpacity && background !== "drop";
  const out = new Uint8Array(width * height * channels);
  const colour = [0, 0, 0];
  for (let pixel = 0, from = 0; pixel < width * height; pixel++, from += own) {
    for (let c = 0; c < 3; c++) colour[c] = pixels[from + (isGrey ? 0 : c)];
    if (shows && pixels[from + own - 1] !== 255) {
      const opacity = pixels[from + own - 1];
      if (background === null) {
        refuse("it has transparent pixels: set background to what is behind them, such as [255, 255, 255] for white");
      }
      for (let c = 0; c < 3; c++) colour[c] = over(colour[c], (background as readonly number[])[c], opacity);
    }
    if (channels === 3) out.set(colour, pixel * 3);
    else out[pixel] = isGrey && colour[0] === colour[1] && colour[1] === colour[2] ? colour[0] : luma(colour);
  }
  return { pixels: out, width, height, channels };
}

/** A colour of some opacity out of 255 over another, to the nearest whole number. */
const over = (front: number, behind: number, opacity: number) =>
  Math.round((front * opacity + behind * (255 - opacity)) / 255);

/** Brightness by ITU-R 601, as Pillow rounds it. */
const luma = ([red, green, blue]: readonly number[]) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
