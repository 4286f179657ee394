import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors, toFloat32, writeSafetensors } from "../../../../core/safetensors.ts";
import { linear, matrix, onnxBytes } from "../../../plugins/models/onnx_fixture.ts";
import { saveLayers, tf, tfl } from "../../../plugins/models/tfjs_fixture.ts";
import { plainPng } from "../../../support/pictures.ts";
import { metricsLog } from "../../../support/run_observers.ts";
import { tinyRun } from "../../../support/tiny_run.ts";

/** Grey pictures of 2x2, so that a linear layer's outputs follow from one number each. */
const GREYS = [10, 60, 90, 130, 170, 200, 230, 250];
const CLASSES = ["a", "b", "c"];
const PIXELS = 12;
const TEMPERATURE = 2;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const logit = (p: number) => Math.log(p / (1 - p));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Logits of a layer `[pixels, classes]` for each picture. */
const logitsOf = (weight: (pixel: number, label: number) => number, bias: readonly number[] = [0, 0, 0]) =>
  GREYS.map((grey) =>
    CLASSES.map((_, label) =>
      Array.from({ length: PIXELS }, (_, pixel) => weight(pixel, label) * grey / 255).reduce((sum, x) => sum + x) +
      bias[label]
    )
  );

/** T^2 KL(sigmoid(t / T) || sigmoid(s / T)), mean over pictures and classes. */
const divergence = (taught: readonly (readonly number[])[], own: readonly (readonly number[])[]) =>
  TEMPERATURE ** 2 * mean(taught.flatMap((row, picture) =>
    row.map((z, label) => {
      const [p, q] = [z, own[picture][label]].map((x) => sigmoid(x / TEMPERATURE));
      return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
    })
  ));

const recipe = (teacher: string) => `
name: tiny
validation: null
dataset: { use: image-table, folder: ., train: t.jsonl, test: u.jsonl, task: multi-label, mean: [0, 0, 0], std: [1, 1, 1] }
teacher: { ${teacher} }
student: { use: mlp, widths: [] }
losses: [{ use: kd, temperature: ${TEMPERATURE} }]
train: { epochs: 1, batchSize: 8, logEvery: 1, optimiser: { use: sgd, learningRate: 1.0e-12 } }
`;

