import assert from "node:assert/strict";
import { augmentImages } from "../../../core/data/image_augment.ts";
import { type Change, changedImage, drawChange, type FurtherAugmentation } from "../../../core/data/image_change.ts";
import type { Images } from "../../../core/data/images.ts";
import { Random } from "../../../core/data/random.ts";
import { assertClose } from "../../support/numbers.ts";

const nothing: Change = { crop: null, turn: 0, operations: [], colours: null, erased: null };
const unmoved = { flipped: false, down: 0, right: 0 };

/** Floats of a formula. */
function imageOf(
  height: number,
  width: number,
  channels: number,
  value: (y: number, x: number, c: number) => number,
): Images {
  const pixels = Float32Array.from({ length: height * width * channels }, (_, at) => {
    const [pixel, c] = [Math.floor(at / channels), at % channels];
    return value(Math.floor(pixel / width), pixel % width, c);
  });
  return { pixels, count: 1, height, width, channels };
}

const changed = (image: Images, change: Partial<Change>, shift = unmoved, fill = 0) =>
  changedImage(image, 0, shift, { ...nothing, ...change }, fill);

Deno.test("without a change an image is what mirroring and shifting make of it", () => {
  const pixels = Uint8Array.from({ length: 4 * 5 * 3 }, (_, at) => 4 * at);
  const image = { pixels, count: 1, height: 4, width: 5, channels: 3 };
  assertClose(changed(image, {}), Float64Array.from(pixels, (byte) => byte / 255), 1e-7, "as it is");
  const [augmented, keep] = [new Float32Array(60), { mean: [0, 0, 0], std: [1, 1, 1] }];
  for (let epoch = 0; epoch < 12; epoch++) {
    const plain = new Float32Array(60);
    augmentImages(image, [0], keep, { flip: true, shift: 2 }, { seed: 3, epoch }, plain);
    // The one goes between pixels, the other from pixel to pixel.
    for (const little of [{ rotate: 1e-9 }, { jitter: 1e-9 }]) {
      augmentImages(image, [0], keep, { flip: true, shift: 2, ...little }, { seed: 3, epoch }, augmented);
      assertClose(augmented, plain, 1e-6, `epoch ${epoch}`);
    }
  }
});

Deno.test("a crop is enlarged linearly between its pixels' middles, and goes on at its edges", () => {
  const ramp = imageOf(8, 8, 1, (y, x) => (10 * y + x) / 100);
  const crop = { top: 2, left: 4, height: 4, width: 2 };
  const expected = Array.from({ length: 64 }, (_, at) => {
    const [y, x] = [Math.floor(at / 8), at % 8];
    const within = (place: number, begin: number, part: number) =>
      Math.min(begin + part - 1, Math.max(begin, begin + (place + 0.5) * part / 8 - 0.5));
    return (10 * within(y, 2, 4) + within(x, 4, 2)) / 100;
  });
  assertClose(changed(ramp, { crop }), expected, 1e-6, "crop");
  const mirrored = changed(ramp, { crop: { ...crop, left: 2 } }, { ...unmoved, flipped: true });
  const backwards = expected.map((_, at) => expected[Math.floor(at / 8) * 8 + 7 - at % 8]);
  assertClose(mirrored, backwards, 1e-6, "the same part of the mirrored image");
});

Deno.test("a quarter turn is exact, an eighth brings what is outside into the corners", () => {
  const image = imageOf(5, 5, 2, (y, x, c) => (y * 5 + x + c) / 40);
  const at = (y: number, x: number, c: number) => (image.pixels[(y * 5 + x) * 2 + c]);
  const turned = Float32Array.from({ length: 50 }, (_, place) => {
    const [y, x, c] = [Math.floor(place / 10), Math.floor(place / 2) % 5, place % 2];
    return at(x, 4 - y, c);
  });
  assertClose(changed(image, { turn: 90 }), turned, 1e-6, "counterclockwise");
  const eighth = changed(imageOf(5, 5, 1, () => 1), { turn: 45 });
  assertClose(
    [eighth[0], eighth[4], eighth[12]],
    [3 - 2 * Math.SQRT2, 3 - 2 * Math.SQRT2, 1],
    1e-6,
    "corners and middle",
  );
  assertClose(changed(imageOf(5, 5, 1, () => 1), { turn: 45 }, unmoved, 1), Array(25).fill(1), 1e-6, "filled");
});

