import assert from "node:assert/strict";
import { zlibSync } from "fflate";
import { decodePicture } from "../../../../plugins/datasets/pictures/decode_picture.ts";
import { BadPicture } from "../../../../plugins/datasets/pictures/picture_format.ts";
import golden from "../../../golden/pictures.json" with { type: "json" };
import { goldenFile, pngHead, pngOf } from "../../../support/pictures.ts";

const colours = { channels: 3, background: "drop", orient: true } as const;

const refusal = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
  try {
    await decodePicture(bytes, colours);
  } catch (error) {
    if (error instanceof BadPicture) return error.reason;
    throw error;
  }
  return "";
};

/** A file with other bytes from a place on. */
const changed = (bytes: Uint8Array, place: number, ...others: number[]) => {
  const copy = bytes.slice() as Uint8Array<ArrayBuffer>;
  copy.set(others, place);
  return copy;
};

/** The place of a JPEG's frame, behind its marker and length. */
const frameOf = (bytes: Uint8Array) =>
  bytes.findIndex((byte, at) => byte === 0xff && [0xc0, 0xc2].includes(bytes[at + 1])) + 4;
const jpeg = goldenFile("jpeg-444");
const photo = frameOf(jpeg);
const small = goldenFile("jpeg-420");
const gif = goldenFile("gif-flat");
const bmp = goldenFile("bmp-24");
const end = ["IEND", new Uint8Array()] as const;

/** Scans that each go over the whole picture again. */
function manyScans(): Uint8Array<ArrayBuffer> {
  const bytes = goldenFile("jpeg-progressive");
  const scan = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xda);
  const body = bytes.subarray(scan, -2);
  return Uint8Array.of(...bytes.subarray(0, scan), ...Array(100).fill([...body]).flat(), 0xff, 0xd9);
}

