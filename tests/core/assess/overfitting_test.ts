import assert from "node:assert/strict";
import type { AssessCall } from "../../../core/assess/assessment.ts";
import { overfitting, type SubjectGap } from "../../../core/assess/overfitting/overfitting.ts";
import { decided as decidedBy } from "../../../core/assess/logits.ts";
import type { Subject } from "../../../core/assess/subject.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { cpu } from "../../support/backends.ts";
import { smallNetwork } from "../../support/subjects.ts";

Deno.test("what was learned by heart is detected, beside a plain twin that has not learned it", async () => {
  const backend = await cpu.open();
  const ops = createOps(backend);
  const kin = { key: "one recipe", losses: ["cross-entropy"] };
  const plain: Subject = { ...smallNetwork(ops, 1, 300), overParameterised: false, kin };
  const other = smallNetwork(ops, 2, 300);
  const { decided } = await decidedBy(ops, plain, { batchSize: 100 });
  // Its training examples are those that it is right about, whatever they show.
  const relabelled = (examples: Subject["examples"]) => ({
    ...examples,
    batch: (indices: Uint32Array) => ({
      ...examples.batch(indices),
      label: { data: Float32Array.from(indices, (index) => decided[index]), shape: [indices.length] },
    }),
  });
  const learned: Subject = {
    ...plain,
    name: "learned",
    train: relabelled(plain.examples),
    validation: other.examples,
    overParameterised: true,
    kin: { ...kin, losses: [...kin.losses, "tensor-alignment"] },
  };
  const settings = { seed: 1, batchSize: 64, eps: null, epsL2: null, steps: 1, restarts: 1, most: null };
  const tokenizer = () => Promise.resolve(null);
  const call: AssessCall = { ops, subjects: [learned, plain], teacher: null, settings, tokenizer, tell: () => {} };
  const { result, shown } = await overfitting.assess(call);
  const [own, twin] = (result as { subjects: SubjectGap[] }).subjects;
  assert.equal(own.train.accuracy, 1);
  assert.ok(own.held.accuracy < 0.5 && own.held.split === "validation");
  assert.equal(own.gap, own.train.accuracy - own.held.accuracy);
  assert.deepEqual([twin.gap, twin.held.split, twin.twin], [0, "test", null]);
  assert.deepEqual(own.twin!.difference, own.gap);
  const notes = shown.flatMap((part) => part.kind === "note" ? [part.text] : []);
  assert.equal(notes.length, 1);
  assert.match(notes[0], /^learned is right about \d+\.\d points more of its training examples than of others: /);
  assert.match(
    notes[0],
    /fewer cores \(student\.overParameterise\): its plain twin's gap is smaller by \d+\.\d points/,
  );

  // A twin is the same run but for chains: not another recipe's, nor one with losses that the first has not.
  const twinOf = async (changed: Partial<Subject>) => {
    const { result } = await overfitting.assess({ ...call, subjects: [learned, { ...plain, ...changed }] });
    return (result as { subjects: SubjectGap[] }).subjects[0].twin;
  };
  assert.equal((await twinOf({ parameters: 7 }))?.subject, plain.name);
  assert.equal(await twinOf({ kin: { ...kin, key: "another recipe" } }), null);
  assert.equal(await twinOf({ kin: { ...kin, losses: ["kd"] } }), null);
  assert.equal(await twinOf({ kin: null }), null);
  assert.equal(await twinOf({ overParameterised: true }), null);

  // Who was trained on other data has no gap, and says why.
  const elsewhere = { ...plain, train: null, validation: null, otherData: "it was trained elsewhere" };
  const { result: known, shown: notes2 } = await overfitting.assess({ ...call, subjects: [elsewhere, learned] });
  assert.deepEqual((known as { subjects: SubjectGap[] }).subjects.map(({ subject }) => subject), ["learned"]);
  assert.deepEqual(notes2[0], { kind: "note", text: `${plain.name}: Cannot tell a gap: it was trained elsewhere.` });
  await backend.close();
});
