import assert from "node:assert/strict";
import { operated, type Operation, OPERATIONS } from "../../../core/data/image_operations.ts";
import { drawOperations, strengthOf } from "../../../core/data/rand_augment.ts";
import { Random } from "../../../core/data/random.ts";
import type { Picture } from "../../../core/data/resize.ts";
import { sha256 } from "../../../core/sha256.ts";
import golden from "../../golden/rand_augment.json" with { type: "json" };

const { height, width, bins } = golden;

/** The picture of rand_augment.py. */
function pictureOf(channels: number): Picture {
  const pixels = Uint8Array.from({ length: height * width * channels }, (_, at) => {
    const [y, x, c] = [Math.floor(at / channels / width), Math.floor(at / channels) % width, at % channels];
    return 30 + 20 * c + Math.floor((x * x + 3 * y * y + 40 * c * x) / 40) % 97 + x * y % 41;
  });
  return { pixels, height, width, channels };
}

/** Our name of one of torchvision's operations. */
function nameOf(theirs: string): Operation["name"] {
  const name = theirs === "Color" ? "colour" : `${theirs[0].toLowerCase()}${theirs.slice(1)}`;
  return OPERATIONS.find((known) => known === name)!;
}

Deno.test("an operation's strength is torchvision's at every step", () => {
  for (const [magnitude, theirs] of Object.entries(golden.strengths)) {
    assert.equal(Object.keys(theirs).length, OPERATIONS.length);
    for (const [name, expected] of Object.entries(theirs)) {
      const { magnitude: own } = strengthOf(nameOf(name), { magnitude: Number(magnitude), bins }, height, width);
      assert.ok(Math.abs(own - expected) <= 1e-5, `${name} at ${magnitude}: ${own}, not ${expected}`);
    }
  }
  // Halves of a bit go to the even number.
  const bits = [1, 2, 3, 5, 6, 7].map((magnitude) => strengthOf("posterize", { magnitude, bins: 9 }, 8, 8).magnitude);
  assert.deepEqual(bits, [8, 7, 6, 6, 5, 4]);
});

for (const [channels, results] of Object.entries(golden.pictures)) {
  Deno.test(`every operation gives torchvision's pixels: ${channels === "1" ? "grey" : "colour"}`, async () => {
    const picture = pictureOf(Number(channels));
    const seen = new Set<string>(["identity"]);
    for (const [what, expected] of Object.entries(results)) {
      const [theirs, signed] = what.split(" ");
      const name = nameOf(theirs);
      seen.add(name);
      const { magnitude } = strengthOf(name, { magnitude: Math.abs(Number(signed)), bins }, height, width);
      const made = operated(picture, { name, magnitude: Math.sign(Number(signed)) * magnitude }, 0).pixels;
      assert.equal(await sha256(made.slice()), expected, what);
    }
    assert.deepEqual([...seen].sort(), [...OPERATIONS].sort());
    assert.deepEqual(picture, pictureOf(Number(channels)), "the picture itself stays as it was");
  });
}

Deno.test("operations are drawn by seed, each as likely, either way where they have two", () => {
  const strength = { operations: 3, magnitude: 9, bins };
  assert.deepEqual(
    drawOperations(new Random(4), strength, height, width),
    drawOperations(new Random(4), strength, height, width),
  );
  const drawn = Array.from({ length: 3000 }, (_, seed) => drawOperations(new Random(seed), strength, 20, 30)).flat();
  assert.equal(drawn.length, 9000);
  for (const name of OPERATIONS) {
    const own = drawn.filter((one) => one.name === name);
    const { magnitude, signed } = strengthOf(name, strength, 20, 30);
    const expected = signed ? [-magnitude, magnitude] : [magnitude];
    assert.ok(Math.abs(own.length - 9000 / 14) < 100, `${name}: ${own.length}`);
    assert.deepEqual([...new Set(own.map((one) => one.magnitude))].sort((a, b) => a - b), expected);
    const ahead = own.filter((one) => one.magnitude === magnitude).length / own.length;
    assert.ok(Math.abs(ahead - 1 / expected.length) < 0.1, `${name}: ${ahead}`);
  }
});
