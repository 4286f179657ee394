import decodeJpeg, { init } from "@jsquash/jpeg/decode.js";
import { JPEG_DECODER } from "./codecs.generated.ts";
import { Codec } from "./codec.ts";
import { orientationOf } from "./exif.ts";
import { type DeclaredPicture, hasLetters, type PictureFormat, Reader, refuse, TRUNCATED } from "./picture_format.ts";

/** Each scan of a progressive file goes over the whole picture; a file of a few bytes can have thousands. */
const MOST_SCANS = 200;

/** libjpeg's words for data that do not fit the picture, which it makes up. */
const DAMAGED = /corrupt|premature|truncat|inconsistent|invalid/i;

/** Some cameras leave bytes behind a marker; nothing of the picture is missing. */
const HARMLESS = /extraneous bytes/i;

const codec = new Codec(JPEG_DECODER, init);

/** JPEG (ITU-T T.81), sequential and progressive, by mozjpeg: the same pixels as libjpeg-turbo's, which Pillow uses. */
export const jpeg: PictureFormat = {
  name: "JPEG",
  begins: (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff,
  look,
  async decode(bytes) {
    const { result, said } = await codec.run(() => decodeJpeg(bytes.slice().buffer), bytes.length);
    const damage = said.find((line) => DAMAGED.test(line) && !HARMLESS.test(line));
    if (damage) refuse(`its data are damaged: ${damage}`);
    return { width: result.width, height: result.height, channels: 4, pixels: new Uint8Array(result.data.buffer) };
  },
};

/** Walks over the file's segments to its end, without which a decoder would make up what is missing. */
function look(bytes: Uint8Array): DeclaredPicture {
  const reader = new Reader(bytes, false);
  let [frame, orientation, scans] = [null as Omit<DeclaredPicture, "orientation"> | null, 1, 0];
  for (let place = 2;;) {
    if (reader.byte(place) !== 0xff) refuse("its parts (JPEG segments) do not follow on each other");
    while (reader.byte(place + 1) === 0xff) place++;
    const marker = reader.byte(place + 1);
    place += 2;
    if (marker === 0xd9) break;
    if (marker === 0x01 || marker >= 0xd0 && marker <= 0xd8) continue;
    const length = reader.short(place);
    const end = place + length;
    if (end > bytes.length) refuse(TRUNCATED);
    if (isFrame(marker)) frame = frameOf(reader, place, marker);
    if (marker === 0xe1 && hasLetters(bytes, place + 2, "Exif\0\0")) {
      orientation = orientationOf(bytes.subarray(place + 8, end));
    }
    place = end;
    if (marker !== 0xda) continue;
    if (++scans > MOST_SCANS) refuse(`it has more than ${MOST_SCANS} scans`);
    place = endOfScan(bytes, place);
  }
  if (!frame || scans === 0) refuse("it has no picture, only what goes before one");
  return { ...frame, orientation };
}

/** Start of frame, but for the tables and extensions among its numbers. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function frameOf(reader: Reader, place: number, marker: number) {
  if (![0xc0, 0xc1, 0xc2].includes(marker)) {
    refuse("it is a lossless, hierarchical or arithmetically coded JPEG: save it as a plain one");
  }
  const [depth, height, width, components] = [
    reader.byte(place + 2),
    reader.short(place + 3),
    reader.short(place + 5),
    reader.byte(place + 7),
  ];
  if (depth !== 8) refuse(`it has ${depth} bits a channel: expected 8`);
  if (components === 4) refuse("it has four inks (CMYK), whose colours go by the printer: save it as RGB");
  if (components !== 1 && components !== 3) refuse(`it has ${components} channels: expected 1 or 3`);
  return { width, height };
}

/** Where the next segment begins behind the coded pixels, in which a 0 follows each byte of all ones. */
function endOfScan(bytes: Uint8Array, begin: number): number {
  for (let place = bytes.indexOf(0xff, begin); place >= 0; place = bytes.indexOf(0xff, place + 1)) {
    const next = bytes[place + 1];
    if (next === undefined) break;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return place;
  }
  return refuse(TRUNCATED);
}
