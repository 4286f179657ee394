import assert from "node:assert/strict";
import { lateLosses } from "../../../../core/distill/losses/late_losses.ts";
import { unequalMeans } from "../../../../core/distill/losses/shared_means.ts";
import type { Task } from "../../../../core/plugin/dataset.ts";
import type { Recipe } from "../../../../core/recipe/schema.ts";

Deno.test("a loss that begins after the last step is told", () => {
  const all = [{ name: "kd", loss: {} }, { name: "kernel-transfer", loss: { begins: 5 } }];
  const said = (totalSteps: number) =>
    lateLosses({ all } as unknown as Parameters<typeof lateLosses>[0], { step: 0, totalSteps, stepsPerEpoch: 10 });
  assert.equal(said(51), null);
  assert.equal(
    said(50),
    'the loss "kernel-transfer" begins after 5 epochs, and the training has 5: nothing is learned by it; train longer, ' +
      "or let it begin earlier",
  );
  assert.match(said(25)!, /the training has 2\.5: /);
});

Deno.test("where means of accumulated batches are over a part of each, that is told", () => {
  const said = (
    accumulate: number,
    labelled: number[],
    { loss = {}, labels = "some", task = "classification" } = {},
  ) => {
    const recipe = { losses: [loss], train: { accumulate } } as unknown as Recipe;
    const set = { all: [{ loss: { labels } }] } as unknown as Parameters<typeof unequalMeans>[1];
    const { length } = labelled;
    const examples = { length, labels: null, labelled: Uint8Array.from(labelled), batch: () => ({}) };
    return unequalMeans(recipe, set, examples, task as Task);
  };
  assert.equal(said(4, [1, 1]), null);
  assert.equal(said(1, [1, 0]), null);
  assert.equal(said(4, [1, 0], { labels: "" }), null, "no loss learns from labels");
  assert.match(said(4, [1, 0])!, /^train\.accumulate adds up 4 batches, .* over the examples with a label of each: /);
  assert.match(said(4, [1, 1], { loss: { classWeights: "balanced" } })!, /by the weights of their classes of each/);
  assert.match(said(4, [1, 1], { task: "tagging" })!, /over the words with a tag of each/);
});
