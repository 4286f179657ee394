import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { bucketOf, relativeBias } from "../../../plugins/models/bert/relative_positions.ts";
import { resolveSizes } from "../../../plugins/models/bert/sizes.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import {
  buildEncoder,
  type EncoderName,
  encoders,
  fixture,
  namedOutputs,
  openEncoder,
  optionsOf,
  textInput,
} from "./bert_fixture.ts";
import { assertRelative } from "./resnet_fixture.ts";
import { assertGradients } from "./encoder_gradients.ts";

const names = Object.keys(encoders) as EncoderName[];

for (const name of names) {
  testBackends(`${name} gives PyTorch's hidden states, attention and logits on a padded batch`, async (backend) => {
    const ops = createOps(backend);
    const { expected, shapeOf, forward } = await openEncoder(name, ops);
    const outputs = namedOutputs(forward());
    const inputs = ["tokens", "types", "mask", "label"];
    const others = [...expected.keys()].filter((key) => !inputs.includes(key) && !key.startsWith("gradient."));
    assert.deepEqual([...outputs.keys()].sort(), others.sort());
    for (const [key, tensor] of outputs) {
      assert.deepEqual(tensor.shape, shapeOf(key), key);
      assertRelative(await tensor.read(), expected.get(key)!, backend.precision === "float64" ? 2e-7 : 1e-5, key);
    }
  }, [float64, ...backends]);
}

const gradientsOf = async (backend: Backend, name: EncoderName) => {
  const ops = createOps(backend);
  const { student, expected, batch, forward } = await openEncoder(name, ops);
  const parameters = [...student.plain.tensors.keys()];
  assert.equal(parameters.length, [...expected.keys()].filter((key) => key.startsWith("gradient.")).length);
  const { gradients } = ops.differentiate(
    () => ops.negate(ops.mean(ops.pick(ops.logSoftmax(forward().logits), batch.label))),
    [...student.plain.tensors.values()],
  );
  for (const [index, name] of parameters.entries()) {
    const values = expected.get(`gradient.${name}`)!;
    const gradient = await gradients[index]!.read();
    // The bias of the keys adds the same to all scores of a query: its gradient is zero but for rounding.
    if (/(key|attn\.k)\.bias$/.test(name)) assert.ok(gradient.every((value) => Math.abs(value) < 1e-6), name);
    else assertRelative(gradient, values, 2e-5, name);
  }
};

for (const name of ["bert", "electra", "mpnet"] as const) {
  testBackends(
    `${name}: the gradient of cross-entropy by every parameter is PyTorch's`,
    (backend) => gradientsOf(backend, name),
  );

  testBackends(`${name}: the gradient through both layers agrees with finite differences`, async (backend) => {
    const ops = createOps(backend);
    const { student, forward } = await openEncoder(name, ops, { dropout: 0.2 });
    await assertGradients(ops, student, () => forward(true));
  }, [float64]);
}

testBackends(
  "an example's outputs do not depend on the others of its batch, nor on how far it is padded",
  async (backend) => {
    const ops = createOps(backend);
    for (const name of ["bert", "roberta", "electra", "mpnet"] as const) {
      const { expected, batch, forward } = await openEncoder(name, ops);
      const [, length] = batch.tokens.shape;
      for (const [example, tokens] of [7, 4, 1].entries()) {
        const alone = Object.fromEntries(["tokens", "types", "mask"].map((key) => {
          const row = expected.get(key)!.subarray(example * length, example * length + tokens);
          return [key, ops.tensor(row, [1, tokens])];
        }));
        const { logits } = forward(false, alone);
        assertRelative(await logits.read(), expected.get("logits")!.subarray(example * 4, example * 4 + 4), 1e-5, name);
      }
    }
  },
);

Deno.test("an MPNet's distances are in the buckets that transformers has them in", async () => {
  const starts: [number, number][] = JSON.parse(await Deno.readTextFile(fixture("mpnet.buckets.json")));
  const ends = [...starts.slice(1).map(([distance]) => distance), 201];
  for (const [index, [start, bucket]] of starts.entries()) {
    for (let distance = start; distance < ends[index]; distance++) {
      assert.equal(bucketOf(distance), bucket, `${distance}`);
    }
  }
  assert.deepEqual([bucketOf(-511), bucketOf(511)], [15, 31]);
});

