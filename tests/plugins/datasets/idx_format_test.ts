import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { decodeIdx, type IdxArray, pairIdx } from "../../../plugins/datasets/idx_format.ts";

/** The bytes of an IDX file: two zeros, the type, the number of dimensions, each as 32 bits big-endian, the values. */
function idx(dimensions: number[], values: number[], type = 8): Uint8Array<ArrayBuffer> {
  const lengths = dimensions.flatMap((
    length,
  ) => [length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]);
  return new Uint8Array([0, 0, type, dimensions.length, ...lengths, ...values]);
}

function gzip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes));
}

const values = Array.from({ length: 2 * 3 * 4 }, (_, i) => i * 10);
const images = idx([2, 3, 4], values);

for (const [form, file] of [["plain", images], ["gzip", gzip(images)]] as const) {
  Deno.test(`an IDX file is decoded (${form})`, async () => {
    const decoded = await decodeIdx(file, '"images"');
    assert.deepEqual(decoded, { dimensions: [2, 3, 4], values: new Uint8Array(values), source: '"images"' });
  });
}

Deno.test("lengths are big-endian, and a length above 255 is read whole", async () => {
  const { dimensions } = await decodeIdx(idx([258], Array(258).fill(1)), '"labels"');
  assert.deepEqual(dimensions, [258]);
});

const damaged = gzip(images);
damaged[damaged.length - 6] ^= 1;

const REFUSALS: [what: string, file: Uint8Array<ArrayBuffer>, message: string][] = [
  ["an empty file", new Uint8Array(0), "it holds 0 bytes: the format begins with 4"],
  ["a file of three bytes", new Uint8Array([0, 0, 8]), "it holds 3 bytes"],
  ["a file of another kind", new TextEncoder().encode("%PDF-1.7"), "begins with the bytes 25 50 44 46: 00 00 08"],
  ["an unknown type", idx([1], [0], 10), "begins with the bytes 00 00 0a 01"],
  ["no dimensions", idx([], [0]), "begins with the bytes 00 00 08 00"],
  ["floats", idx([1], [0, 0, 0, 0], 13), "it holds 32-bit floats: unsigned bytes are needed"],
  ["a header cut short", images.slice(0, 10), "cut short: the lengths of 3 dimensions end at byte 16 of 10"],
  ["values cut short", images.slice(0, -1), "cut short: [2,3,4] values need 40 bytes, and it holds 39"],
  ["bytes after the values", idx([2], [1, 2, 3]), "bytes follow its [2] values: it must end after 10 bytes"],
  ["lengths that overflow", idx([2 ** 31, 2 ** 31], []), "its dimensions [2147483648,2147483648] overflow"],
  ["a huge length in a small file", idx([2 ** 31], []), "cut short: [2147483648] values need 2147483656 bytes"],
  ["gzip of too few values", gzip(images.slice(0, -1)), "cut short: [2,3,4] values need 40 bytes, and it holds 39"],
  ["gzip of too many values", gzip(idx([2], Array(5000).fill(0))), "bytes follow its [2] values"],
  [
    "gzip of far more than is inflated",
    gzip(idx([2 ** 32 - 1, 2 ** 20], [1])),
    "it inflates to 4503599626321932 bytes: at most 1073741824 are inflated, so unpack it",
  ],
  [
    "gzip of far less than it promises",
    gzip(idx([2 ** 20, 2 ** 6], [1])),
    "bytes of gzip hold the 67108876 that its header promises",
  ],
  ["gzip with a wrong sum", damaged, "its gzip data is damaged or cut short"],
  ["gzip cut short", gzip(images).slice(0, -9), "its gzip data is damaged or cut short"],
];

for (const [what, file, message] of REFUSALS) {
  Deno.test(`${what}: refused with the reason`, async () => {
    await assert.rejects(decodeIdx(file, '"x-idx"'), (error: Error) => {
      assert.equal(error.name, "UserError");
      assert.ok(error.message.startsWith('Cannot read "x-idx" as IDX: '), error.message);
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  });
}

function array(dimensions: number[], values: number[], source = '"images"'): IdxArray {
  return { dimensions, values: new Uint8Array(values), source };
}

Deno.test("images and labels of one number make a data set of one channel", () => {
  const pixels = array([2, 1, 3], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(pairIdx(pixels, array([2], [9, 0]), 10), {
    pixels: pixels.values,
    labels: new Uint8Array([9, 0]),
    count: 2,
    height: 1,
    width: 3,
    channels: 1,
  });
});

Deno.test("files that do not belong together are refused with the reason", () => {
  const two = array([2, 1, 1], [1, 2]);
  const cases: [images: IdxArray, labels: IdxArray, message: string][] = [
    [
      two,
      array([3], [0, 1, 2], '"labels"'),
      'Cannot pair the 2 images of "images" with the 3 labels of "labels": one for each is needed',
    ],
    [two, two, 'Cannot use "images" as labels: its values are [2,1,1], [count] is needed'],
    [
      array([2], [0, 1]),
      array([2], [0, 1]),
      'Cannot use "images" as images: its values are [2], [count, height, width] is needed',
    ],
    [
      array([0, 5, 5], []),
      array([0], []),
      'Cannot use "images" as images: its values are [0,5,5], [count, height, width] is needed',
    ],
    [
      two,
      array([2], [0, 3], '"labels"'),
      'Cannot use label 3 of image 1 in "labels": 3 classes have labels 0 to 2',
    ],
  ];
  for (const [images, labels, message] of cases) {
    assert.throws(() => pairIdx(images, labels, 3), { name: "UserError", message });
  }
});
