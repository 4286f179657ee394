import { join } from "node:path";
import { z } from "zod";
import { readOwnJson } from "../support/own_json.ts";
import { TUNING, type TuningRecord } from "../tune/tuning_record.ts";

const positions = z.record(z.string(), z.union([z.number(), z.string()]));
const score = z.number().nullable();
const metrics = z.record(z.string(), score);
const difference = z.looseObject({
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  withinNoise: z.boolean().nullable(),
});

/** An older version did not say whose runs failed. */
const failed = z.union([
  z.looseObject({ best: z.number(), against: z.number(), givenUp: z.number() }),
  z.number().transform((against) => ({ best: 0, against, givenUp: 0 })),
]);

const schema = z.looseObject({
  version: z.string(),
  name: z.string(),
  search: z.string(),
  seconds: z.looseObject({ budget: z.number(), used: z.number() }),
  metric: z.string(),
  resources: z.array(z.number()).min(1),
  trials: z.array(z.looseObject({ trial: z.number(), configuration: positions, scores: z.array(score).min(1) })),
  best: z.looseObject({ trial: z.number(), configuration: positions }),
  decided: z.array(z.looseObject({ trial: z.number(), score: z.number(), mean: score })).min(1),
  verdict: z.looseObject({
    seeds: z.array(z.number()),
    findings: z.array(z.looseObject({
      lever: z.string().nullable(),
      best: z.union([z.number(), z.string()]).nullable(),
      against: z.union([z.number(), z.string()]).nullable(),
      worth: difference.nullable(),
      pairs: z.number(),
      failed,
    })),
    failed: z.number().default(0),
  }),
  test: z.looseObject({ examples: z.number(), student: metrics, teacher: metrics.nullable() }),
  // An older version did not write them.
  said: z.array(z.string()).default([]),
  left: z.array(z.string()).default([]),
  validation: z.string().default("train"),
});

/** Reads the result in a tuning's folder. @throws UserError if it is damaged */
export async function readTuning(folder: string): Promise<TuningRecord> {
  const path = join(folder, TUNING);
  const again =
    `remove "${path}", and deno task tune with --resume writes it anew, but does not know any more what was ` +
    "tested before";
  return await readOwnJson(path, "the tuning", schema, again) as unknown as TuningRecord;
}