const refused: readonly (readonly [name: string, Uint8Array<ArrayBuffer>, RegExp])[] = [
  ["nothing", new Uint8Array(), /^it is empty$/],
  ["text", new TextEncoder().encode("a cat"), /^it is no picture: expected PNG, JPEG, WebP, GIF or BMP$/],
  ["a HEIC", new TextEncoder().encode("\0\0\0\x18ftypheic"), /^it is a HEIC picture or a film/],
  [
    "a PNG of 100000 x 100000",
    pngOf([pngHead(100000, 100000), ["IDAT", zlibSync(new Uint8Array(9))], end]),
    /say a size of 100000 x 100000 pixels: at most 64 million pixels are decoded/,
  ],
  [
    "a PNG of no width",
    pngOf([pngHead(0, 5), ["IDAT", zlibSync(new Uint8Array(9))], end]),
    /say a size of 0 x 5 pixels$/,
  ],
  [
    "a PNG that unpacks to more",
    pngOf([pngHead(2, 2), ["IDAT", zlibSync(new Uint8Array(5e6))], end]),
    /^its compressed pixels are more than its 2 x 2 pixels$/,
  ],
  [
    "a PNG that unpacks to less",
    pngOf([pngHead(9, 9), ["IDAT", zlibSync(new Uint8Array(50))], end]),
    /^it ends before its picture does$/,
  ],
  ["a PNG without pixels", pngOf([pngHead(2, 2), end]), /^it has no pixels/],
  [
    "a PNG without a palette",
    pngOf([pngHead(1, 1, 3), ["IDAT", zlibSync(new Uint8Array(2))], end]),
    /^its palette is missing/,
  ],
  [
    "a PNG of a colour behind its palette",
    pngOf([pngHead(1, 1, 3), ["PLTE", Uint8Array.of(1, 2, 3)], ["IDAT", zlibSync(Uint8Array.of(0, 1))], end]),
    /^it has the colour 1 of 1$/,
  ],
  [
    "a PNG of an unknown filter",
    pngOf([pngHead(1, 1, 0), ["IDAT", zlibSync(Uint8Array.of(7, 1))], end]),
    /a row has the filter 7$/,
  ],
  [
    "a PNG with a wrong checksum",
    changed(goldenFile("png-rgb"), 45, 1, 2, 3),
    /^its data are damaged: the checksum of its part IDAT is wrong$/,
  ],
  [
    "a JPEG of 65535 x 65535",
    changed(jpeg, photo + 1, 0xff, 0xff, 0xff, 0xff),
    /say a size of 65535 x 65535 pixels: at most/,
  ],
  [
    "a JPEG of four inks",
    changed(jpeg, photo + 5, 4),
    /^it has four inks \(CMYK\), whose colours go by the printer: save it as RGB$/,
  ],
  ["a JPEG of twelve bits", changed(jpeg, photo, 12), /^it has 12 bits a channel: expected 8$/],
  ["a JPEG of arithmetic codes", changed(jpeg, photo - 3, 0xc9), /arithmetically coded/],
  ["a JPEG of 1000 scans", manyScans(), /^it has more than 200 scans$/],
  [
    "a JPEG whose pixels are damaged",
    changed(small, small.length - 120, ...Array(80).fill(0)),
    /^its data are damaged: Corrupt JPEG data/,
  ],
  [
    "a WebP of 16384 x 16384",
    changed(goldenFile("webp-lossless"), 21, 0xff, 0xff, 0xff, 0x0f),
    /say a size of 16384 x 16384 pixels: at most/,
  ],
  ["an animated WebP", changed(goldenFile("webp-lossy-alpha"), 20, 2), /^it is an animated WebP/],
  [
    "a WebP whose pixels are damaged",
    changed(goldenFile("webp-lossy"), 30, ...Array(30).fill(0xff)),
    /^its data are damaged/,
  ],
  ["a GIF of 65535 x 65535", changed(gif, 6, 0xff, 0xff, 0xff, 0xff), /say a size of 65535 x 65535 pixels: at most/],
  ["a GIF with a frame beyond its screen", changed(gif, 6, 3, 0, 3, 0), /^its first frame is larger than its screen$/],
  ["a GIF without a frame", changed(gif.subarray(0, 13), 10, 0, 0, 0), /^it ends before/],
  [`a BMP of ${2 ** 31 - 1} x 9`, changed(bmp, 18, 0xff, 0xff, 0xff, 0x7f), /^it ends before its picture does$/],
  ["a compressed BMP", changed(bmp, 30, 1), /^it is a compressed BMP/],
  ["a BMP of 9 bits", changed(bmp, 28, 9), /^it has 9 bits a pixel/],
];

for (const [name, bytes, reason] of refused) {
  Deno.test(`refused: ${name}`, async () => assert.match(await refusal(bytes), reason));
}

Deno.test("a file that is cut off anywhere is refused, unless nothing of its pixels is missing", async () => {
  for (const { name, size } of golden.pictures) {
    const whole = goldenFile(name);
    const { pixels } = await decodePicture(whole, colours);
    for (let part = 1; part < 12; part++) {
      const cut = whole.slice(0, Math.floor(whole.length * part / 12));
      const picture = await decodePicture(cut, colours).catch((error) => {
        if (!(error instanceof BadPicture)) throw error;
        return null;
      });
      if (!picture) continue;
      assert.deepEqual([picture.height, picture.width], size);
      assert.deepEqual(picture.pixels, pixels, `${name}, ${part} parts of 12`);
    }
  }
});

Deno.test("after a damaged picture the next one is right", async () => {
  for (const name of ["jpeg-420", "webp-lossy"]) {
    const whole = goldenFile(name);
    const { pixels } = await decodePicture(whole, colours);
    assert.notEqual(await refusal(changed(whole, 40, ...Array(whole.length - 60).fill(0xff))), "");
    assert.deepEqual((await decodePicture(whole, colours)).pixels, pixels);
  }
});
