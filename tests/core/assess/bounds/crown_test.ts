import assert from "node:assert/strict";
import { falls } from "../../../../core/assess/bounds/crown.ts";
import { forwardBounds } from "../../../../core/assess/bounds/forward_bounds.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { testBackends } from "../../../support/backends.ts";
import { imagesIn, NETWORKS, Opened, someBox, written } from "./networks.ts";

/** Each logit alone, falling and rising, and each minus the next. */
function functionsOf(classes: number): number[][] {
  const unit = (at: number, sign: number) => Array.from({ length: classes }, (_, c) => c === at ? sign : 0);
  const single = Array.from({ length: classes }, (_, c) => [unit(c, 1), unit(c, -1)]).flat();
  const margins = Array.from(
    { length: classes },
    (_, c) => unit(c, 1).map((one, other) => one - (other === (c + 1) % classes ? 1 : 0)),
  );
  return [...single, ...margins];
}

const valueOf = (f: readonly number[], logits: ArrayLike<number>, from: number) =>
  f.reduce((sum, factor, c) => sum + factor * logits[from + c], 0);

for (const [name, built] of Object.entries(NETWORKS)) {
  testBackends(`no function of the logits of ${name} falls farther than its linear bounds say`, async (backend) => {
    await using opened = await Opened.on(backend, built);
    const { classes, network, device } = opened;
    const plain = createOps(await CpuBackend.create());
    const functions = functionsOf(classes);
    const data = Float32Array.from(functions.flat());
    const images = opened.images(2, 21);
    const size = images.data.length / 2;
    const anchor = await opened.anchor(images);
    const own = anchor.of(network.logits);
    for (const [round, most] of (backend.name === "cpu" ? [0.02, 1e-3, 0.2] : [0.02]).entries()) {
      const box = someBox(images.data.length, 13 + round, most);
      using intervals = await forwardBounds(device, anchor, box);
      const both = { data: Float32Array.from([...data, ...data]), count: functions.length };
      const byIntervals = await falls(device, anchor, intervals, both);
      // In parts of one function and of a few, they are the same.
      if (round === 0) {
        for (const most of [1, 5000]) assert.deepEqual(await falls(device, anchor, intervals, both, most), byIntervals);
      }
      const { lower, upper } = intervals.boxes.get(network.logits)!;
      for (const example of [0, 1]) {
        const part = (all: Float32Array) => all.slice(example * size, (example + 1) * size);
        const single = { lower: part(box.lower), upper: part(box.upper) };
        const alone = anchor.some([example]);
        using zonotopes = await forwardBounds(device, alone, single, true);
        const closer = await falls(device, alone, zonotopes, { data, count: functions.length });
        const { logits } = await imagesIn(plain, built, part(images.data), single, 600, 31 + round);
        const room = 4e-6 * Math.max(1, ...logits.map(Math.abs));
        functions.forEach((f, index) => {
          const start = valueOf(f, own, example * classes);
          let least = Infinity;
          for (let point = 0; point < 600; point++) least = Math.min(least, valueOf(f, logits, point * classes));
          const fall = byIntervals[example * functions.length + index];
          assert.ok(least >= start - fall - room, `${most}, ${f}: ${start - least} of at most ${fall}`);
          assert.ok(
            least >= start - closer[index] - room,
            `${most}, ${f}: ${start - least} of at most ${closer[index]}`,
          );
          // Of single logits, intervals hold all that linear bounds hold.
          if (index >= 2 * classes || most > 0.1) return;
          const [c, isFall] = [Math.floor(index / 2), index % 2 === 0];
          const interval = (isFall ? lower : upper)[example * classes + c];
          assert.ok(fall <= interval * (1 + 1e-4), `${most}, ${f}: ${fall} of ${interval}`);
          assert.ok(closer[index] <= fall * (1 + 1e-4), `${most}, ${f}: ${closer[index]} of ${fall}`);
        });
      }
    }
    await plain.backend.close();
  });
}

/** Three linear maps with nothing between them. */
const linear = written(6, { "1": [5, 6], "2": [5], "3": [3, 5] }, {
  "1": [...pseudoRandom(1, 30)],
  "2": [...pseudoRandom(2, 5)],
  "3": [...pseudoRandom(3, 15)],
}, ({ ops, weights, batch }) => {
  const x = ops.reshape(batch.image, [-1, 6]);
  return ops.linear(ops.scale(ops.linear(x, weights.get("1"), weights.get("2")), -2), weights.get("3"));
});

