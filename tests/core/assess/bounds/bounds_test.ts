import assert from "node:assert/strict";
import type { AssessCall } from "../../../../core/assess/assessment.ts";
import { bounds, type SubjectBounds } from "../../../../core/assess/bounds/bounds.ts";
import { buildNetwork } from "../../../../core/assess/bounds/build_network.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { freeze } from "../../../../core/nn/frozen_weights.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import type { ForwardCall } from "../../../../core/plugin/model.ts";
import { testBackends } from "../../../support/backends.ts";
import { imageExamples, madeUpModel, madeUpSubject, smallNetwork } from "../../../support/subjects.ts";
import { built, images, texts } from "../../onnx/onnx_models.ts";
import { type Built, NETWORKS, written } from "./networks.ts";

const SETTINGS = { seed: 2, batchSize: 16, epsL2: null, steps: 8, restarts: 2, most: 24 };

const EPS = [0, 0.002, 0.01, 0.03, 0.1];

testBackends(
  "certified by intervals <= certified by lines <= right under PGD <= right, at every bound",
  async (backend) => {
    const ops = createOps(backend);
    using subject = smallNetwork(ops, 3, 40);
    const before = backend.memory().bytes;
    const call: AssessCall = {
      ops,
      subjects: [subject],
      teacher: null,
      settings: { ...SETTINGS, eps: EPS },
      tokenizer: () => Promise.reject(new Error("no texts here")),
      tell: () => {},
    };
    const { result, shown } = await bounds.assess(call);
    const { examples, subjects: [own] } = result as { examples: number; subjects: SubjectBounds[] };
    assert.equal(examples, 24);
    const { clean, points } = own;
    points.forEach(({ pgd, linear, intervals }, level) => {
      assert.ok(intervals <= linear && linear <= pgd && pgd <= clean!, `${level}: ${intervals} ${linear} ${pgd}`);
      const before = points[level - 1];
      assert.ok(!before || (linear <= before.linear && intervals <= before.intervals));
    });
    // Nothing moves at 0; then the three part.
    assert.deepEqual([points[0].intervals, points[0].linear, points[0].pgd], [clean, clean, clean]);
    assert.ok(points[2].linear > points[2].intervals && points[2].linear > 0);
    assert.equal(points[4].linear, 0);
    assert.deepEqual((await bounds.assess(call)).result, result);
    assert.equal(shown[1].kind === "table" && shown[1].rows.length, 3);
    assert.equal(backend.memory().bytes, before);
  },
);

Deno.test("what is certified of a linear model is what is so, to the last part of the bound", async () => {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const input = images(2, 2, 1);
  // Of the four classes the second falls by the sum of pixels; all pixels are black, from where they can only rise.
  const model = madeUpModel(
    { w: [4, 4], b: [4] },
    ({ ops, weights, batch }) => ops.linear(ops.reshape(batch.image, [-1, 4]), weights.get("w"), weights.get("b")),
  );
  const black = (0.4 / 0.3) * 4;
  for (const [label, w, margin] of [[1, -1, 2], [2, 1, 2]] as const) {
    const rows = [0, 0, 0, 0].map((_, c) => c === 1 ? [w, w, w, w] : [0, 0, 0, 0]).flat();
    // Logits of black images are those that are wanted: the label's by so much above the others.
    const biases = [0, 1, 2, 3].map((c) => (c === label ? margin : 0) + (c === 1 ? w * black : 0));
    const numbers = new Map([["w", Float32Array.from(rows)], ["b", Float32Array.from(biases)]]);
    const examples = imageExamples([new Float32Array(4)], [label], input.image!);
    using subject = madeUpSubject(ops, "linear", model, numbers, input, examples);
    // Four pixels change the second logit by 4 eps / 0.3.
    const critical = margin * 0.3 / 4;
    const { result } = await bounds.assess({
      ops,
      subjects: [subject],
      teacher: null,
      settings: { ...SETTINGS, eps: [0.999 * critical, 1.001 * critical] },
      tokenizer: () => Promise.reject(new Error("no texts here")),
      tell: () => {},
    });
    const [{ clean, points }] = (result as { subjects: SubjectBounds[] }).subjects;
    assert.equal(clean, 1);
    assert.deepEqual(points.map(({ linear, intervals, pgd }) => [linear, intervals, pgd]), [[1, 1, 1], [0, 0, 0]]);
  }
  await backend.close();
});