testBackends("an MPNet's bias is the same whatever texts it has room for", async (backend) => {
  const ops = createOps(backend);
  const length = 12;
  const table = pseudoRandom(3, 32 * 2);
  const weights = weightsFrom(new Map([["mpnet.encoder.relative_attention_bias.weight", ops.tensor(table, [32, 2])]]));
  const batch = { tokens: ops.full([3, length], 5) };
  const expected = Array.from({ length: 2 * length * length }, (_, index) => {
    const [head, from, to] = [Math.floor(index / length ** 2), Math.floor(index / length) % length, index % length];
    return table[2 * bucketOf(to - from) + head];
  });
  for (const positions of [14, 20, 1026, 1027]) {
    const data = textInput("classification", { padding: 1 });
    const sizes = resolveSizes(optionsOf({ variant: "mpnet", layers: 1, width: 4, heads: 2, positions }), data);
    const bias = relativeBias({ ops, weights, batch, training: false, randomSeed: () => 0 }, sizes)!;
    assert.deepEqual(bias.shape, [1, 2, length, length]);
    assertClose(await bias.read(), expected, 1e-7, `${positions} positions`);
  }
});

testBackends("each layer of an MPNet that is run alone attends by distance as all of them do", async (backend) => {
  const ops = createOps(backend);
  const { model, student, batch, expected } = await openEncoder("mpnet", ops);
  const call = { ops, weights: student.weights(), batch, training: false, randomSeed: () => 0 };
  const second = model.runLayer!(call, 1, ops.tensor(expected.get("hidden.0")!, [3, 7, 12]));
  assertRelative(await second.hidden.read(), expected.get("hidden.1")!, 1e-5, "hidden.1");
});

testBackends("no token attends to padding, and each attends to all of the rest", async (backend) => {
  const ops = createOps(backend);
  const { forward } = await openEncoder("bert", ops);
  for (const attention of forward().attention) {
    const values = await attention.read();
    for (let row = 0; row < values.length; row += 7) {
      const used = [7, 4, 1][Math.floor(row / (values.length / 3))];
      const probabilities = values.subarray(row, row + 7);
      assert.ok(probabilities.subarray(0, used).every((value) => value > 0));
      assert.ok(probabilities.subarray(used).every((value) => value === 0));
      assert.ok(Math.abs([...probabilities].reduce((sum, value) => sum + value) - 1) < 1e-6);
    }
  }
});

testBackends("dropout is part of training alone, and its seed decides it", async (backend) => {
  const ops = createOps(backend);
  const { batch, forward } = await openEncoder("bert", ops);
  const logits = async (training: boolean, seed?: number) => [...await forward(training, batch, seed).logits.read()];
  assert.deepEqual(await logits(false, 1), await logits(false, 2));
  assert.deepEqual(await logits(true, 1), await logits(true, 1));
  assert.notDeepEqual(await logits(true, 1), await logits(true, 2));
  assert.notDeepEqual(await logits(true, 1), await logits(false, 1));
});

testBackends("one token more than there are positions is refused", async (backend) => {
  const ops = createOps(backend);
  for (const [name, most] of [["bert", 9], ["roberta", 7], ["mpnet", 7]] as const) {
    const { forward } = await openEncoder(name, ops);
    const inputs = (length: number) => ({
      tokens: ops.full([1, length], 5),
      types: ops.full([1, length], 0),
      mask: ops.full([1, length], 1),
    });
    assert.deepEqual(forward(false, inputs(most)).logits.shape, [1, 4]);
    assert.throws(() => forward(false, inputs(most + 1)), {
      name: "RangeError",
      message: `Cannot encode tokens of shape [1, ${most + 1}]: the encoder has positions for ${most}`,
    });
  }
}, [float64]);

Deno.test("the six matrices of every block may be over-parameterised, and nothing else", async () => {
  for (const name of ["bert", "distilbert", "electra", "mpnet"] as const) {
    const model = await buildEncoder(name);
    // And what brings an ELECTRA's embeddings to the width.
    const chosen = model.parameters.filter(({ overParameterisable, name }) =>
      overParameterisable && name !== "electra.embeddings_project.weight"
    );
    assert.equal(chosen.length, 12);
    for (const { name, shape } of chosen) {
      assert.match(name, /layer\.\d\..*(query|key|value|dense|_lin|lin[12]|attn\.[qkvo])\.weight$/);
      assert.equal(shape.length, 2);
    }
    assert.deepEqual(
      model.layerPrefixes!.map((prefix) => chosen.filter(({ name }) => name.startsWith(prefix)).length),
      [
        6,
        6,
      ],
    );
  }
});
