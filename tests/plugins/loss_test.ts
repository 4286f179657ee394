import assert from "node:assert/strict";
import { join } from "node:path";
import "../../core/deno/install.ts";
import { openBackend } from "../../core/backend/open_backend.ts";
import { UserError } from "../../core/errors.ts";
import type { LossInputs } from "../../core/plugin/loss_function.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { builtins } from "../../plugins/builtins.ts";
import { loss } from "../../plugins/loss.ts";
import { float64, testBackends } from "../support/backends.ts";

const STUDENT = [[1, 2, 3], [0, 1, 0.5]];
const TEACHER = [[3, 2, 1], [0.5, 1, -1]];

/** KL(softmax(b / t) || softmax(a / t)) t^2, mean over rows, by hand. */
function divergence(a: number[][], b: number[][], t: number): number {
  const softmax = (row: number[]) => {
    const powers = row.map((value) => Math.exp(value / t));
    const total = powers.reduce((sum, value) => sum + value, 0);
    return powers.map((value) => value / total);
  };
  const rows = a.map((row, index) => {
    const [p, q] = [softmax(b[index]), softmax(row)];
    return p.reduce((sum, value, place) => sum + value * Math.log(value / q[place]), 0);
  });
  return t * t * rows.reduce((sum, row) => sum + row, 0) / rows.length;
}

