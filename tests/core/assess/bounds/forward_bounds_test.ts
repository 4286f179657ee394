import assert from "node:assert/strict";
import { boxAround } from "../../../../core/assess/bounds/boxes.ts";
import { forwardBounds } from "../../../../core/assess/bounds/forward_bounds.ts";
import { gamma, roundedUp } from "../../../../core/assess/bounds/rounding.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { assertClose } from "../../../support/numbers.ts";
import { backends, testBackends } from "../../../support/backends.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { imagesIn, logitsAndSlopes, NETWORKS, Opened, someBox, written } from "./networks.ts";

/** How far boxes go: where nearly nothing bends, where some does, and where everything does. */
const REACH = [1e-4, 0.05, 0.6];

for (const [name, built] of Object.entries(NETWORKS)) {
  Deno.test(`what ${name} computes within a box lies in its bounds, on both backends, 10^4 points`, async () => {
    const plain = createOps(await CpuBackend.create());
    const opened = await Promise.all(
      backends.filter(({ available }) => available).map(async (one) => {
        const backend = await one.open();
        return { backend, own: await Opened.on(backend, built) };
      }),
    );
    const [{ own: first }] = opened;
    const image = first.images(1, 11);
    const { logits: own } = await logitsAndSlopes(first.exact, built, image.data);
    for (const [round, most] of REACH.entries()) {
      const box = someBox(image.data.length, 3 + round, most);
      const { logits } = await imagesIn(plain, built, image.data, box, 3400, 5 + round);
      // What computing them in float32 may be off.
      const room = 2e-6 * Math.max(1, ...logits.map(Math.abs));
      for (const { own: one } of opened) {
        const { device, network } = one;
        const anchor = await one.anchor(image);
        for (const zonotopes of [false, true]) {
          using bounds = await forwardBounds(device, anchor, box, zonotopes);
          const { lower, upper } = bounds.boxes.get(network.logits)!;
          const classes = lower.length;
          logits.forEach((logit, i) => {
            const c = i % classes;
            const isIn = logit >= own[c] - lower[c] - room && logit <= own[c] + upper[c] + room;
            assert.ok(isIn, `${zonotopes} ${most}: ${logit} in ${own[c]} - ${lower[c]}, + ${upper[c]}`);
          });
        }
      }
    }
    for (const { backend, own } of opened) {
      await own[Symbol.asyncDispose]();
      assert.equal(backend.memory().bytes, 0);
      await backend.close();
    }
    await plain.backend.close();
  });
}

/** Two inputs, four units, four logits. */
const byHand = written(2, { "1": [3, 2], "2": [3], "3": [4, 3] }, {
  "1": [1, -1, 1, 1, -1, 1],
  "2": [0, 0, 0.25],
  "3": [1, 1, 0, 1, -1, 0, 0, 0, 1, 1, 0, 2],
}, ({ ops, weights, batch }) => {
  const hidden = ops.linear(ops.reshape(batch.image, [-1, 2]), weights.get("1"), weights.get("2"));
  return ops.linear(ops.relu(hidden), weights.get("3"));
});

testBackends("intervals of two layers are those worked out by hand", async (backend) => {
  await using opened = await Opened.on(backend, byHand);
  const anchor = await opened.anchor({ data: Float32Array.of(1, 0), shape: [1, 1, 1, 2] });
  const half = { lower: Float32Array.of(0.5, 0.5), upper: Float32Array.of(0.5, 0.5) };
  using bounds = await forwardBounds(opened.device, anchor, half);
  // The units are 1 in [0, 2], 1 in [0, 2] and -0.75 in [-1.75, 0.25], of which ReLU leaves [0, 0.25].
  const { lower, upper } = bounds.boxes.get(opened.network.logits)!;
  assertClose(anchor.of(opened.network.logits), [2, 0, 0, 1], 1e-12);
  assertClose(lower, [2, 2, 0, 1], 1e-5);
  assertClose(upper, [2, 2, 0.25, 1.5], 1e-5);
  // What the first two have in common, zonotopes see: twice the first pixel, and minus twice the second.
  using closer = await forwardBounds(opened.device, anchor, half, true);
  const found = closer.boxes.get(opened.network.logits)!;
  assertClose(found.lower.slice(0, 2), [1, 1], 1e-5);
  assertClose(found.upper.slice(0, 2), [1, 1], 1e-5);
});

Deno.test("a box of nothing gives the logits, exactly", async () => {
  const backend = await CpuBackend.create();
  for (const built of Object.values(NETWORKS)) {
    await using opened = await Opened.on(backend, built);
    const images = opened.images(2, 4);
    const anchor = await opened.anchor(images);
    const box = boxAround(images, opened.built.input.image!.normalise, 0);
    using bounds = await forwardBounds(opened.device, anchor, box);
    const { lower, upper } = bounds.boxes.get(opened.network.logits)!;
    assert.ok([...lower, ...upper].every((one) => one === 0));
    const { logits } = await logitsAndSlopes(opened.exact, built, images.data);
    assertClose(anchor.of(opened.network.logits), logits, 1e-12);
  }
  await backend.close();
});

Deno.test("pixels stay between black and white, and move by eps over the deviation", () => {
  const normalise = { mean: [0.5, 0.25], std: [0.25, 0.5] };
  // 0 and 0.25 of the first channel, 1 and 0.75 of the second.
  const images = { data: [-2, 1.5, -1, 1], shape: [1, 1, 2, 2] };
  const { lower, upper } = boxAround(images, normalise, 0.125);
  assertClose(lower, [0, 0.25, 0.5, 0.25], 1e-5);
  assertClose(upper, [0.5, 0, 0.5, 0.25], 1e-5);
});

Deno.test("numbers are rounded up, and sums are known to be off by so much", () => {
  for (const x of [0, 1e-45, 1e-46, 0.1, 1, 1 + 1e-9, 3.3e38, Infinity]) {
    const up = roundedUp(x);
    assert.ok(up >= x && Math.fround(up) === up, String(x));
    assert.ok(x === 0 || up <= x * (1 + 2 ** -22) + 2 ** -148);
  }
  assert.equal(roundedUp(0.5), 0.5);
  assert.ok(Number.isNaN(roundedUp(NaN)));
  assert.equal(gamma(0), 0);
  assertClose([gamma(1000)], [1000 * 2 ** -23 / (1 - 1000 * 2 ** -23)], 1e-15);
  assert.throws(() => gamma(2 ** 23), { message: "Cannot bound the rounding of a sum of 8388608 numbers in float32" });
});
