import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../../core/deno/install.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Run } from "../../../../core/distill/run.ts";
import type { Augmentation, Examples } from "../../../../core/plugin/dataset.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { builtins } from "../../../../plugins/builtins.ts";
import { idx } from "../../../../plugins/datasets/idx.ts";
import { tinyRecipe, withTinyData } from "../../../support/tiny_run.ts";

Deno.test("an image that comes several times in an epoch to balance classes is changed anew each time", () =>
  withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    /** The times that changes are drawn for in the steps of an epoch. */
    const timesOf = async (train: string) => {
      const times: number[] = [];
      const noted = (examples: Examples): Examples => ({
        ...examples,
        batch(indices: Uint32Array, augmentation?: Augmentation) {
          if (augmentation?.flip) times.push(augmentation.epoch);
          return examples.batch(indices, augmentation);
        },
      });
      const load: typeof idx.load = async (options, setup) => {
        const dataset = await idx.load(options, setup);
        return { ...dataset, splits: { ...dataset.splits, train: noted(dataset.splits.train) } };
      };
      const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
        overrides: [`output=${join(folder, "run")}`, `train={ ${train} }`, "augment={ flip: true }"],
      });
      using run = await Run.open(recipe, { backend, builtins: { ...builtins, dataset: [{ ...idx, load }] } });
      times.length = 0;
      for (let step = 0; step < 3; step++) await run.step();
      return times;
    };
    assert.deepEqual(await timesOf("epochs: 2, batchSize: 16"), [0, 0, 0]);
    assert.deepEqual(await timesOf("epochs: 2, batchSize: 16, sampler: balanced"), [0, 1, 2]);
    assert.deepEqual(await timesOf("epochs: 2, sampler: balanced, batchSize: 8, accumulate: 2"), [0, 1, 2, 3, 4, 5]);
    await backend.close();
  }));