Deno.test("colours: brightness, then contrast about the mean, then saturation about the grey", () => {
  const image = imageOf(1, 2, 3, (_, x, c) => [[0.2, 0.4, 0.6], [0.8, 0.1, 0.3]][x][c]);
  const grey = ([r, g, b]: number[]) => 0.299 * r + 0.587 * g + 0.114 * b;
  const bright = [[0.3, 0.6, 0.9], [1, 0.15, 0.45]];
  const mean = (grey(bright[0]) + grey(bright[1])) / 2;
  const contrasted = bright.map((pixel) => pixel.map((value) => mean + (value - mean) * 0.5));
  const saturated = contrasted.map((pixel) => pixel.map((value) => grey(pixel) + (value - grey(pixel)) * 2));
  const expected = saturated.flat().map((value) => Math.min(1, Math.max(0, value)));
  assertClose(changed(image, { colours: [1.5, 0.5, 2] }), expected, 1e-6, "jitter");
  const one = imageOf(1, 2, 1, (_, x) => [0.2, 0.6][x]);
  assertClose(changed(one, { colours: [1, 0.5, 7] }), [0.3, 0.5], 1e-6, "grey has no saturation");
});

Deno.test("operations are applied to bytes, after the crop and the turn and before the colours", () => {
  const image = imageOf(2, 2, 1, (y, x) => [0.2, 0.4, 0.6, 0.8][2 * y + x]);
  const operations = [{ name: "solarize", magnitude: 128 }, { name: "translateX", magnitude: 1 }] as const;
  // Upside down, inverted from the middle, moved to the right behind white, half as bright.
  const expected = [0.5, 0.1, 0.5, 0.2];
  assertClose(changed(image, { turn: 180, operations, colours: [0.5, 1, 1] }, unmoved, 1), expected, 1e-6, "all");
});

Deno.test("what is drawn stays within its bounds, and each change follows from numbers of its own", () => {
  const all: FurtherAugmentation = {
    ...{ crop: 0.25, rotate: 20, jitter: 0.4, erase: 0.5 },
    randAugment: { operations: 2, magnitude: 9, bins: 31 },
  };
  const draw = (seed: number, augmentation = all) => drawChange(new Random(seed), augmentation, 20, 30);
  const changes = Array.from({ length: 2000 }, (_, seed) => draw(seed));
  const areas = changes.map(({ crop }) => crop!.height * crop!.width / 600);
  const [least, most] = [Math.min(...areas), Math.max(...areas)];
  assert.ok(least > 0.2 && least < 0.3 && most > 0.85, `${least} to ${most}`);
  for (const { crop, turn, colours, erased } of changes) {
    for (const box of [crop!, ...erased ? [erased] : []]) {
      assert.ok(box.top >= 0 && box.left >= 0 && box.top + box.height <= 20 && box.left + box.width <= 30);
    }
    assert.ok(Math.abs(turn) <= 20 && colours!.every((factor) => factor >= 0.6 && factor <= 1.4));
  }
  const erased = changes.filter((change) => change.erased);
  assert.ok(erased.length > 900 && erased.length < 1100, `${erased.length} of 2000`);
  const { turn, colours, operations } = draw(5);
  assert.deepEqual(draw(5, { rotate: 20 }), { ...nothing, turn });
  assert.deepEqual(draw(5, { jitter: 0.4 }).colours, colours);
  assert.equal(operations.length, 2);
  assert.deepEqual(draw(5, { randAugment: all.randAugment }), { ...nothing, operations });
});

Deno.test("erased pixels are the mean; an image's changes do not follow from its batch", () => {
  const images = { ...imageOf(8, 8, 3, () => 0.9), pixels: new Float32Array(4 * 192).fill(0.9), count: 4 };
  const run = (indices: number[], epoch: number) => {
    const out = new Float32Array(indices.length * 192);
    const augmentation = { flip: true, shift: 1, crop: 0.3, rotate: 10, jitter: 0.2, erase: 1, fill: 0.9 };
    augmentImages(
      images,
      indices,
      { mean: [0.5, 0.5, 0.5], std: [0.1, 0.1, 0.1] },
      augmentation,
      { seed: 1, epoch },
      out,
    );
    return out;
  };
  const together = run([0, 1, 2, 3], 0);
  for (const index of [0, 1, 2, 3]) {
    const alone = run([index], 0);
    assert.deepEqual(together.subarray(index * 192, (index + 1) * 192), alone);
    const erased = alone.filter((value) => value === 0).length / 192;
    assert.ok(erased > 0 && erased < 0.5, `${erased}`);
  }
  assert.notDeepEqual(run([0], 1), run([0], 0));
});