testBackends("of a linear network the bounds are what is reached", async (backend) => {
  await using opened = await Opened.on(backend, linear);
  const anchor = await opened.anchor({ data: new Float32Array(6), shape: [1, 1, 1, 6] });
  const box = { lower: Float32Array.of(0.1, 0.2, 0, 0.3, 1, 0.5), upper: Float32Array.of(0.2, 0.1, 0.4, 0, 1, 0.25) };
  using bounds = await forwardBounds(opened.device, anchor, box);
  const functions = functionsOf(3);
  const found = await falls(opened.device, anchor, bounds, {
    data: Float32Array.from(functions.flat()),
    count: functions.length,
  });
  const [first, second] = [linear.weights.get("1")!, linear.weights.get("3")!];
  const expected = functions.map((f) => {
    const coefficients = Array.from(
      { length: 6 },
      (_, pixel) =>
        f.reduce(
          (sum, factor, c) =>
            sum + factor * -2 * Array.from({ length: 5 }, (_, unit) => second[c * 5 + unit] * first[unit * 6 + pixel])
                .reduce((a, b) => a + b),
          0,
        ),
    );
    return coefficients.reduce((sum, a, pixel) => sum + Math.max(a * box.lower[pixel], -a * box.upper[pixel]), 0);
  });
  assertClose(found, expected, 2e-5);
});

testBackends("no bound is below what is reached, not by a last digit", async (backend) => {
  // Long sums, whose rounding is larger than that of the numbers that are compared.
  const [inputs, outputs] = [300, 24];
  const numbers = pseudoRandom(7, inputs * outputs);
  const wide = written(
    inputs,
    { "1": [outputs, inputs] },
    { "1": [...numbers] },
    ({ ops, weights, batch }) => ops.linear(ops.reshape(batch.image, [-1, inputs]), weights.get("1")),
  );
  await using opened = await Opened.on(backend, wide);
  const anchor = await opened.anchor({ data: new Float32Array(inputs), shape: [1, 1, 1, inputs] });
  const box = someBox(inputs, 9, 1);
  const data = Float32Array.from({ length: outputs * outputs }, (_, i) => i % (outputs + 1) === 0 ? 1 : 0);
  const expected = Array.from(
    { length: outputs },
    (_, row) =>
      wide.weights.get("1")!.slice(row * inputs, (row + 1) * inputs)
        .reduce((sum, a, pixel) => sum + Math.max(a * box.lower[pixel], -a * box.upper[pixel]), 0),
  );
  for (const zonotopes of [false, true]) {
    using bounds = await forwardBounds(opened.device, anchor, box, zonotopes);
    const found = await falls(opened.device, anchor, bounds, { data, count: outputs });
    for (const own of [bounds.boxes.get(opened.network.logits)!.lower, found]) {
      own.forEach((fall, index) => assert.ok(fall >= expected[index] && fall < 1.001 * expected[index]));
    }
  }
});

testBackends("nor where what is multiplied nearly cancels", async (backend) => {
  const [inputs, pairs, outputs] = [40, 60, 12];
  const rows = pseudoRandom(1, pairs * inputs);
  const factors = pseudoRandom(2, outputs * pairs);
  // Each unit stands there twice, with factors that differ by a few parts in a million.
  const units = Array.from(
    { length: 2 * pairs * inputs },
    (_, i) => rows[(Math.floor(i / inputs) >> 1) * inputs + i % inputs],
  );
  const second = Array.from(
    { length: outputs * 2 * pairs },
    (_, i) => factors[i >> 1] * (i % 2 === 0 ? 1 : -1 - 2 ** -19),
  );
  const cancelling = written(inputs, { "1": [2 * pairs, inputs], "2": [outputs, 2 * pairs] }, {
    "1": units,
    "2": second,
  }, (
    { ops, weights, batch },
  ) => ops.linear(ops.linear(ops.reshape(batch.image, [-1, inputs]), weights.get("1")), weights.get("2")));
  const [w1, w2] = [cancelling.weights.get("1")!, cancelling.weights.get("2")!];
  await using opened = await Opened.on(backend, cancelling);
  const anchor = await opened.anchor({ data: new Float32Array(inputs), shape: [1, 1, 1, inputs] });
  const box = someBox(inputs, 9, 1);
  const expected = Array.from({ length: outputs }, (_, row) => {
    const coefficients = Array.from({ length: inputs }, (_, pixel) => {
      let sum = 0;
      for (let unit = 0; unit < 2 * pairs; unit++) sum += w2[row * 2 * pairs + unit] * w1[unit * inputs + pixel];
      return sum;
    });
    return coefficients.reduce((sum, a, pixel) => sum + Math.max(a * box.lower[pixel], -a * box.upper[pixel]), 0);
  });
  using bounds = await forwardBounds(opened.device, anchor, box, true);
  const data = Float32Array.from({ length: outputs * outputs }, (_, i) => i % (outputs + 1) === 0 ? 1 : 0);
  const found = await falls(opened.device, anchor, bounds, { data, count: outputs });
  for (const own of [bounds.boxes.get(opened.network.logits)!.lower, found]) {
    own.forEach((fall, index) => assert.ok(fall >= expected[index], `${fall} for ${expected[index]}`));
  }
});

