import assert from "node:assert/strict";
import { decodePicture } from "../../../../plugins/datasets/pictures/decode_picture.ts";
import golden from "../../../golden/pictures.json" with { type: "json" };

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** As golden/pictures.py sums up pixels. */
const checksum = (pixels: Uint8Array) => pixels.reduce((sum, pixel, at) => sum + pixel * (1 + at % 251), 0);

for (const { name, file, size, pixels, rgb, grey } of golden.pictures) {
  Deno.test(`${name} has the pixels that Pillow reads`, async () => {
    const bytes = bytesOf(file);
    const read = (channels: 1 | 3, background: number[] | null) =>
      decodePicture(bytes, { channels, background, orient: true });
    if (pixels === undefined) {
      const pictures = [await read(3, null), await read(1, null)];
      assert.deepEqual(pictures.map(({ height, width, channels }) => [height, width, channels]), [
        [...size, 3],
        [...size, 1],
      ]);
      return assert.deepEqual(pictures.map((picture) => checksum(picture.pixels)), [rgb, grey]);
    }
    const expected = bytesOf(pixels);
    const found = (await read(3, golden.background)).pixels;
    assert.equal(found.length, expected.length);
    assert.ok(found.every((pixel, at) => Math.abs(pixel - expected[at]) <= 1));
    await assert.rejects(read(3, null), { message: /^it has transparent pixels: set background to what is behind/ });
  });
}
