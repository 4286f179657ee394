import { luma } from "../../../core/data/luma.ts";
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
  const count = width * height;
  const out = new Uint8Array(count * channels);
  const [second, third] = isGrey ? [0, 0] : [1, 2];
  for (let pixel = 0, from = 0, to = 0; pixel < count; pixel++, from += own, to += channels) {
    let [red, green, blue] = [pixels[from], pixels[from + second], pixels[from + third]];
    const opacity = shows ? pixels[from + own - 1] : 255;
    if (opacity !== 255) {
      if (behind === null) {
        refuse("it has transparent pixels: set background to what is behind them, such as [255, 255, 255] for white");
      }
      [red, green, blue] = [
        blend(red, behind[0], opacity),
        blend(green, behind[1], opacity),
        blend(blue, behind[2], opacity),
      ];
    }
    if (channels === 1) out[to] = luma(red, green, blue);
    else {
      out[to] = red;
      out[to + 1] = green;
      out[to + 2] = blue;
    }
  }
  return { pixels: out, width, height, channels };
}

/** A colour of some opacity out of 255 over another, to the nearest whole number. */
const blend = (front: number, behind: number, opacity: number) =>
  Math.round((front * opacity + behind * (255 - opacity)) / 255);
