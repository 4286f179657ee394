import assert from "node:assert/strict";
import { join } from "node:path";
import type { Backend } from "../../../core/backend/backend.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { ModelOutputs } from "../../../core/plugin/model.ts";
import { nameOutputs } from "../../../core/plugin/output_tree.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { tinyRun } from "../../support/tiny_run.ts";
import { namedOutputs, openEncoder } from "./bert_fixture.ts";
import { assertRelative } from "./resnet_fixture.ts";
import { openTransformer } from "./vit_fixture.ts";

/** Numbers in the attention of the fixtures' three examples, the largest tensor: 3 heads, 7 tokens. */
const ATTENTION = 3 * 3 * 7 * 7;
/** Numbers between the layers of the feed-forward network: 7 tokens, 20 wide. */
const INNER = 3 * 7 * 20;

/** A backend whose tensors have so many numbers at most, whatever it could hold. */
const limit = (backend: Backend, mostNumbers: number) => void Object.assign(backend, { mostNumbers });

testBackends(
  "an encoder goes through a batch in parts where its attention is too large, and gives PyTorch's outputs",
  async (backend) => {
    const ops = createOps(backend);
    const { mostNumbers } = backend;
    const tolerance = backend.precision === "float64" ? 2e-7 : 1e-5;
    const cases = [
      [openEncoder.bind(null, "bert"), 0],
      [openEncoder.bind(null, "mpnet"), 0],
      [openTransformer.bind(null, "vit"), 3 * 3 * 3 * 12],
    ] as const;
    for (const [open, filter] of cases) {
      limit(backend, mostNumbers);
      const { expected, forward } = await open(ops);
      // Two examples and one; three times one, where the filter of ViT's patches is not larger.
      for (const most of [ATTENTION - 1, Math.max(2 * ATTENTION / 3 - 1, filter)]) {
        limit(backend, most);
        const outputs = forward();
        assert.deepEqual([outputs.attention, outputs.scores], [[], []], "they are too large");
        for (const [name, tensor] of namedOutputs(outputs)) {
          assertRelative(await tensor.read(), expected.get(name)!, tolerance, `${name}, at most ${most}`);
        }
      }
    }
  },
  [float64, ...backends],
);

testBackends(
  "gradients of an encoder in parts are those of the whole, attention that fits is joined",
  async (backend) => {
    const ops = createOps(backend);
    // With one head the inner layer is what is too large.
    const { student, forward } = await openEncoder("electra", ops, { heads: 1 });
    const weights = [...student.plain.tensors];
    const results = async () => {
      let named = new Map<string, Tensor>();
      const { gradients } = ops.differentiate(() => {
        const outputs = forward();
        named = new Map(nameOutputs(outputs).tensors);
        const { logits, hidden, attention, scores, relations } = outputs;
        const terms = [logits, hidden[0], attention[0], scores![1], relations![1].values];
        return ops.total(
          terms.map((term, seed) => ops.sum(ops.multiply(term, ops.tensor(pseudoRandom(seed, term.size), term.shape)))),
        );
      }, weights.map(([, tensor]) => tensor));
      const read = await ops.read([...named.values(), ...gradients.map((gradient) => gradient!)]);
      return new Map([...named.keys(), ...weights.map(([name]) => name)].map((name, index) => [name, read[index]]));
    };
    const before = backend.work().dispatches;
    const whole = await results();
    const between = backend.work().dispatches;
    limit(backend, INNER - 1);
    const parts = await results();
    assert.ok(backend.work().dispatches - between > between - before, "it was gone through in parts");
    assert.deepEqual([...parts.keys()], [...whole.keys()]);
    const tolerance = backend.precision === "float64" ? 1e-14 : 1e-5;
    for (const [name, numbers] of parts) assertClose(numbers, whole.get(name)!, tolerance, name);
  },
  [float64, ...backends],
);

