import assert from "node:assert/strict";
import type { AssessCall } from "../../../core/assess/assessment.ts";
import { robustness, type SubjectRobustness } from "../../../core/assess/robustness/robustness.ts";
import type { Subject } from "../../../core/assess/subject.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { testBackends } from "../../support/backends.ts";
import { madeUpSubject, SMALL_IMAGES, smallNetwork } from "../../support/subjects.ts";

const settings = { seed: 1, batchSize: 8, eps: [0.02], epsL2: [0.1], steps: 2, restarts: 1, most: null };

async function assessed(ops: Ops, subjects: readonly [Subject, ...Subject[]], teacher: Subject | null) {
  const call: AssessCall = { ops, subjects, teacher, settings, tokenizer: () => Promise.resolve(null), tell: () => {} };
  const { result } = await robustness.assess(call);
  return (result as { readonly subjects: readonly SubjectRobustness[] }).subjects;
}

testBackends("a teacher that has the same classes in another order agrees by their names", async (backend) => {
  const ops = createOps(backend);
  const own = smallNetwork(ops, 3);
  // The same network, whose logits and labels stand for c, a and b.
  const order = [2, 0, 1];
  const turned = new Map(own.numbers);
  for (const [name, size] of [["fc.weight", 96], ["fc.bias", 1]] as const) {
    const values = own.numbers.get(name)!;
    turned.set(name, Float32Array.from(order.flatMap((c) => Array.from(values.subarray(c * size, (c + 1) * size)))));
  }
  const input = { ...SMALL_IMAGES, classes: order.map((c) => SMALL_IMAGES.classes[c]) };
  const examples = {
    ...own.examples,
    labels: own.examples.labels!.map((label) => order.indexOf(label)),
    batch: (indices: Uint32Array) => {
      const batch = own.examples.batch(indices);
      return { ...batch, label: { ...batch.label, data: batch.label.data.map((label) => order.indexOf(label)) } };
    },
  };
  const teacher = madeUpSubject(ops, "teacher", own.model, turned, input, examples);
  const [told, student] = await assessed(ops, [teacher, own], teacher);
  assert.equal(told.accuracy, student.accuracy);
  assert.equal(student.agreement, 1);
  assert.ok(student.sweeps.length > 0 && student.sweeps.every(({ agreement }) => agreement === 1));
  assert.ok(student.attacks.length > 0 && student.attacks.every(({ agreement }) => agreement === 1));
});

testBackends("answers that are no numbers are refused, also where there are no attacks", async (backend) => {
  const ops = createOps(backend);
  const { model, numbers, input, examples } = smallNetwork(ops, 3);
  const broken = new Map(numbers).set("fc.bias", Float32Array.of(0, NaN, 0));
  const subject = { ...madeUpSubject(ops, "broken", model, broken, input, examples), differentiable: false };
  await assert.rejects(assessed(ops, [subject], null), {
    name: "UserError",
    message: /^Cannot assess "broken" as its logits are not finite/,
  });
});
