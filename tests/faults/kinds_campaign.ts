import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import { Interrupted } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import { stopAt } from "../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";
import type { Campaign } from "./campaign.ts";

/** An entry of `student.overParameterise`, of those that may be and some that may not. */
function drawnEntry(random: Random, layers: string): Record<string, unknown> {
  const one = <Value>(...values: readonly Value[]) => values[random.below(values.length)];
  const count = 1 + random.below(5);
  return one<Record<string, unknown>>(
    { layers, cores: count },
    { layers, increaseRate: 1 + count / 2 },
    { layers, use: "sum", kernels: count },
    { layers, use: "do-conv" },
    { layers, use: "majority", kernels: count },
  );
}

/** Runs of every kind of over-parameterisation: each merges, and what is stopped and resumed ends the same. */
export const kinds: Campaign = {
  name: "kinds",
  quick: 0,
  async trial(seed) {
    const random = new Random(seed).split("kinds");
    const one = <Value>(...values: readonly Value[]) => values[random.below(values.length)];
    const entries = ["conv1*", "layer1*conv*", "layer2*", "layer3*conv*", "fc*"].filter(() => random.below(4) > 0)
      .map((layers) => drawnEntry(random, layers));
    const overrides = [
      `student.overParameterise=${JSON.stringify(entries)}`,
      `train.optimiser={ use: ${one("sgd", "adamw")}, learningRate: 0.02, weightDecay: 0.01 }`,
      `train.cores={ learningRateScale: ${one(0.5, 1, 3)}, weightDecayTarget: ${one("cores", "merged", "none")} }`,
      `train.restoreBest=${one(true, false)}`,
      `train.accumulate=${one(1, 2)}`,
      `student.width=${one(3, 4, 5)}`,
      `student.prune=${
        one("null", '{ method: movement, amount: 0.3, layers: "layer*" }', "{ structure: channels, amount: 0.3 }")
      }`,
      "train.epochs=2",
      `seed=${random.below(1000)}`,
    ];
    let ending: "fine" | "refused" = "fine";
    await withTinyData(async (folder) => {
      try {
        const whole = await tinyRun(folder, { overrides, output: "whole" });
        const signal = stopAt(random.below(5));
        await assert.rejects(tinyRun(folder, { overrides, output: "parts", signal }), Interrupted);
        const unplayed = [...overrides, "train.replay=false"];
        const parts = await tinyRun(folder, { overrides: unplayed, output: "parts", resume: true });
        assert.equal(parts.studentSha256, whole.studentSha256, "stopped and resumed");
        // A student of the same seed starts at the same function, whatever its weights are held as.
        const still = "train={ epochs: 1, maxSteps: 1, batchSize: 16, optimiser: { use: sgd, learningRate: 1.0e-12 } }";
        const text = tinyRecipe.replace(/\ntrain: .*\n/, "\ntrain: { epochs: 1 }\n");
        const losses = await Promise.all(["held", "plain"].map(async (output) => {
          const plain = output === "plain" ? ["student.overParameterise=[]"] : [];
          return (await tinyRun(folder, { text, overrides: [...overrides, still, ...plain], output })).student.loss!;
        }));
        assert.ok(Math.abs(losses[0] - losses[1]) < 1e-4 * losses[1], `starts at ${losses[0]} for ${losses[1]}`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        ending = "refused";
      }
    });
    return ending;
  },
};
