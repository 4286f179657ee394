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
  const behind = background === "drop" ? null : background;
  const shows = hasOpacity && background !== "drop";
  const out = new Uint8Array(width * height * channels);
  const colour = new Uint8Array(3);
  for (let pixel = 0, from = 0, to = 0; pixel < width * height; pixel++, from += own, to += channels) {
    for (let c = 0; c < 3; c++) colour[c] = pixels[from + (isGrey ? 0 : c)];
    if (shows && pixels[from + own - 1] !== 255) blend(colour, behind, pixels[from + own - 1]);
    if (channels === 1) out[to] = luma(colour);
    else for (let c = 0; c < 3; c++) out[to + c] = colour[c];
  }
  return { pixels: out, width, height, channels };
}

/** Puts a colour of some opacity out of 255 over another, to the nearest whole number. */
function blend(colour: Uint8Array, background: readonly number[] | null, opacity: number): void {
  if (background === null) {
    refuse("it has transparent pixels: set background to what is behind them, such as [255, 255, 255] for white");
  }
  for (let c = 0; c < 3; c++) colour[c] = Math.round((colour[c] * opacity + background[c] * (255 - opacity)) / 255);
}

/** Brightness by ITU-R 601, as Pillow rounds it; of grey it is the grey itself. */
const luma = ([red, green, blue]: Uint8Array) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
