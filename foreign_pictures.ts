import { hasLetters } from "./picture_format.ts";

/** Formats of pictures that are not read, and their first bytes. */
const FOREIGN: readonly (readonly [name: string, fits: (bytes: Uint8Array) => boolean])[] = [
  ["a TIFF picture", (bytes) => hasLetters(bytes, 0, "II*\0") || hasLetters(bytes, 0, "MM\0*")],
  ["an AVIF picture", (bytes) => hasLetters(bytes, 4, "ftypavi")],
  ["a HEIC picture", (bytes) => hasLetters(bytes, 4, "ftyp")],
  ["a JPEG XL picture", (bytes) => hasLetters(bytes, 0, "\xff\x0a") || hasLetters(bytes, 4, "JXL ")],
  ["a JPEG 2000 picture", (bytes) => hasLetters(bytes, 4, "jP  ")],
  ["a Photoshop file", (bytes) => hasLetters(bytes, 0, "8BPS")],
  ["an SVG drawing", (bytes) => hasLetters(bytes, 0, "<svg") || hasLetters(bytes, 0, "<?xml")],
  ["a PDF document", (bytes) => hasLetters(bytes, 0, "%PDF")],
  ["a pointer of git-lfs, which stands for the file that was left on the server", (bytes) =>
    hasLetters(bytes, 0, "version https://")],
  ["a page of HTML", (bytes) => hasLetters(bytes, 0, "<!") || hasLetters(bytes, 0, "<html")],
];

/** What a file is that none of the formats fits; follows "as". */
export function foreignPicture(bytes: Uint8Array): string {
  const known = FOREIGN.find(([, fits]) => fits(bytes));
  return `it is ${known ? known[0] : "no picture"}: expected PNG, JPEG, WebP, GIF or BMP`;
}
