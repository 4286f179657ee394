import assert from "node:assert/strict";
import { givenOutputs } from "../../../core/distill/losses/given_shapes.ts";
import { buildModel } from "../../../core/distill/recipe_models.ts";
import { lookAtTeacher } from "../../../core/distill/teacher/poor_teacher.ts";
import { monitorOf } from "../../../core/distill/training/monitor.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Examples, InputDescription } from "../../../core/plugin/dataset.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { cpu, testBackends } from "../../support/backends.ts";

const input: InputDescription = {
  task: "embedding",
  classes: [],
  image: null,
  text: { vocabulary: 9, maxLength: 4, padding: 0, files: {} },
};

/** As many pairs of vectors in the plane, of which `score` is what people said of an angle. */
function inPairs(count: number, score: (angle: number) => number): Examples {
  const angles = Array.from({ length: count }, (_, pair) => 3 * pair / count);
  const vectors = angles.flatMap((angle) => [[1, 0], [2 * Math.cos(angle), 2 * Math.sin(angle)]]);
  const numbers = Array.from(angles, (_, pair) => pair);
  return {
    length: vectors.length,
    labels: null,
    pairs: {
      first: Uint32Array.from(numbers, (pair) => 2 * pair),
      second: Uint32Array.from(numbers, (pair) => 2 * pair + 1),
      scores: Float32Array.from(angles, score),
    },
    batch: (indices) => ({
      vector: { data: Float32Array.from([...indices].flatMap((index) => vectors[index])), shape: [indices.length, 2] },
      label: { data: new Float32Array(indices.length), shape: [indices.length] },
    }),
  };
}

/** A model whose vectors are its inputs. */
const model = {
  parameters: [],
  forward: ({ ops, batch }) => ({ logits: ops.reshape(batch.vector, batch.vector.shape) }) as unknown as ModelOutputs,
} as Partial<Model> as Model;

testBackends("a teacher of vectors is looked at by the scores of pairs", async (backend) => {
  const ops = createOps(backend);
  const look = (examples: Examples) =>
    lookAtTeacher(ops, {
      teacher: { model, weights: weightsFrom(new Map()) },
      examples,
      split: "validation",
      input,
      batchSize: 7,
    });
  assert.equal(await look(inPairs(40, (angle) => -angle)), null);
  assert.match(
    (await look(inPairs(300, (angle) => angle)))!,
    /scores of 256 validation pairs by .* of -1\.00: look at/,
  );
  assert.equal(await look(inPairs(15, (angle) => angle)), null, "fewer tell nothing");
}, [cpu]);

Deno.test("vectors have no loss to go by, and their pairs' correlations first", () => {
  const watched = { validation: { ...inPairs(4, Number) }, taught: true };
  assert.equal(monitorOf(null, input, watched), "spearman");
  assert.equal(monitorOf("validation.agreement", input, watched), "agreement");
  assert.throws(() => monitorOf("validation.loss", input, watched), {
    message: "Cannot go by validation.loss in vectors of sentences: it has validation.spearman, validation.pearson, " +
      "validation.agreement",
  });
});

Deno.test("logits of a student of vectors refuse to be looked at, and a model with logits is refused", () => {
  const outputs = { logits: 1, pooled: 2, hidden: 3 } as unknown as ModelOutputs;
  const seen = givenOutputs(["pooled", "hidden"], outputs, "mine");
  assert.deepEqual([seen.pooled, seen.hidden], [2, 3]);
  assert.throws(() => seen.logits, { message: /the loss "mine" for vectors of sentences: it reads logits/ });
  assert.equal(givenOutputs(undefined, outputs, "mine"), outputs);
  const recipe = { within: (_: unknown, body: () => unknown) => body() } as never;
  const build = (gives?: Model["gives"]) => () =>
    buildModel(recipe, { definition: { build: () => ({ ...model, gives }) }, path: [], options: {} } as never, input);
  assert.throws(build(), { message: /Cannot make vectors of sentences with it/ });
  assert.throws(build(["logits", "pooled"]), { name: "UserError" });
  assert.doesNotThrow(build(["pooled"]));
});
