import assert from "node:assert/strict";
import { certify, type Closeness } from "../../../../core/assess/bounds/certify.ts";
import { testBackends } from "../../../support/backends.ts";
import { imageExamples } from "../../../support/subjects.ts";
import { Opened, written } from "./networks.ts";

testBackends("margins are certified up to where they vanish, whichever way they go", async (backend) => {
  // Four grey pixels. The first logit is the first pixel's number, the third minus it; the others stay at 0 and 1.
  const model = written(4, { w: [4, 4], b: [4] }, {
    w: [1, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0],
    b: [2, 0, 0.5, 1],
  }, ({ ops, weights, batch }) => ops.linear(ops.reshape(batch.image, [-1, 4]), weights.get("w"), weights.get("b")));
  await using opened = await Opened.on(backend, model);
  const { input } = model;
  const pixels = [0.4, 0.4, 0.4, 0];
  const labels = [0, 3, 1, 2];
  const examples = imageExamples(pixels.map((one) => Float32Array.of(one, 0, 0, 0)), labels, input.image!);
  // Numbers are (pixel - 0.4) / 0.3. The first example's margins are 2, 1.5 and 1, of which that to the third falls by
  // two units each: it goes first, at 0.75 of a number. The next two are wrong as they are. Of the last, which is
  // black, the first logit is 2 - 4/3 and the third 1/2 + 4/3: 7/6 apart, falling by two, and 5/6 above the fourth, by
  // one.
  const critical = [0.75 * 0.3, null, null, 0.3 * 7 / 12];
  const eps = critical.flatMap((one) => one === null ? [] : [0.999 * one, 1.001 * one]).sort((a, b) => a - b);
  for (const closeness of ["intervals", "linear", "zonotopes"] satisfies Closeness[]) {
    const { clean, levels } = await certify({
      exact: opened.exact,
      weights: opened.exactWeights,
      device: opened.device,
      examples,
      indices: Uint32Array.of(0, 1, 2, 3),
      normalise: input.image!.normalise,
      eps,
      closeness,
    });
    assert.deepEqual([...clean], [1, 0, 0, 1]);
    for (const { eps, intervals, linear } of levels) {
      const expected = critical.map((one) => one !== null && eps < one ? 1 : 0);
      assert.deepEqual([...linear], expected, `${closeness} ${eps}`);
      assert.deepEqual([...intervals], expected, `${closeness} ${eps}`);
    }
  }
});
