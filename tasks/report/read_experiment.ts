import { join } from "node:path";
import { z } from "zod";
import { readOwnJson } from "../support/own_json.ts";
import type { FrontPoint } from "../experiment/front.ts";
import type { RowStatistics } from "../experiment/row_statistics.ts";
import type { RowResult } from "../experiment/run_grid.ts";
import type { Scalar } from "../experiment/experiment.ts";
import { RESULTS } from "../experiment/write_results.ts";

/** What `results.json` says of a comparison or a sweep; a number that was not finite is `null`. */
export interface ExperimentResults {
  readonly experiment: string;
  readonly version: string;
  readonly seeds: readonly number[];
  readonly baseline: string;
  readonly tuning: { readonly key: string; readonly values: readonly Scalar[] } | null;
  readonly notes: readonly string[];
  readonly lines: readonly RowStatistics[];
  readonly results: readonly RowResult[];
  /** From the shortest; `lines` and `results` are those of the longest. Missing without budgets. */
  readonly budgets?: readonly {
    readonly budget: string;
    readonly lines: readonly RowStatistics[];
    readonly results: readonly RowResult[];
  }[];
  /** Each row at each budget. */
  readonly front?: readonly FrontPoint[];
}

const moments = z.looseObject({ count: z.number(), mean: z.number(), deviation: z.number().nullable() });

/** Results of an older version say no median. */
const seconds = moments.transform((own) => ({ median: own.mean, ...own }));

const results = z.array(z.looseObject({ name: z.string(), runs: z.array(z.looseObject({})) }));

const schema = z.looseObject({
  experiment: z.string(),
  version: z.string(),
  seeds: z.array(z.number()),
  baseline: z.string(),
  tuning: z.looseObject({ key: z.string(), values: z.array(z.unknown()) }).nullable(),
  notes: z.array(z.string()).default([]),
  lines: z.array(z.looseObject({ name: z.string(), metric: z.string() })),
  results,
  budgets: z.array(z.looseObject({ budget: z.string(), lines: z.array(z.looseObject({ name: z.string() })), results }))
    .optional(),
  front: z.array(z.looseObject({
    row: z.string(),
    budget: z.string(),
    metric: z.string(),
    standing: z.enum(["front", "equal", "tied", "near", "behind"]),
    seconds,
    test: moments,
  })).optional(),
});

/** Reads the results in an experiment's folder. @throws UserError if they are damaged */
export async function readExperiment(folder: string): Promise<ExperimentResults> {
  const path = join(folder, RESULTS);
  const results = await readOwnJson(path, "the results", schema, "run the same command again, which writes them anew");
  return results as unknown as ExperimentResults;
}
