import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import { beta, mixImages, OTHER_LABEL, OTHER_SHARE } from "../../../core/plugin/mix_images.ts";

/** Images of one number each, in two sizes: that of the student and that of a teacher. */
const plain = (count: number) => {
  const images = (side: number) => ({
    data: Float32Array.from({ length: count * side * side }, (_, at) => Math.floor(at / (side * side))),
    shape: [count, side, side, 1],
  });
  return {
    image: images(8),
    "teacher 1 takes: image": images(16),
    "kd: kept": { data: new Float32Array(count), shape: [count] },
    label: { data: Float32Array.from({ length: count }, (_, index) => 10 * index), shape: [count] },
  };
};

const imagesOf = ({ data, shape }: { data: Float32Array; shape: readonly number[] }) => {
  const size = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, index) => [...data.subarray(index * size, (index + 1) * size)]);
};

Deno.test("mixup: pixels and label are of the two images by the same share, the larger part its own", () => {
  const batch = plain(40);
  const mixed = mixImages(batch, { mixup: 1, cutmix: 0 }, new Random(1));
  const [others, shares] = [mixed[OTHER_LABEL].data, mixed[OTHER_SHARE].data];
  assert.deepEqual([...others].sort((a, b) => a - b), [...batch.label.data], "each image is one other's partner");
  for (const name of ["image", "teacher 1 takes: image"] as const) {
    for (const [index, image] of imagesOf(mixed[name]).entries()) {
      assert.ok(shares[index] >= 0 && shares[index] <= 0.5);
      const expected = (1 - shares[index]) * index + shares[index] * others[index] / 10;
      assert.ok(image.every((pixel) => Math.abs(pixel - expected) < 1e-5), `${name} ${index}`);
    }
  }
  assert.deepEqual([mixed.label, mixed["kd: kept"]], [batch.label, batch["kd: kept"]]);
  assert.ok(new Set(shares).size > 30, "each image has its own share");
});

Deno.test("CutMix: a rectangle is the other's, and the share is what it takes; the teacher sees the same", () => {
  const mixed = mixImages(plain(40), { mixup: 0, cutmix: 1 }, new Random(2));
  const [others, shares] = [mixed[OTHER_LABEL].data, mixed[OTHER_SHARE].data];
  const [own, taught] = [imagesOf(mixed.image), imagesOf(mixed["teacher 1 takes: image"])];
  for (const [index, image] of own.entries()) {
    const other = others[index] / 10;
    assert.ok(image.every((pixel) => pixel === index || pixel === other));
    if (other === index) continue;
    const places = [...image.keys()].filter((place) => image[place] === other);
    assert.ok(Math.abs(places.length / 64 - shares[index]) < 1e-6);
    const [rows, columns] = [places.map((place) => Math.floor(place / 8)), places.map((place) => place % 8)];
    const area = (1 + Math.max(...rows) - Math.min(...rows)) * (1 + Math.max(...columns) - Math.min(...columns));
    if (places.length > 0) assert.equal(places.length, area, "it is a rectangle");
    // Twice as large, pixel by pixel.
    taught[index].forEach((pixel, place) => {
      assert.equal(pixel, image[Math.floor(place / 32) * 8 + Math.floor(place % 16 / 2)]);
    });
  }
});

Deno.test("both: about half of the images each; seeds decide, and one image alone stays as it is", () => {
  const mixes = (seed: number) => mixImages(plain(200), { mixup: 1, cutmix: 1 }, new Random(seed));
  const blended = imagesOf(mixes(3).image).filter((image) => image.some((pixel) => !Number.isInteger(pixel))).length;
  assert.ok(blended > 70 && blended < 130, `${blended} of 200`);
  assert.deepEqual(mixes(3), mixes(3));
  assert.notDeepEqual(mixes(3), mixes(4));
  assert.deepEqual(mixImages(plain(1), { mixup: 1, cutmix: 0 }, new Random(5)).image, plain(1).image);
});

Deno.test("Beta(a, a) has the mean 1/2 and the variance 1 / (8 a + 4)", () => {
  for (const alpha of [0.2, 1, 4]) {
    const random = new Random(7);
    const drawn = Array.from({ length: 20000 }, () => beta(random, alpha));
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
    assert.ok(drawn.every((value) => value >= 0 && value <= 1));
    assert.ok(Math.abs(mean - 0.5) < 0.01, `${alpha}: mean ${mean}`);
    assert.ok(Math.abs(variance * (8 * alpha + 4) - 1) < 0.04, `${alpha}: variance ${variance}`);
  }
});
