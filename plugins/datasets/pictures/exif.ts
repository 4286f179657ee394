import { BadPicture, hasLetters, Reader } from "./picture_format.ts";

/** The tag of the orientation. */
const ORIENTATION = 0x0112;

/** The tag's number in an EXIF block (TIFF), from 1 to 8; 1 where it has none, or is not understood. */
export function orientationOf(block: Uint8Array): number {
  const little = hasLetters(block, 0, "II");
  if (!little && !hasLetters(block, 0, "MM")) return 1;
  const reader = new Reader(block, little);
  try {
    if (reader.short(2) !== 42) return 1;
    const first = reader.long(4);
    for (let entry = 0; entry < reader.short(first); entry++) {
      const place = first + 2 + 12 * entry;
      if (reader.short(place) !== ORIENTATION) continue;
      const value = reader.short(place + 8);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    // A block that is cut off says nothing; the picture is whole for all that.
    if (!(error instanceof BadPicture)) throw error;
  }
  return 1;
}