/** Runs `body` beside the pictures, whose labels no loss here reads. */
async function withPictures(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const lines = GREYS.map((grey, index) =>
      JSON.stringify({ path: `${grey}.png`, label: CLASSES.filter((_, label) => (index >> label) % 2 === 0) })
    );
    for (const name of ["t.jsonl", "u.jsonl"]) await Deno.writeTextFile(join(folder, name), lines.join("\n"));
    for (const grey of GREYS) await Deno.writeFile(join(folder, `${grey}.png`), plainPng([grey, grey, grey], 2));
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The loss of the one step, and what it is by the weights of a student that did not move. */
async function lossAgainst(folder: string, teacher: string, taught: readonly (readonly number[])[]) {
  await tinyRun(folder, { text: recipe(teacher) });
  const [{ loss }] = await metricsLog(folder);
  const tensors = await readSafetensors(join(folder, "run", "student", "model.safetensors"));
  const [weight, bias] = [2, 1].map((rank) =>
    toFloat32([...tensors.tensors.values()].find(({ shape }) => shape.length === rank)!)
  );
  await Deno.remove(join(folder, "run"), { recursive: true });
  const own = logitsOf((pixel, label) => weight[label * PIXELS + pixel], [...bias]);
  const expected = divergence(taught, own);
  assert.ok(Math.abs(loss - expected) < 1e-5 * Math.max(1, expected), `${teacher}: ${loss}, expected ${expected}`);
  assert.ok(expected > 0.05, `${teacher}: ${expected} says nothing`);
}

const values = matrix(PIXELS, 3).values!.map((value, place) => 2 * value + place % 3 - 1);
const linearLogits = logitsOf((pixel, label) => values[pixel * 3 + label]);
const graph = {
  inputs: [{ name: "x", shape: ["n", 3, 2, 2] }],
  constants: [{ name: "matrix", shape: [PIXELS, 3], values }],
};
const nodes = [["Flatten", ["x"], "flat"], ["MatMul", ["flat", "matrix"], "z"]] as const;

Deno.test("ONNX models teach several labels, by their logits or a sigmoid's probabilities, and several together", () =>
  withPictures(async (folder) => {
    await Deno.writeFile(join(folder, "z.onnx"), linear(graph));
    const outputs = [{ name: "y", shape: ["n", 3] }];
    for (const operator of ["Sigmoid", "Softmax"]) {
      const whole = { ...graph, outputs, nodes: [...nodes, [operator, ["z"], "y"] as const] };
      await Deno.writeFile(join(folder, `${operator}.onnx`), onnxBytes(whole));
    }
    const zs = "use: onnx, weights: z.onnx";
    const ps = "use: onnx, weights: Sigmoid.onnx, outputs: { probabilities: y }";
    await lossAgainst(folder, zs, linearLogits);
    await lossAgainst(folder, ps, linearLogits);
    // Its own sigmoid's logits, twice wrong, are another teacher: the mean is that of the probabilities.
    const other = "use: onnx, weights: Sigmoid.onnx, outputs: { logits: y }, share: 3";
    const both = linearLogits.map((row) => row.map((z) => logit((sigmoid(z) + 3 * sigmoid(sigmoid(z))) / 4)));
    await lossAgainst(folder, `${zs}, others: [{ ${other} }]`, both);
    const refused = (teacher: string, message: RegExp) =>
      assert.rejects(tinyRun(folder, { text: recipe(teacher) }), { name: "UserError", message });
    await refused(
      "use: onnx, weights: Sigmoid.onnx",
      /Cannot tell whether the output "y" .*, as it comes of Sigmoid: say/,
    );
    await refused(
      "use: onnx, weights: Softmax.onnx, outputs: { probabilities: y }",
      /Cannot learn several labels from the output "y" of ".*Softmax\.onnx" as it comes of Softmax, whose prob/,
    );
    await refused(
      "use: onnx, weights: z.onnx, outputs: { probabilities: logits }",
      /Cannot take what the output "logits" .* for probabilities: expected numbers from 0 to 1; say/,
    );
  }));

Deno.test("models of TensorFlow.js teach several labels, and must say whether a sigmoid is in them", () =>
  withPictures(async (folder) => {
    const write = async (name: string, activation: "linear" | "sigmoid") => {
      const { flatten, dense } = tfl.layers;
      const head = dense({ units: 3, activation, kernelInitializer: "zeros" });
      const network = tfl.sequential({ layers: [flatten({ inputShape: [2, 2, 3] }), head] });
      head.setWeights([tf.tensor2d([...values], [PIXELS, 3]), tf.tensor1d([0, 0, 0])]);
      await Deno.mkdir(join(folder, name));
      await saveLayers(network, join(folder, name));
    };
    await write("z", "linear");
    await write("p", "sigmoid");
    await lossAgainst(folder, "use: tfjs, weights: z, probabilities: false", linearLogits);
    await lossAgainst(folder, "use: tfjs, weights: p, probabilities: true", linearLogits);
    await assert.rejects(tinyRun(folder, { text: recipe("use: tfjs, weights: p") }), {
      name: "UserError",
      message: /a sigmoid's probabilities of several labels: say probabilities: true or false/,
    });
  }));

Deno.test("files of outputs teach several labels, with logits, or probabilities that are said to be independent", () =>
  withPictures(async (folder) => {
    const write = (name: string, rowOf: (row: readonly number[], index: number) => unknown) =>
      Deno.writeTextFile(
        join(folder, name),
        linearLogits.map((row, index) => JSON.stringify(rowOf(row, index))).join("\n"),
      );
    await write("z.jsonl", (logits, index) => ({ path: `${GREYS[index]}.png`, logits }));
    const named = (row: readonly number[]) =>
      Object.fromEntries(row.map((z, label) => [CLASSES[label], sigmoid(z / 3)]));
    await write("p.jsonl", (row) => ({ probabilities: named(row) }));
    const data = Float32Array.from(linearLogits.flat(), sigmoid);
    await writeSafetensors(join(folder, "p.safetensors"), new Map([["p", { shape: [GREYS.length, 3], data }]]));
    await lossAgainst(
      folder,
      "use: outputs, file: z.jsonl, key: id, id: path, values: logits, classes: [a, b, c]",
      linearLogits,
    );
    const file = "use: outputs, file: p.jsonl, key: row, values: probabilities";
    await lossAgainst(folder, `${file}, independent: true, temperature: 3`, linearLogits);
    await lossAgainst(
      folder,
      "use: outputs, file: p.safetensors, key: row, values: probabilities, column: p, independent: true, classes: [a, b, c]",
      linearLogits,
    );
    const refused = (teacher: string, message: RegExp) =>
      assert.rejects(tinyRun(folder, { text: recipe(teacher) }), { name: "UserError", message });
    await refused(
      file,
      /line 1 of "p\.jsonl" as probabilities that sum to 1 do not say .*, with independent: true, or/,
    );
    await refused(
      "use: outputs, file: z.jsonl, key: row, values: logits, independent: true, classes: [a, b, c]",
      /as independent is for probabilities, and values is logits/,
    );
    await write("top.jsonl", (row) => ({ probabilities: { a: sigmoid(row[0]) } }));
    await refused(
      `${file.replace("p.jsonl", "top.jsonl")}, independent: true, rest: spread`,
      /has no number for b and c: expected all$/,
    );
  }));
