import assert from "node:assert/strict";
import {
  cifarClasses,
  type CifarFile,
  type CifarVariant,
  decodeCifar,
} from "../../../plugins/datasets/cifar_format.ts";

const PLANE = 1024;

/** A record of the given labels and a pixel value for each channel and position. */
function record(labels: number[], pixel: (channel: number, y: number, x: number) => number): number[] {
  const planes = Array.from(
    { length: 3 * PLANE },
    (_, i) => pixel(Math.floor(i / PLANE), Math.floor((i % PLANE) / 32), i % 32),
  );
  return [...labels, ...planes];
}

function file(...records: number[][]): CifarFile {
  return { source: '"batch.bin"', bytes: Uint8Array.from(records.flat()) };
}

const pixelOf = (seed: number) => (channel: number, y: number, x: number) => (seed + channel * 85 + y * 7 + x) & 255;

Deno.test("records of planes become images with the channels last, in the files' order", () => {
  const set = decodeCifar(
    [file(record([3], pixelOf(0)), record([9], pixelOf(50))), file(record([0], pixelOf(99)))],
    "cifar-10",
  );
  assert.deepEqual([set.count, set.height, set.width, set.channels], [3, 32, 32, 3]);
  assert.deepEqual([...set.labels], [3, 9, 0]);
  for (const [image, seed] of [0, 50, 99].entries()) {
    for (const [y, x] of [[0, 0], [0, 31], [31, 0], [17, 5]]) {
      const at = ((image * 32 + y) * 32 + x) * 3;
      const expected = [0, 1, 2].map((channel) => pixelOf(seed)(channel, y, x));
      assert.deepEqual([...set.pixels.slice(at, at + 3)], expected, `image ${image} at ${y}, ${x}`);
    }
  }
  assert.equal(set.pixels.length, 3 * 32 * 32 * 3);
});

Deno.test("CIFAR-100 gives fine or coarse labels, and the same images", () => {
  const files = [file(record([19, 99], pixelOf(1)), record([4, 20], pixelOf(2)))];
  const fine = decodeCifar(files, "cifar-100");
  const coarse = decodeCifar(files, "cifar-100-coarse");
  assert.deepEqual([...fine.labels], [99, 20]);
  assert.deepEqual([...coarse.labels], [19, 4]);
  assert.deepEqual(fine.pixels, coarse.pixels);
  assert.deepEqual([...fine.pixels.slice(0, 3)], [1, 86, 171]);
});

Deno.test("the number of classes is that of the labels", () => {
  assert.deepEqual((["cifar-10", "cifar-100", "cifar-100-coarse"] as const).map(cifarClasses), [10, 100, 20]);
});

const black = () => 0;
const REFUSALS: [what: string, file: CifarFile, variant: CifarVariant, reason: string][] = [
  ["an empty file", file(), "cifar-10", "it holds 0 bytes: a whole number of records of 3073 is needed"],
  ["a truncated record", file(record([1], black).slice(0, -1)), "cifar-10", "it holds 3072 bytes: a whole number"],
  [
    "a trailing byte",
    file(record([1], black), [0]),
    "cifar-10",
    "it holds 3074 bytes: a whole number of records of 3073",
  ],
  [
    "a CIFAR-10 file as CIFAR-100",
    file(record([1], black)),
    "cifar-100",
    "it holds 3073 bytes: a whole number of records of 3074",
  ],
  [
    "a label of 10",
    file(record([1], black), record([10], black)),
    "cifar-10",
    "record 1 has the label 10: it must be below 10",
  ],
  [
    "a fine label of 100",
    file(record([1, 100], black)),
    "cifar-100",
    "record 0 has the fine label 100: it must be below 100",
  ],
  [
    "a coarse label of 20",
    file(record([20, 1], black)),
    "cifar-100",
    "record 0 has the coarse label 20: it must be below 20",
  ],
];

for (const [what, bad, variant, reason] of REFUSALS) {
  Deno.test(`${what} is refused with the reason`, () => {
    const good = file(record(variant === "cifar-10" ? [1] : [1, 1], black));
    assert.throws(() => decodeCifar([good, { ...bad, source: '"bad.bin"' }], variant), (error: Error) => {
      assert.equal(error.name, "UserError");
      assert.ok(
        error.message.startsWith(`Cannot read "bad.bin" as the binary version of ${variant}: ${reason}`),
        error.message,
      );
      return true;
    });
  });
}