testBackends("a pool and a sum are bounded as worked out by hand", async (backend) => {
  // The first of four pixels less the largest, and plus it.
  const pooled = written(4, { w: [2, 4] }, { w: [1, 0, 0, 0, 1, 0, 0, 0] }, ({ ops, weights, batch }) => {
    const largest = ops.maxPool2d(ops.reshape(batch.image, [-1, 2, 2, 1]), { size: 2 });
    const first = ops.linear(ops.reshape(batch.image, [-1, 4]), weights.get("w"));
    const signed = ops.concat([ops.negate(largest), largest], { axis: 3 });
    return ops.add(first, ops.reshape(signed, [-1, 2]));
  });
  await using opened = await Opened.on(backend, pooled);
  const functions = { data: Float32Array.of(1, 0, 0, 1, -1, 0, 0, -1), count: 4 };
  const run = async (image: number[], most: number) => {
    const anchor = await opened.anchor({ data: Float32Array.from(image), shape: [1, 1, 1, 4] });
    const box = { lower: new Float32Array(4).fill(most), upper: new Float32Array(4).fill(most) };
    using bounds = await forwardBounds(opened.device, anchor, box);
    return [bounds.boxes.get(opened.network.logits)!.lower, await falls(opened.device, anchor, bounds, functions)];
  };
  // All four alike: the largest rises by 1 at most; it falls no more than the first, by which the lines go.
  const [alike, open] = await run([0, 0, 0, 0], 1);
  assertClose(alike, [2, 2], 1e-5);
  assertClose(open, [2, 2, 0, 2], 1e-5);
  // The first is the largest whatever happens: then the difference is nothing, and the sum twice the first.
  const [largest, sure] = await run([5, 0, 1, 0], 1);
  assertClose(largest, [2, 2], 1e-5);
  assertClose(sure, [0, 2, 0, 2], 1e-5);
});

testBackends("linear bounds of a ReLU are those worked out by hand", async (backend) => {
  // t is -0.75 in [-1.75, 0.25] or 0.5 in [-0.5, 1.5], as the pixel is 0 in [-1, 1].
  const relu = (bias: number) =>
    written(
      1,
      { "1": [1, 1], "2": [1], "3": [2, 1] },
      { "1": [1], "2": [bias], "3": [1, -1] },
      ({ ops, weights, batch }) => {
        const x = ops.reshape(batch.image, [-1, 1]);
        return ops.linear(ops.relu(ops.linear(x, weights.get("1"), weights.get("2"))), weights.get("3"));
      },
    );
  const cases = [
    // Below by the line 0; above by the chord from (-1.75, 0) to (0.25, 0.25).
    { bias: -0.75, fall: 0, rise: 0.25 },
    // Below by t itself, -0.5 at its least; above by the chord from (-0.5, 0) to (1.5, 1.5).
    { bias: 0.5, fall: 1, rise: 1 },
  ];
  for (const { bias, fall, rise } of cases) {
    await using opened = await Opened.on(backend, relu(bias));
    const anchor = await opened.anchor({ data: new Float32Array(1), shape: [1, 1, 1, 1] });
    using bounds = await forwardBounds(opened.device, anchor, { lower: Float32Array.of(1), upper: Float32Array.of(1) });
    const found = await falls(opened.device, anchor, bounds, { data: Float32Array.of(1, 0, 0, 1), count: 2 });
    assertClose(found, [fall, rise], 1e-5, `bias ${bias}`);
  }
});
