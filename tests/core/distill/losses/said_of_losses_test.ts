import assert from "node:assert/strict";
import { lateLosses } from "../../../../core/distill/losses/late_losses.ts";
import { unequalMeans } from "../../../../core/distill/losses/shared_means.ts";
import { lateSchedules } from "../../../../core/distill/training/late_schedules.ts";
import type { InputDescription } from "../../../../core/plugin/dataset.ts";
import type { Loss } from "../../../../core/plugin/loss.ts";
import type { Scheduled } from "../../../../core/recipe/scheduled.ts";
import type { Recipe } from "../../../../core/recipe/schema.ts";

Deno.test("a loss that begins after the last step is told", () => {
  const all = [{ name: "kd", weight: 1, loss: {} }, { name: "kernel-transfer", weight: 1, loss: { begins: 5 } }];
  const said = (totalSteps: number) =>
    lateLosses({ all } as unknown as Parameters<typeof lateLosses>[0], { step: 0, totalSteps, stepsPerEpoch: 10 });
  assert.deepEqual(said(51), []);
  assert.deepEqual(said(50), [
    'the loss "kernel-transfer" begins after 5 epochs, and the training has 5: nothing is learned by it; train longer, ' +
    "or let it begin earlier",
  ]);
  assert.match(said(25)[0], /the training has 2\.5: /);
});

/** A change from 0 to 1, over the whole training unless more is said. */
const rising = (more: Partial<Exclude<Scheduled, number>> = {}) =>
  ({ from: 0, to: 1, schedule: "linear", epochs: null, steps: null, ...more }) as const;

Deno.test("a loss whose weight is still 0 at the last step is told", () => {
  const said = (weight: Scheduled) => {
    const set = { all: [{ name: "kd", weight, loss: {} }] } as unknown as Parameters<typeof lateLosses>[0];
    return lateLosses(set, { step: 0, totalSteps: 20, stepsPerEpoch: 10 });
  };
  assert.deepEqual(said(rising({ schedule: "step", epochs: 2 })), [
    'the weight of the loss "kd" is 0 up to the last of 20 steps: nothing is learned by it; train longer, or let its ' +
    "weight rise earlier",
  ]);
  assert.equal(said(rising({ schedule: "step" })).length, 1);
  assert.deepEqual(said(rising({ schedule: "step", steps: 19 })), []);
  assert.deepEqual(said(rising({ epochs: 9 })), [], "a line is above 0 from its second step on");
  for (const meant of [0, 1, rising({ to: 0 }), rising({ from: 1, to: 0 })]) assert.deepEqual(said(meant), []);
});

Deno.test("a warm-up without an end, and a replacing rate that is not reached, are told", () => {
  const said = (schedule: object, replacingRate: Scheduled | null = null) =>
    lateSchedules(
      {
        schedule: { use: "cosine", final: 0, warmupSteps: 0, warmupEpochs: 0, ...schedule },
        theseus: replacingRate === null ? null : { replacingRate },
      },
      { step: 0, totalSteps: 20, stepsPerEpoch: 10 },
    );
  assert.deepEqual(said({}), []);
  assert.deepEqual(said({ warmupSteps: 19 }), []);
  assert.deepEqual(said({ warmupEpochs: 2 }), [
    "train.schedule warms up over 20 steps, and the training has 20: the learning rate rises to the end; train longer, " +
    "or warm up for a shorter time",
  ]);
  for (const over of [rising(), rising({ epochs: 2 }), rising({ schedule: "step", steps: 19 }), 0.5]) {
    assert.deepEqual(said({}, over), []);
  }
  assert.deepEqual(said({}, rising({ from: 0.5, epochs: 4 })), [
    "train.theseus.replacingRate comes to 0.75 in the training's 20 steps, not to 1: the student's layers never compute " +
    "as it says; train longer, or let it rise faster",
  ]);
  assert.match(said({}, rising({ schedule: "step" }))[0], / comes to 0 in /);
});

Deno.test("where means of accumulated batches are others than they are counted by, that is told", () => {
  const said = (
    accumulate: number,
    labelled: number[],
    loss: Partial<Loss>,
    { task = "classification", own = {} } = {},
  ) => {
    const recipe = { losses: [{}, own], train: { accumulate } } as unknown as Recipe;
    const all = [{ name: "kd", loss: {} }, { name: "own", loss }];
    const examples = { length: labelled.length, labels: null, labelled: Uint8Array.from(labelled), batch: () => ({}) };
    const input = { task, text: task === "classification" ? null : {} } as unknown as InputDescription;
    const text = unequalMeans(recipe, { all } as unknown as Parameters<typeof unequalMeans>[1], examples, input);
    const shown = text?.match(/^train\.accumulate adds up 4 batches, and the loss "own" (.*): its step is not quite /);
    return shown ? shown[1] : text;
  };
  const labels = "some";
  assert.equal(said(4, [1, 1], { labels }), null);
  assert.equal(said(1, [1, 0], { labels }), null);
  assert.equal(said(4, [1, 0], {}), null, "no loss learns from labels");
  assert.equal(said(4, [1, 0], { labels }), "is a mean over the examples with a label of each");
  assert.equal(said(4, [1, 0], { labels, unlabelled: true }), null);
  const own = { classWeights: "balanced" };
  assert.equal(said(4, [1, 1], { labels }, { own }), "is a mean by the weights of the classes in each");
  assert.equal(said(4, [1, 1], { meanOver: "batch" }), "holds the examples of each against each other");
  assert.equal(said(4, [1, 1], { meanOver: "tokens" }), null, "images have as many places each");
  const task = "tagging";
  assert.equal(said(4, [1, 1], { labels }, { task }), null, "batches are counted by their words with a label");
  assert.equal(said(4, [1, 1], { meanOver: "tokens" }, { task }), "is a mean over the tokens of each");
  assert.equal(said(4, [1, 1], { meanOver: "tokens" }, { task: "regression" }), "is a mean over the tokens of each");
  assert.equal(said(4, [1, 1], { meanOver: "examples" }, { task }), "is a mean over the texts of each");
  assert.equal(said(4, [1, 1], { meanOver: "examples" }, { task: "regression" }), null);
});
