import assert from "node:assert/strict";
import { cropCentre, type CropRounding, RESAMPLING, resizePicture } from "../../../core/data/resize.ts";
import golden from "../../golden/image_processors.json" with { type: "json" };
import { goldenPicture } from "../../support/golden_picture.ts";

for (const resampling of RESAMPLING) {
  Deno.test(`${resampling} gives Pillow's bytes, smaller and larger, grey and in colours`, () => {
    const cases = golden.resized.filter((one) => one.resampling === resampling);
    assert.equal(cases.length, 5);
    for (const { from: [height, width, channels], to, bytes } of cases) {
      const picture = goldenPicture(height, width, channels);
      const resized = resizePicture(picture, to[0], to[1], resampling);
      assert.deepEqual([resized.height, resized.width, resized.channels], [...to, channels]);
      assert.deepEqual([...resized.pixels], bytes, `${height} x ${width} to ${to.join(" x ")}`);
    }
  });
}

Deno.test("a picture of the same size stays as it is, and the middle of one is cut out", () => {
  const picture = goldenPicture(5, 4, 1);
  assert.deepEqual(resizePicture(picture, 5, 4, "lanczos").pixels, picture.pixels);
  const { pixels } = cropCentre(picture, 3, 2, "floor");
  assert.deepEqual([...pixels], [5, 6, 9, 10, 13, 14].map((at) => picture.pixels[at]));
  const larger = cropCentre({ pixels: Uint8Array.of(1, 2, 3, 4), height: 2, width: 2, channels: 1 }, 4, 3, "floor");
  assert.deepEqual([...larger.pixels], [0, 0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0]);
});

Deno.test("where the middle is between two pixels, it begins as transformers' or as torchvision's", () => {
  const begins = (length: number, wanted: number, rounding: CropRounding) => {
    const picture = { pixels: Uint8Array.from({ length }, (_, at) => at), height: 1, width: length, channels: 1 };
    return cropCentre(picture, 1, wanted, rounding).pixels[0];
  };
  // By Python: (length - wanted) // 2, and int(round((length - wanted) / 2.0)).
  for (const [length, wanted, floor, even] of [[7, 4, 1, 2], [9, 4, 2, 2], [8, 4, 2, 2], [235, 224, 5, 6]]) {
    assert.deepEqual([begins(length, wanted, "floor"), begins(length, wanted, "half-even")], [floor, even]);
  }
  assert.equal(begins(251, 92, "half-even"), 80);
});