const logits = (ops: Ops, rows: number[][]) => ops.tensor(rows.flat(), [rows.length, rows[0].length]);
const number = async (tensor: Tensor) => (await tensor.read())[0];
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a}, expected ${b}`);

testBackends("a loss is called on logits, with gradients and with a schedule", async (backend) => {
  const ops = createOps(backend);
  const [student, teacher] = [logits(ops, STUDENT), logits(ops, TEACHER)];
  const kd = await loss("kd", { temperature: 4 });
  near(await number(kd({ ops, student, teacher })), divergence(STUDENT, TEACHER, 4));
  const { gradients } = ops.differentiate(() => kd({ ops, student, teacher }), [student]);
  assert.ok((await gradients[0]!.read()).some((value) => value !== 0));

  const scheduled = await loss("kd", { temperature: { from: 8, to: 2, epochs: 5 } });
  const progress = { step: 25, totalSteps: 100, stepsPerEpoch: 10 };
  near(await number(scheduled({ ops, student, teacher, progress })), divergence(STUDENT, TEACHER, 5));

  const crossEntropy = await loss("cross-entropy");
  const hard = [2, 0].map((label, row) => {
    return Math.log(STUDENT[row].reduce((sum, value) => sum + Math.exp(value), 0)) - STUDENT[row][label];
  });
  for (const labels of [[2, 0], ops.tensor([2, 0])]) {
    near(await number(crossEntropy({ ops, student, labels })), (hard[0] + hard[1]) / 2);
  }
  const mse = await loss("mse");
  const values = ops.tensor([1, 2], [2, 1]);
  near(await number(mse({ ops, student: values, labels: [1, 4] })), 2);
}, [float64]);

testBackends("what a loss lacks, or what is no loss, is refused in one sentence", async (backend) => {
  const ops = createOps(backend);
  const [student, teacher] = [logits(ops, STUDENT), logits(ops, TEACHER)];
  await assert.rejects(loss("kdd"), { name: "UserError", message: 'Unknown loss "kdd": did you mean "kd"?' });
  await assert.rejects(loss("kd", { temprature: 4 }), {
    message: 'Unknown key "temprature" in kd: did you mean "temperature"?',
  });
  await assert.rejects(loss("kd", { temperature: -4 }), {
    name: "UserError",
    message: /for kd.temperature: got -4$/,
  });
  const refused = async (
    name: string,
    options: Record<string, unknown>,
    call: Partial<LossInputs>,
    message: string,
  ) => {
    const compute = await loss(name, options);
    assert.throws(() => compute({ ops, student, ...call }), { name: "UserError", message });
  };
  await refused("kd", {}, {}, 'Cannot compute the loss "kd" without a teacher: give the teacher\'s logits or outputs');
  await refused("cross-entropy", {}, {}, 'Cannot compute the loss "cross-entropy" without labels');
  await refused(
    "tensor-alignment",
    {},
    { teacher },
    'Cannot compute the loss "tensor-alignment" by itself as it looks at the models\' weights first: it is for a run',
  );
  await refused(
    "kd",
    {},
    { student: ops.tensor([1, 2]) },
    "Cannot compute a loss of logits [2]: expected [batch, classes] or [batch, length, classes]",
  );
}, [float64]);

testBackends("losses of more than logits take whole outputs", async (backend) => {
  const ops = createOps(backend);
  const pooled = ops.tensor([1, 0, 0, 1], [2, 2]);
  const student = { logits: logits(ops, STUDENT), pooled };
  const teacher = { logits: logits(ops, TEACHER), pooled };
  const relational = await loss("relational");
  near(await number(relational({ ops, student, teacher })), 0);
  assert.throws(() => relational({ ops, student, teacher: teacher.logits }), {
    name: "UserError",
    message:
      'Cannot compute the loss "relational" without the teacher\'s pooled: give its outputs, not its logits alone',
  });
  const crf = await loss("crf");
  const emissions = ops.tensor([1, 0, 0, 2], [1, 2, 2]);
  const transitions = ops.tensor([0, 1, 0, 0], [2, 2]);
  const paths = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([a, b]) => [1, 0][a] + [0, 2][b] + (a === 0 && b === 1 ? 1 : 0));
  const logPartition = Math.log(paths.reduce((sum, score) => sum + Math.exp(score), 0));
  near(await number(crf({ ops, student: { logits: emissions, transitions }, labels: [0, 1] })), logPartition - 4);
}, [float64]);

testBackends("every built-in loss is computed from logits or refused in a sentence", async (backend) => {
  const ops = createOps(backend);
  const [student, teacher] = [logits(ops, STUDENT), logits(ops, TEACHER)];
  const computed: string[] = [];
  for (const definition of builtins.loss) {
    try {
      const compute = await loss(definition);
      const value = await number(compute({ ops, student, teacher, labels: [2, 0] }));
      assert.ok(Number.isFinite(value), definition.name);
      computed.push(definition.name);
    } catch (error) {
      assert.ok(error instanceof UserError, `${definition.name}: ${error}`);
      assert.doesNotMatch(error.message, /\n/);
    }
  }
  assert.deepEqual(computed, [
    "cross-entropy",
    "focal",
    "kd",
    "hard-distillation",
    "mse-logits",
    "dkd",
    "dist",
    "logit-standardization",
    "jensen-shannon",
  ]);
}, [float64]);

Deno.test("a loss of one's own file is called by itself, as built-in ones are", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "total.ts");
    await Deno.writeTextFile(
      file,
      `export default {
  kind: "loss", name: "total", description: "x", options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.sum(student.logits) }),
};
`,
    );
    const { backend } = await openBackend("cpu");
    const ops = createOps(backend);
    const total = await loss(file);
    assert.deepEqual([...await total({ ops, student: ops.tensor([1, 2, 4], [1, 3]) }).read()], [7]);
    await backend.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("logits of unequal shapes and labels that are no class are refused", async () => {
  const { backend } = await openBackend("cpu");
  const ops = createOps(backend);
  const [kd, crossEntropy] = [await loss("kd"), await loss("cross-entropy")];
  const student = ops.tensor([1, 2, 3, 3, 2, 1], [2, 3]);
  assert.throws(() => kd({ ops, student, teacher: ops.tensor([1, 2, 3], [1, 3]) }), {
    name: "UserError",
    message: /logits \[2, 3\] of the student with \[1, 3\] of the teacher/,
  });
  for (const wrong of [7, -1, 0.5, 3]) {
    assert.throws(() => crossEntropy({ ops, student, labels: [0, wrong] }), {
      name: "UserError",
      message: `Cannot use ${wrong} as a label: the 3 classes are numbered from 0`,
    });
  }
  await backend.close();
});
