import { bounded, nameSchema, seedSchema } from "../../core/recipe/bounds.ts";
import { z } from "zod";

const scalar = z.union([
  bounded(z.number().min(-1e12).max(1e12), "no number of a recipe is larger"),
  z.string(),
  z.boolean(),
]);
const distinct = (values: readonly unknown[]) => new Set(values).size === values.length;

const tune = z.strictObject({
  key: z.string().min(1).describe("The recipe's value that is tuned, as in train.optimiser.learningRate"),
  values: z.array(scalar).min(2).refine(distinct, { error: "Expected values that differ from each other" })
    .describe("What is tried for each row; the best mean accuracy on the validation examples is taken"),
  seeds: z.array(seedSchema).min(1).refine(distinct, { error: "Expected seeds that differ from each other" })
    .nullable().default(null).describe("Seeds of the tuning runs; null: the first of the experiment's"),
  common: scalar.nullable().default(null).describe("One value for all rows, for a second table; null: none"),
});

const confirm = z.strictObject({
  seeds: z.array(seedSchema).min(2).refine(distinct, { error: "Expected seeds that differ from each other" })
    .describe("Seeds that are neither the experiment's nor those of tune"),
});

const row = z.union([
  z.string().min(1),
  z.looseObject({
    equalSeconds: z.string().min(1).nullable().default(null).describe(
      "Row whose measured training time this one is given, in whole epochs; null: the recipe's epochs",
    ),
  }),
]);

/** An experiment file: rows that each change a recipe, run with several seeds. */
export const experimentSchema = z.strictObject({
  name: nameSchema.nullable().default(null).describe("Name; null: the file's"),
  base: z.string().min(1).nullable().default(null).describe("Recipe that the rows change, relative to this file"),
  seeds: z.array(seedSchema).min(1).refine(distinct, { error: "Expected seeds that differ from each other" })
    .default([1, 2, 3]).describe("Seeds that each row is run with"),
  rows: z.record(z.string().min(1), row.nullable()).describe(
    "By name: what a row changes of the base, maps within maps; or the path of a recipe",
  ),
  baseline: z.string().min(1).nullable().default(null).describe("Row that others are held against; null: the first"),
  tune: tune.nullable().default(null).describe("A value that is chosen for each row on the validation examples"),
  budgets: z.array(z.string()).min(1).nullable().default(null).describe(
    "How long each row trains, as multiples of its recipe's epochs (1x, 4x) or as times (60s, 5m): for each a complete run " +
      "with schedules of its length, tuned anew; null: the recipe's epochs",
  ),
  confirm: confirm.nullable().default(null).describe(
    "Rows that differ from the baseline by more than noise are run again with fresh seeds, as they were tuned; null: not",
  ),
  resample: z.strictObject({
    fraction: z.number().positive().lt(1).describe("Part of the training examples that each seed draws anew"),
  }).nullable().default(null).describe("Another training subset for each seed; null: all examples for all"),
});

/** @internal */
type ExperimentOutput = z.output<typeof experimentSchema>;

/** An experiment file with its defaults filled in. */
export type ExperimentFile = ExperimentOutput;

/** A series: experiments that are run one after the other, each with tables and a folder of its own. */
export const seriesSchema = z.strictObject({
  experiments: z.array(z.string().min(1)).min(1).describe("Experiment files, relative to this file"),
});
