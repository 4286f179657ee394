import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { crfOutputs, crfParameters, decode } from "../../../plugins/models/crf_head.ts";
import { gen, golden } from "../../golden/golden.ts";
import { testBackends } from "../../support/backends.ts";

const logits = (ops: Ops) => ops.tensor([...gen([4, 3], 12), 9, 9, 9, 8, 7, 6], [1, 6, 3]);
const transitions = (ops: Ops) => ops.tensor(gen([3, 3], 13), [3, 3]);

testBackends("a CRF's predictions are the best path through the tokens that have a label", async (backend) => {
  const ops = createOps(backend);
  const weights = weightsFrom(new Map([["crf.transitions", transitions(ops)]]));
  const batch = { label: ops.tensor([2, 2, 0, 1, -1, -1], [1, 6]) };
  const evaluated = crfOutputs({ ops, weights, batch, training: false }, logits(ops));
  assert.equal(evaluated.transitions, weights.get("crf.transitions"));
  assert.deepEqual(evaluated.predictions!.shape, [1, 6]);
  assert.deepEqual([...await evaluated.predictions!.read()], [...golden.crf_viterbi, -1, -1]);
  const mask = ops.tensor([1, 1, 1, 1, 0, 1], [1, 6]);
  const unlabelled = crfOutputs({ ops, weights, batch: { mask }, training: false }, logits(ops));
  const path = await unlabelled.predictions!.read();
  assert.equal(path[4], -1);
  assert.ok(path[5] >= 0, "without labels every token is decoded");
  assert.equal(crfOutputs({ ops, weights, batch, training: true }, logits(ops)).predictions, undefined);
});

testBackends("without transitions the largest logit decides, the first of equals", async (backend) => {
  const ops = createOps(backend);
  const best = await decode(ops, { logits: ops.tensor([1, 3, 2, 5, 5, 4, 0, 0, 1], [1, 3, 3]) }, ops.full([1, 3], 1))
    .read();
  assert.deepEqual([...best], [1, 0, 2]);
});

Deno.test("a CRF adds transitions that begin at 0 and are no chain of cores", () => {
  assert.deepEqual(crfParameters(5), [{
    name: "crf.transitions",
    shape: [5, 5],
    initialise: { use: "constant", value: 0 },
    trainable: true,
    overParameterisable: false,
  }]);
});
