import assert from "node:assert/strict";
import { decodeIdx, pairIdx } from "../../../plugins/datasets/idx_format.ts";

const FOLDER = new URL("../../../plugins/datasets/data/fashion-mnist/", import.meta.url);

async function read(name: string) {
  return await decodeIdx(await Deno.readFile(new URL(name, FOLDER)), `"${name}"`);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Of the first images and labels of the complete files, computed from those in Python. */
const PARTS = [
  {
    part: "train",
    count: 8000,
    pixels: "b86fbee801803e469aaacdfddb30b669eae5a077698b9c88d39dff2aa4bc48b0",
    labels: "f8e8cbaba738666c80f861044dd2347c859ec0abf8fc047e4bc3a3395d58a985",
    firstLabels: [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
    perClass: [747, 860, 809, 807, 763, 795, 807, 818, 792, 802],
  },
  {
    part: "t10k",
    count: 2000,
    pixels: "09bbac78738f0229a68f7ca74e62665d7fb34f45ea7a3509ab5c4a202c1370de",
    labels: "a86243d2b2400909bc0a82f5fd5c9df83bf827852a1543e3dc70af890035a9d4",
    firstLabels: [9, 2, 1, 1, 6, 1, 4, 6, 5, 7],
    perClass: [200, 203, 214, 190, 219, 195, 197, 200, 194, 188],
  },
];

for (const expected of PARTS) {
  Deno.test(`the repository's ${expected.part} part of Fashion-MNIST is the start of the complete one`, async () => {
    const images = await read(`${expected.part}-images-idx3-ubyte.gz`);
    const labels = await read(`${expected.part}-labels-idx1-ubyte.gz`);
    const set = pairIdx(images, labels, 10);
    assert.deepEqual([set.count, set.height, set.width, set.channels], [expected.count, 28, 28, 1]);
    assert.equal(await sha256(images.values), expected.pixels);
    assert.equal(await sha256(labels.values), expected.labels);
    assert.deepEqual([...set.labels.slice(0, 10)], expected.firstLabels);
    const perClass = Array(10).fill(0);
    for (const label of set.labels) perClass[label]++;
    assert.deepEqual(perClass, expected.perClass);
  });
}
