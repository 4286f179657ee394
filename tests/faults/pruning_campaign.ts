import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { Interrupted } from "../../core/distill/stops.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { UserError } from "../../core/errors.ts";
import { readSafetensors, toFloat32 } from "../../core/safetensors.ts";
import { stopAt, studentBytes } from "../support/run_observers.ts";
import { tinyRun, withTinyData } from "../support/tiny_run.ts";
import type { Campaign } from "./campaign.ts";

/** A recipe's `student.prune`, any of those that make sense and some that do not. */
function drawn(random: Random): { readonly prune: Record<string, unknown>; readonly overrides: string[] } {
  const one = <Value>(...values: readonly Value[]) => values[random.below(values.length)];
  const structure = one("unstructured", "unstructured", "channels", "2:4", "1:4", "1:2");
  const isGrouped = structure.includes(":");
  const size = isGrouped ? {} : one<Record<string, number>>(
    { amount: Math.round(100 * random.uniform()) / 100 },
    { parameters: 400 + random.below(4700) },
  );
  const prune = {
    structure,
    ...size,
    method: structure === "channels" ? one("magnitude", "random") : one("magnitude", "random", "movement"),
    ...isGrouped
      ? { layers: one<unknown>("layer*conv*", ["*", "!conv1*"]) }
      : { layers: one("*", "layer*"), scope: one("global", "layer") },
    ...structure !== "channels" && { schedule: one("cubic", "once"), over: one(0.2, 0.5, 1) },
  };
  const overrides = [
    `student.overParameterise=${one("[]", '[{ layers: "layer*.conv*.weight", cores: 2 }]')}`,
    `train.optimiser={ use: ${one("sgd", "adamw")}, learningRate: 0.01, weightDecay: 0.05 }`,
    `train.restoreBest=${one(true, false)}`,
    `train.accumulate=${one(1, 2)}`,
    `student.shortcut=${one("projection", "padded")}`,
    "train.epochs=2",
    `seed=${random.below(1000)}`,
  ];
  return { prune, overrides };
}

/** Pruned runs: the counts are right, and what is stopped and resumed, or not replayed, ends the same, bit for bit. */
export const pruning: Campaign = {
  name: "pruning",
  quick: 0,
  async trial(seed) {
    const random = new Random(seed);
    const { prune, overrides } = drawn(random);
    const all = [...overrides, `student.prune=${JSON.stringify(prune)}`];
    let ending: "fine" | "refused" = "fine";
    await withTinyData(async (folder) => {
      let summary: RunSummary;
      try {
        summary = await tinyRun(folder, { overrides: all, output: "whole" });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        ending = "refused";
        return;
      }
      await checkCounts(folder, prune, summary);
      const whole = await studentBytes(folder, "whole");
      await assert.rejects(
        tinyRun(folder, { overrides: all, output: "parts", signal: stopAt(random.below(5)) }),
        Interrupted,
      );
      await tinyRun(folder, { overrides: [...all, "train.replay=false"], output: "parts", resume: true });
      assert.deepEqual(await studentBytes(folder, "parts"), whole, "stopped and resumed");
    });
    return ending;
  },
};

async function checkCounts(
  folder: string,
  { structure, amount, parameters }: Record<string, unknown>,
  { student: { parametersInference }, pruning }: RunSummary,
): Promise<void> {
  const { nonZeros, weights } = pruning!;
  if (parameters !== undefined) {
    if (structure === "channels") assert.ok(nonZeros <= Number(parameters), `${nonZeros} of ${parameters}`);
    else assert.equal(nonZeros, parameters);
  }
  const { tensors } = await readSafetensors(join(folder, "whole", "student", "model.safetensors"));
  let [numbers, zeros] = [0, 0];
  for (const name of Object.keys(weights)) {
    const values = toFloat32(tensors.get(name)!);
    numbers += values.length;
    zeros += values.reduce((count, value) => count + +Object.is(value, 0), 0);
  }
  assert.equal(parametersInference - zeros, nonZeros);
  if (structure === "unstructured" && amount !== undefined) assert.equal(zeros, Math.round(Number(amount) * numbers));
  const [kept, of] = String(structure).split(":").map(Number);
  if (of) assert.equal(zeros, numbers - numbers / of * kept);
}
