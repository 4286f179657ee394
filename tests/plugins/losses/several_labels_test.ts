import assert from "node:assert/strict";
import { datasOf } from "../../../core/plugin/check/inputs.ts";
import { LossRig } from "../../../core/plugin/check/loss_rig.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { loss } from "../../../plugins/loss.ts";
import { binaryCrossEntropy } from "../../../plugins/losses/binary_cross_entropy.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { gen } from "../../golden/golden.ts";
import golden from "../../golden/several_labels.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { textData } from "../../support/inputs.ts";
import {
  assertLossGradient,
  logitModels,
  lossGradient,
  lossValue,
  type LossVariation,
} from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const all = [float64, ...backends];
const classes = ["a", "b", "c"];
const data = textData(classes, {}, "multi-label");

/** Those of several_labels.py. */
const logits = gen([8, 3], 70).map((value) => 3 * value);
const taught = gen([8, 3], 71).map((value) => 3 * value);
const labels: readonly number[] = Array.from(gen([8, 3], 72), (value) => value > 0.1 ? 1 : 0);
const known = [1, 1, 0, 1, 1, 0, 1, 1];

const modelsOf = (ops: Ops) => logitModels(ops, logits, taught, 3);
const label = { data: labels, shape: [8, 3] };
const whole: LossVariation = { setup: { data }, batch: { label } };
const partly: LossVariation = { setup: { data }, batch: { label, labelled: { data: known, shape: [8] } } };

const cases = [
  [binaryCrossEntropy, {}, whole, golden.binary_cross_entropy],
  [binaryCrossEntropy, { positiveWeights: { a: 0.5, c: 3 } }, whole, golden.binary_cross_entropy_weighted],
  [binaryCrossEntropy, {}, partly, golden.binary_cross_entropy_known],
  [kd, { temperature: 1 }, whole, golden.kd_1],
  [kd, { temperature: 2.5 }, whole, golden["kd_2.5"]],
  [kd, { temperature: 2.5 }, partly, golden["kd_2.5"]],
] as const;

testBackends("binary cross-entropy and kd by sigmoid have PyTorch's values and gradients", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  for (const [definition, options, variation, { value, gradient }] of cases) {
    assertClose([await lossValue(ops, definition, options, modelsOf(ops), variation)], [value], tolerance);
    const own = await lossGradient(backend, definition, options, [8, 3], logits, (ops, student) => ({
      ...modelsOf(ops),
      student: outputs(student),
    }), variation);
    assertClose(own, gradient, tolerance);
  }
}, all);

testBackends("their gradients agree with finite differences, at logits of 0 as well", async (backend) => {
  for (const [definition, options, variation] of cases) {
    await assertLossGradient(
      backend,
      definition,
      options,
      [8, 3],
      [...logits].with(4, 0).with(9, 0),
      (ops, student) => ({
        ...modelsOf(ops),
        student: outputs(student),
      }),
      variation,
    );
  }
}, [float64]);

testBackends("very sure logits make no loss that is infinite or not a number", async (backend) => {
  const ops = createOps(backend);
  const sure = logitModels(ops, [300, -300, 300, -300], [-300, 300, 300, -300], 2);
  const batch = { label: { data: [1, 0, 0, 1], shape: [2, 2] } };
  const variation = { setup: { data: textData(["a", "b"], {}, "multi-label") }, batch };
  assertClose([await lossValue(ops, binaryCrossEntropy, {}, sure, variation)], [150], 1e-6);
  assertClose([await lossValue(ops, kd, { temperature: 1 }, sure, variation)], [150], 1e-6);
}, all);

testBackends("losses of probabilities that sum to 1 refuse several labels, the others take them", async (backend) => {
  const ops = createOps(backend);
  const several = datasOf().find(({ task }) => task === "multi-label")!;
  const taken: string[] = [];
  for (const definition of builtins.loss) {
    const options = definition.options(optionKit).safeParse({}).data;
    // Losses of pairs of layers look at nothing else.
    if (options === undefined) continue;
    const opened = LossRig.open(ops, definition, options, { data: several, batch: 2, wider: 0 });
    await opened.then((rig) => {
      taken.push(definition.name);
      rig.dispose();
    }, ({ name, message }) => assert.equal(name, "UserError", `${definition.name}: ${message}`));
  }
  const ofLogitsOrLayers = ["attention-mse", "minilm", "mse-logits", "relational", "tensor-alignment"];
  assert.deepEqual(taken.sort(), ["binary-cross-entropy", "kd", ...ofLogitsOrLayers].sort());
}, [float64]);

testBackends("binary cross-entropy refuses one class an example, and weights of no class", async (backend) => {
  const ops = createOps(backend);
  const refused = (options: Record<string, unknown>, message: string, setup = whole.setup) =>
    assert.rejects(lossValue(ops, binaryCrossEntropy, options, modelsOf(ops), { ...whole, setup }), {
      name: "UserError",
      message,
    });
  const start = 'Cannot use the loss "binary-cross-entropy" for';
  const needed = "it needs several labels for each example; use";
  await refused({}, `${start} classification: ${needed} cross-entropy`, { data: textData(classes) });
  await refused({}, `${start} regression: ${needed} mse`, { data: textData([], {}, "regression") });
  await refused(
    { positiveWeights: { d: 2 } },
    'Cannot weight the class "d" in the loss "binary-cross-entropy": the classes are a, b and c',
  );
}, [float64]);

testBackends("a loss called by itself is told that there are several labels", async (backend) => {
  const ops = createOps(backend);
  const bce = await loss("binary-cross-entropy");
  const student = ops.tensor(logits, [8, 3]);
  const [value] = await bce({ ops, student, labels, task: "multi-label" }).read();
  assertClose([value], [golden.binary_cross_entropy.value], 1e-9);
  assert.throws(() => bce({ ops, student, labels }), { message: /for classification: it needs several labels/ });
  assert.throws(() => bce({ ops, student, labels: labels.with(3, 2), task: "multi-label" }), {
    message: "Cannot use 2 as a label: expected a 0 or a 1 for each class",
  });
  assert.throws(() => bce({ ops, student, labels, task: "tagging" }), {
    message: "Cannot compute a loss of logits [8, 3] for tagging: they are those of classification",
  });
}, [float64]);
