import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import { infer } from "../../../core/evaluate/predictions.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { freshWeights } from "../../../core/plugin/parameters.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import { float64, testBackends } from "../../support/backends.ts";
import { textData } from "../../support/inputs.ts";

const SIZES = { layers: 2, width: 32, heads: 4, ffn: 128, positions: 16 };
const [BATCH, LENGTH] = [4, 16];

testBackends("inference holds one part of one layer at a time, and what is wanted", (backend) => {
  const ops = createOps(backend);
  const model = bert.build(bert.options(optionKit).parse(SIZES), textData(["a", "b"], { maxLength: LENGTH }));
  const numbers = freshWeights(model, new Random(1));
  const weights = weightsFrom(
    new Map(model.parameters.map(({ name, shape }) => [name, ops.tensor(numbers.get(name)!, shape)])),
  );
  const rows = (value: number) => ops.full([BATCH, LENGTH], value);
  const batch = { tokens: rows(7), types: rows(0), mask: rows(1), label: ops.full([BATCH], 0) };
  const before = backend.memory().bytes;
  ops.scope(() => void infer(ops, model, weights, batch));
  const states = BATCH * LENGTH * SIZES.width;
  const held = (backend.memory().peakBytes - before) / (8 * states);
  // A layer's input; the states around a sub-layer and in it; four and four times as wide ones between its layers.
  assert.ok(held <= 15, `${held} times the hidden states`);
  assert.equal(backend.memory().bytes, before);
  const call = { ops, weights, batch, training: false, randomSeed: () => 0 };
  const { attention, scores = [], relations = [] } = ops.scope(() => ({
    ...model.forward({ ...call, wanted: new Set(["scores", "relations"]) }),
  }));
  assert.deepEqual([attention?.length, scores.length, relations.length], [0, 2, 2]);
  assert.ok([...scores, ...relations.flatMap((own) => Object.values(own))].every(({ disposed }) => !disposed));
}, [float64]);
