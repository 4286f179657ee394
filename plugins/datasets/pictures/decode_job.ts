import { type ImageResize, resized } from "../../../core/data/image_form.ts";
import type { Picture } from "../../../core/data/resize.ts";
import type { PictureColours } from "./colours.ts";
import { decodePicture, lookAtPicture } from "./decode_picture.ts";
import type { PictureForm } from "./picture_form.ts";
import { refuse } from "./picture_format.ts";

/** A picture to be decoded: plain data, which another thread can be sent. */
export interface DecodeJob {
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly colours: PictureColours;
  /** `null`: it stays as large as it is. */
  readonly resize: ImageResize | null;
  /** About how many bytes of memory it takes while it is decoded. */
  readonly memory: number;
}

/** Pixels of a resized picture, before its middle is cut out: a long and narrow one may become endless. */
const MOST_PIXELS = 2 ** 26;

/** Bytes for each pixel of the file: red, green, blue and opacity, as decoded and once more in the wanted colours. */
const BYTES_A_PIXEL = 8;

/** What is to be done to a file for a form. @throws BadPicture for what is no picture, is not whole or is too large */
export function jobOf(
  bytes: Uint8Array<ArrayBuffer>,
  { colours, resize }: Pick<PictureForm, "colours" | "resize">,
): DecodeJob {
  const { declared: { width, height, orientation } } = lookAtPicture(bytes);
  const size = colours.orient && orientation >= 5 ? [width, height] as const : [height, width] as const;
  const wanted = resize?.(...size) ?? null;
  if (wanted && wanted.to[0] * wanted.to[1] > MOST_PIXELS) {
    refuse(`its ${size.join(" x ")} pixels would become ${wanted.to.join(" x ")} before they are cropped`);
  }
  return { bytes, colours, resize: wanted, memory: bytes.length + width * height * BYTES_A_PIXEL };
}

/** Does a job. @throws BadPicture */
export async function decoded({ bytes, colours, resize }: Omit<DecodeJob, "memory">): Promise<Picture> {
  const picture = await decodePicture(bytes, colours);
  return resize ? resized(picture, resize) : picture;
}
