import { wordsOf } from "../../../core/errors.ts";
import type { Picture } from "../../../core/data/resize.ts";
import { bmp } from "./bmp.ts";
import { inChannels, type PictureColours } from "./colours.ts";
import { foreignPicture } from "./foreign_pictures.ts";
import { gif } from "./gif.ts";
import { jpeg } from "./jpeg.ts";
import { upright } from "./orientation.ts";
import { BadPicture, type DeclaredPicture, type DecodedPicture, type PictureFormat, refuse } from "./picture_format.ts";
import { png } from "./png.ts";
import { webp } from "./webp.ts";

/** All that are read. */
const PICTURE_FORMATS: readonly PictureFormat[] = [png, jpeg, webp, gif, bmp];

/** Pixels of a picture, by what its file says before it is decoded: more take the memory of a run. */
const MOST_PIXELS = 2 ** 26;

/** A side of a picture. */
const MOST_SIDE = 2 ** 15;

/**
 * The format of a file, and what it says of its picture.
 *
 * @throws BadPicture for what is no picture, is not whole, or is larger than memory is spent on
 */
export function lookAtPicture(
  bytes: Uint8Array,
): { readonly format: PictureFormat; readonly declared: DeclaredPicture } {
  if (bytes.length === 0) refuse("it is empty");
  const format = PICTURE_FORMATS.find(({ begins }) => begins(bytes)) ?? refuse(foreignPicture(bytes));
  const declared = format.look(bytes);
  const { width, height } = declared;
  const said = `its ${format.name} data say a size of ${width} x ${height} pixels`;
  if (width < 1 || height < 1) refuse(said);
  if (width * height > MOST_PIXELS || width > MOST_SIDE || height > MOST_SIDE) {
    refuse(`${said}: at most ${MOST_PIXELS / 2 ** 20} million pixels are decoded, and sides up to ${MOST_SIDE}`);
  }
  return { format, declared };
}

/**
 * Decodes a picture, turned upright, in the wanted colours.
 *
 * @throws BadPicture for a file that is none, is damaged, or has pixels that the colours do not allow
 */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>, colours: PictureColours): Promise<Picture> {
  const { format, declared } = lookAtPicture(bytes);
  const decoded = await decodedBy(format, bytes, declared);
  return upright(inChannels(decoded, colours), colours.orient ? declared.orientation : 1);
}

async function decodedBy(format: PictureFormat, bytes: Uint8Array<ArrayBuffer>, declared: DeclaredPicture) {
  let decoded: DecodedPicture;
  try {
    decoded = await format.decode(bytes, declared);
  } catch (error) {
    if (error instanceof BadPicture) throw error;
    // A package's words for what it did not expect.
    refuse(`its ${format.name} data are damaged: ${wordsOf(error)}`);
  }
  const { width, height, channels, pixels } = decoded;
  if (width === declared.width && height === declared.height && pixels.length === width * height * channels) {
    return decoded;
  }
  refuse(`its ${format.name} data say ${declared.width} x ${declared.height} pixels, and hold ${width} x ${height}`);
}