testBackends(
  "attention that is wanted is refused where it is too large, and so is a single example's",
  async (backend) => {
    const ops = createOps(backend);
    const { model, student, batch } = await openEncoder("bert", ops);
    const call = { ops, weights: student.weights(), batch, training: false, randomSeed: () => 0 };
    const forward = (more: object): ModelOutputs => ops.scope(() => model.forward({ ...call, ...more }));
    limit(backend, ATTENTION - 1);
    const refused = (shape: string) => ({
      name: "UserError",
      message: new RegExp(`^Cannot make a tensor of \\[${shape}\\]: `),
    });
    assert.throws(() => forward({ wanted: new Set(["attention"]) }), refused("3, 3, 7, 7"));
    assert.deepEqual(forward({ wanted: new Set(["hidden"]) }).attention, []);
    const one = Object.fromEntries(
      Object.entries(batch).map(([key, tensor]) => [key, ops.slice(tensor, { axis: 0, begin: 0, length: 1 })]),
    );
    limit(backend, ATTENTION / 3 - 1);
    assert.throws(() => forward({ batch: one }), refused("1, 3, 7, 7"));
  },
  [float64],
);

/** Only some texts are long, so that few batches of an epoch are. */
const LONG = " of the many films that were made";

const texts = (count: number) => {
  const lines = Array.from(
    { length: count },
    (_, i) => `${i % 2 ? "a good" : "a bad"} film number ${i % 7}${i % 2 === 0 && i < 200 ? LONG : ""}\t${i % 2}`,
  );
  return `text\tlabel\n${lines.join("\n")}\n`;
};

const recipe = (losses: string) => `
name: parts
validation: { count: 8 }
dataset: { use: text-table, train: train.tsv, test: test.tsv, vocabularySize: 60, maxLength: 12 }
${losses.includes("cross-entropy") ? "" : "teacher: { use: bert, weights: teacher/student }"}
student: { use: bert, layers: 1, width: 16, heads: 4, ffn: 32, positions: 16, dropout: 0, attentionDropout: 0 }
losses: [${losses}]
train: { epochs: 2, batchSize: 96, optimiser: { use: adamw, learningRate: 0.01 } }
`;
/** A loss that reads the student's attention without asking a teacher for its own. */
const OWN_LOSS = `export default {
  kind: "loss",
  name: "own",
  description: "Mean of the first layer's attention",
  options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.mean(student.attention[0]) }),
};`;

/** Fewer than attention of 96 texts (4 heads, 12 tokens) and their inner layer has, more than anything else. */
const MOST = 32_000;

Deno.test("a student trains in parts; losses on attention that is too large are refused before, with what fits", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.tsv"), texts(224));
    await Deno.writeTextFile(join(folder, "test.tsv"), texts(64));
    const run = async (output: string, losses: string, most: number) => {
      const backend = await CpuBackend.create({ threads: 1 });
      limit(backend, most);
      try {
        return await tinyRun(folder, { text: recipe(losses), output, backend });
      } finally {
        await backend.close();
      }
    };
    await Deno.writeTextFile(join(folder, "own.ts"), OWN_LOSS);
    await run("teacher", "{ use: cross-entropy }", MOST);
    const losses = "{ use: kd }, { use: hidden-mse, pairs: [{ student: 0, teacher: 0 }] }";
    const [parts, whole] = [await run("parts", losses, MOST), await run("whole", losses, 2 ** 30)];
    for (const name of ["kd", "hidden-mse"]) {
      assertClose([parts.losses[name]], [whole.losses[name]], 1e-4 * whole.losses[name], name);
    }
    const refused = {
      name: "UserError",
      message: new RegExp(
        "^.*:\\d+:\\d+: Cannot train on batches of 96 as that takes a tensor of \\[96, 4, 12, 12\\]: it has 0.2 MiB, and a " +
          'tensor on ".*" at most 0.1 MiB; batchSize: 55, or 48 with accumulate: 2 for as large a step, shorter texts',
      ),
    };
    await assert.rejects(run("a", "{ use: attention-mse }", MOST), refused);
    await assert.rejects(run("b", "{ use: ./own.ts }", MOST), refused);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
