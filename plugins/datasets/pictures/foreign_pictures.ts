import { hasLetters } from "./picture_format.ts";

/** What people have in folders of pictures that is not read, and how it begins. */
const FOREIGN: readonly (readonly [name: string, ...starts: (readonly [place: number, letters: string])[]])[] = [
  ["a TIFF picture", [0, "II*\0"], [0, "MM\0*"]],
  ["an AVIF picture", [4, "ftypavi"]],
  ["a HEIC picture or a film", [4, "ftyp"]],
  ["a JPEG XL picture", [0, "\xff\x0a"], [4, "JXL "]],
  ["a JPEG 2000 picture", [4, "jP  "]],
  ["a Photoshop file", [0, "8BPS"]],
  ["an SVG drawing", [0, "<svg"], [0, "<?xml"]],
  ["a PDF document", [0, "%PDF"]],
  ["a pointer of git-lfs, which stands for the file that was left on the server", [0, "version https://"]],
  ["a page of HTML", [0, "<!"], [0, "<html"]],
];

/** What a file is that none of the formats fits; follows "as". */
export function foreignPicture(bytes: Uint8Array): string {
  const known = FOREIGN.find(([, ...starts]) => starts.some(([place, letters]) => hasLetters(bytes, place, letters)));
  return `it is ${known ? known[0] : "no picture"}: expected PNG, JPEG, WebP, GIF or BMP`;
}
