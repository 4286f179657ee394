import assert from "node:assert/strict";
import { type Augmentation, augmentImages, normaliseImages } from "../../../core/data/image_augment.ts";
import type { Images } from "../../../core/data/images.ts";
import { Random } from "../../../core/data/random.ts";

const KEEP = { mean: [0], std: [1 / 255] }; // A byte comes out as its own value.

function randomImages(count: number, height: number, width: number, channels: number): Images {
  const random = new Random(1);
  // No zero, so that what a shift uncovers can be told from what it moves.
  const pixels = Uint8Array.from({ length: count * height * width * channels }, () => 1 + random.below(255));
  return { pixels, count, height, width, channels };
}

function augmented(images: Images, indices: number[], augmentation: Augmentation, epoch = 0, seed = 1): Float32Array {
  const batch = new Float32Array(indices.length * images.height * images.width * images.channels);
  const normalisation = {
    mean: Array(images.channels).fill(0),
    std: Array(images.channels).fill(1 / 255),
  };
  augmentImages(images, indices, normalisation, augmentation, { seed, epoch }, batch);
  return batch;
}

/** Every image that flip and shift can make of one, by the definition: mirror, pad on all sides, cut out a window. */
function allPlacements(image: Images, { flip, shift, fill = 0 }: Augmentation): Map<string, string> {
  const { pixels, height, width, channels } = image;
  const results = new Map<string, string>();
  for (const mirrored of flip ? [false, true] : [false]) {
    const at = (y: number, x: number, c: number) => {
      if (y < 0 || y >= height || x < 0 || x >= width) return fill;
      return pixels[(y * width + (mirrored ? width - 1 - x : x)) * channels + c];
    };
    for (let down = -shift; down <= shift; down++) {
      for (let right = -shift; right <= shift; right++) {
        const window = [];
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            for (let c = 0; c < channels; c++) window.push(at(y + down, x + right, c));
          }
        }
        results.set(window.join(), `${mirrored} ${down} ${right}`);
      }
    }
  }
  return results;
}

Deno.test("pixels are brought to 0 to 1, and the mean and deviation of their channel taken out", () => {
  const images = { pixels: Uint8Array.of(0, 255, 51, 204), count: 2, height: 1, width: 1, channels: 2 };
  const batch = new Float32Array(4);
  normaliseImages(images, [1, 0], { mean: [0.5, 0.2], std: [0.25, 0.5] }, batch);
  const expected = [(0.2 - 0.5) / 0.25, (0.8 - 0.2) / 0.5, (0 - 0.5) / 0.25, (1 - 0.2) / 0.5];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(batch[i] - value) < 1e-6, `${batch[i]} at ${i}`);
});

Deno.test("images of floats from 0 to 1 give what the same images of bytes give", () => {
  const bytes = randomImages(3, 4, 5, 2);
  const floats = { ...bytes, pixels: Float32Array.from(bytes.pixels, (byte) => byte / 255) };
  const normalisation = { mean: [0.3, 0.4], std: [0.2, 0.5] };
  const augmentation = { flip: true, shift: 1 };
  const [ofBytes, ofFloats] = [bytes, floats].map((images) => {
    const batch = new Float32Array(3 * 4 * 5 * 2);
    augmentImages(images, [0, 1, 2], normalisation, augmentation, { seed: 1, epoch: 0 }, batch);
    return batch;
  });
  for (let i = 0; i < ofBytes.length; i++) assert.ok(Math.abs(ofBytes[i] - ofFloats[i]) < 1e-6);
});

Deno.test("without flip and shift the images come out as they are", () => {
  const images = randomImages(4, 3, 5, 3);
  assert.deepEqual([...augmented(images, [0, 1, 2, 3], { flip: false, shift: 0 })], [...images.pixels]);
});

for (const augmentation of [{ flip: true, shift: 2 }, { flip: false, shift: 1, fill: 9 }, { flip: true, shift: 0 }]) {
  Deno.test(`every placement of ${JSON.stringify(augmentation)} occurs, each as often, and nothing else`, () => {
    const image = randomImages(1, 4, 6, 2);
    const placements = allPlacements(image, augmentation);
    const counts = new Map<string, number>();
    const epochs = placements.size * 100;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const placement = placements.get(augmented(image, [0], augmentation, epoch).join());
      assert.ok(placement, `epoch ${epoch} gave an image that no placement makes`);
      counts.set(placement, (counts.get(placement) ?? 0) + 1);
    }
    assert.equal(counts.size, placements.size);
    // A count of mean 100 has a deviation of at most 10.
    for (const [placement, count] of counts) assert.ok(Math.abs(count - 100) <= 50, `${placement}: ${count} times`);
  });
}