Deno.test("of what is not covered nothing is bounded, and a sentence names it", async () => {
  const exact = createOps(await CpuBackend.create({ precision: "float64" }));
  const small = { layers: 1, width: 8, heads: 2 };
  const image = (forward: (call: ForwardCall) => ReturnType<ForwardCall["ops"]["linear"]>) =>
    written(4, { w: [4, 4] }, { w: Array<number>(16).fill(0.5) }, forward);
  const flat = ({ ops, batch }: ForwardCall) => ops.reshape(batch.image, [-1, 4]);
  const refused: [RegExp, Built][] = [
    [
      /as it uses layerNorm: covered are convolution and linear layers, batch norm/,
      built("vit", { ...small, patch: 4 }, images(8, 8, 1)),
    ],
    [/as it reads text: covered/, built("bert", small, texts())],
    [
      /as it multiplies or divides what follows the image by what follows it, too \(multiply\): covered/,
      built("mobilenet", { version: "v3-small", width: 0.1 }, images(32, 32, 1)),
    ],
    [/as it uses gelu: covered/, built("mlp", { widths: [4], activation: "gelu" }, images(2, 2, 1))],
    [/as it uses softmax: covered/, image((call) => call.ops.softmax(flat(call)))],
    [
      /as it repeats what follows the image along a dimension \(add\): covered/,
      image((call) =>
        call.ops.mean(call.ops.add(call.ops.reshape(flat(call), [-1, 1, 4]), call.weights.get("w")), { axes: [1] })
      ),
    ],
    [
      /as it sums over the examples of a batch: covered/,
      image((call) => call.ops.add(flat(call), call.ops.mean(flat(call), { axes: [0], keepDimensions: true }))),
    ],
    [
      /as it gives the same answer to every image: covered/,
      image((call) =>
        call.ops.add(
          call.ops.full([call.batch.image.shape[0], 4], 0),
          call.ops.slice(call.weights.get("w"), {
            axis: 0,
            begin: 0,
            length: 1,
          }),
        )
      ),
    ],
  ];
  for (const [message, { model, weights, input }] of refused) {
    const frozen = freeze(exact, model, weights);
    await assert.rejects(buildNetwork(exact, model, frozen, input), (error: Error) => {
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot bound the model's logits as /);
      return true;
    });
    frozen.dispose();
  }
  await exact.backend.close();
});

Deno.test("norms go into the layers before them, and what only moves numbers is kept", async () => {
  const exact = createOps(await CpuBackend.create({ precision: "float64" }));
  const { model, weights, input } = NETWORKS["a ResNet of padded shortcuts"];
  const frozen = freeze(exact, model, weights);
  const { steps } = await buildNetwork(exact, model, frozen, input);
  const counts = Map.groupBy(steps, ({ name }) => name);
  assert.deepEqual(
    Object.fromEntries([...counts].map(([name, { length }]) => [name, length])),
    { conv2d: 7, relu: 7, add: 3, maxPool2d: 2, concat: 2, mean: 1, linear: 1 },
  );
  // Rows of taps that are 0 stand below 3x3 taps at stride 1, so that no backend takes Winograd's algorithm for them.
  const filters = steps.flatMap((step) =>
    step.name === "conv2d" && step.kind === "linear" ? [step.factors!.shape] : []
  );
  assert.deepEqual(filters.map((shape) => shape[2]), [4, 4, 4, 3, 4, 3, 4]);
  frozen.dispose();
  await exact.backend.close();
});
