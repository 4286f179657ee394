import assert from "node:assert/strict";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { initialise } from "../../../core/nn/initialisers.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { Random } from "../../../core/data/random.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import { testBackends } from "../../support/backends.ts";
import { textData } from "../../support/inputs.ts";
import { assertClose } from "../../support/numbers.ts";

const build = (options: Record<string, unknown>, data: InputDescription) =>
  bert.build(bert.options(optionKit).parse({ layers: 1, width: 8, heads: 2, dropout: 0, ...options }), data);
const tags = textData(["O", "B-X", "I-X"], {}, "tagging");
const classes = textData(["ham", "spam"]);

testBackends("a tagger with a CRF decides by the best path", async (backend) => {
  const ops = createOps(backend);
  const model = build({ crf: true }, tags);
  const weights = weightsFrom(
    new Map(model.parameters.map(({ name, shape, initialise: how }) => {
      const values = initialise(how, shape, new Random(3).split(name));
      // Nothing but O may follow anything: whatever the logits say, every tag but the first is O.
      if (name === "crf.transitions") values.set([0, -1e3, -1e3, 0, -1e3, -1e3, 0, -1e3, -1e3]);
      return [name, ops.tensor(values, shape)];
    })),
  );
  const shape = [1, 4];
  const batch = {
    tokens: ops.tensor([2, 5, 6, 3], shape),
    types: ops.full(shape, 0),
    mask: ops.full(shape, 1),
    label: ops.tensor([-1, 1, 0, -1], shape),
  };
  const call = { ops, weights, batch, randomSeed: () => 0 };
  const { predictions, transitions, logits } = model.forward({ ...call, training: false });
  assert.deepEqual([predictions!.shape, transitions!.shape, logits.shape], [[1, 4], [3, 3], [1, 4, 3]]);
  assert.equal((await predictions!.read())[2], 0);
  assert.equal(model.forward({ ...call, training: true }).predictions, undefined);
});

testBackends("a head with subclasses is as sure of a class as of its parts together", async (backend) => {
  const ops = createOps(backend);
  const model = build({ subclasses: 3 }, classes);
  const weights = weightsFrom(
    new Map(
      model.parameters.map(({ name, shape, initialise: how }) =>
        [name, ops.tensor(initialise(how, shape, new Random(4).split(name)), shape)] as const
      ),
    ),
  );
  const shape = [2, 3];
  const batch = { tokens: ops.tensor([2, 5, 3, 2, 7, 3], shape), types: ops.full(shape, 0), mask: ops.full(shape, 1) };
  const outputs = model.forward({ ops, weights, batch, training: false, randomSeed: () => 0 });
  const [logits, parts] = await ops.read([outputs.logits, outputs.subclassLogits!]);
  const expected = Array.from({ length: 4 }, (_, at) => {
    const own = [...parts.subarray(3 * at, 3 * at + 3)];
    return Math.log(own.reduce((sum, logit) => sum + Math.exp(logit), 0));
  });
  assertClose(logits, expected, 1e-5);
});

Deno.test("the options are in config.json, and refused for another task", () => {
  const config = build({ crf: true }, tags).config;
  assert.equal(bert.fromConfig!(config, bert.options(optionKit).parse({})).crf, true);
  assert.equal(
    bert.fromConfig!(build({ subclasses: 3 }, classes).config, bert.options(optionKit).parse({})).subclasses,
    3,
  );
  assert.throws(() => build({ crf: true }, classes), {
    name: "UserError",
    message: "Cannot put a CRF behind classification: crf is for tagging",
  });
  assert.throws(() => build({ subclasses: 2 }, tags), {
    message: "Cannot divide the classes of tagging: subclasses is for classification",
  });
});