Deno.test("a shift by more than the image leaves only what it uncovers", () => {
  const image = randomImages(1, 2, 3, 1);
  const placements = allPlacements(image, { flip: false, shift: 5 });
  for (let epoch = 0; epoch < 200; epoch++) {
    assert.ok(placements.has(augmented(image, [0], { flip: false, shift: 5 }, epoch).join()));
  }
});

Deno.test("an example's change depends on seed, epoch and index, not on the batch it is in", () => {
  const images = randomImages(8, 5, 5, 1);
  const augmentation = { flip: true, shift: 2 };
  const whole = augmented(images, [0, 1, 2, 3, 4, 5, 6, 7], augmentation, 3);
  assert.deepEqual(
    augmented(images, [6, 2], augmentation, 3),
    Float32Array.of(...whole.slice(150, 175), ...whole.slice(50, 75)),
  );
  assert.notDeepEqual(augmented(images, [0, 1, 2, 3], augmentation, 4), whole.slice(0, 100));
  assert.notDeepEqual(augmented(images, [0, 1, 2, 3], augmentation, 3, 2), whole.slice(0, 100));
});

Deno.test("an example that is in a batch several times is changed anew each time, the first as if it stood alone", () => {
  const images = randomImages(3, 5, 5, 1);
  const augmentation = { flip: true, shift: 2 };
  const batch = augmented(images, [2, 1, 2, 2, 2], augmentation);
  const [first, , ...again] = Array.from({ length: 5 }, (_, place) => batch.slice(25 * place, 25 * place + 25).join());
  assert.equal(first, augmented(images, [2], augmentation).join());
  assert.ok(new Set([first, ...again]).size >= 3);
});

Deno.test("examples of one batch are changed independently", () => {
  const { pixels, ...size } = randomImages(1, 5, 5, 1);
  const copies = { ...size, count: 100, pixels: new Uint8Array(2500).map((_, i) => pixels[i % 25]) };
  const batch = augmented(copies, Array.from({ length: 100 }, (_, index) => index), { flip: true, shift: 2 });
  const different = new Set(
    Array.from({ length: 100 }, (_, index) => batch.slice(index * 25, (index + 1) * 25).join()),
  );
  // 100 draws from 50 placements give about 43 different ones.
  assert.ok(different.size > 33, `${different.size} different`);
});

Deno.test("a whole batch is written, whatever it held before", () => {
  const images = randomImages(2, 3, 3, 1);
  const batch = new Float32Array(18).fill(NaN);
  augmentImages(images, [0, 1], KEEP, { flip: true, shift: 2 }, { seed: 1, epoch: 0 }, batch);
  assert.ok(batch.every(Number.isFinite));
});

Deno.test("sizes that do not fit, deviations of 0 and images that are not there are refused", () => {
  const images = randomImages(2, 3, 3, 1);
  const batch = new Float32Array(9);
  const cases: [run: () => void, message: RegExp][] = [
    [() => normaliseImages(images, [0, 1], KEEP, batch), /Cannot write 2 images of 9 values into a batch of 9/],
    [() => normaliseImages(images, [2], KEEP, batch), /Cannot give image 2: there are the images 0 to 1/],
    [() => normaliseImages(images, [-1], KEEP, batch), /Cannot give image -1/],
    [() => normaliseImages({ ...images, count: 3 }, [0], KEEP, batch), /Cannot read 3 images of 9 values from 18/],
    [() => normaliseImages(images, [0], { mean: [0, 0], std: [1] }, batch), /Cannot normalise 1 channels by 2 means/],
    [() => normaliseImages(images, [0], { mean: [0], std: [0] }, batch), /deviations \[0\]/],
    [() => augmented(images, [0], { flip: true, shift: -1 }), /Cannot shift images by up to -1 pixels/],
    [() => augmented(images, [0], { flip: true, shift: 0.5 }), /Cannot shift images by up to 0.5 pixels/],
  ];
  for (const [run, message] of cases) {
    assert.throws(run, (error: Error) => error instanceof RangeError && message.test(error.message));
  }
});
