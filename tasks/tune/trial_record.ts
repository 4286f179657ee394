import { join } from "node:path";
import { z } from "zod";
import { makeFolder, writeFileAtomically } from "../../core/files.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { comparable } from "../../core/distill/training/checkpoint.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { sha256 } from "../../core/sha256.ts";
import { readOwnJson } from "../support/own_json.ts";
import type { Configuration } from "./space.ts";

/** The file of a trial's folder that says how far it came. */
const RECORD = "trial.json";

const recordSchema = z.looseObject({
  configuration: z.record(z.string(), z.union([z.string(), z.number()])),
  seed: z.int(),
  /** What the scores are; `null` before the first. */
  metric: z.string().nullable(),
  /** Evaluations; a score is larger for the better, `seconds` all that it took up to there. */
  reached: z.array(z.looseObject({ epochs: z.int(), score: z.number(), seconds: z.number(), ended: z.boolean() })),
  /** Why training failed. */
  lost: z.string().nullable(),
  /** All that it took so far. */
  seconds: z.number(),
});

/** How far a trial came. */
export type TrialRecord = z.output<typeof recordSchema>;

/** Gives the recipe of a configuration, with a seed and in a run folder. */
export type RecipeOf = (configuration: Configuration, seed: number, output: string) => Checked<Recipe>;

/** The folder of a trial, named by what it computes, and its recipe. */
export async function placeOf(
  folder: string,
  recipe: RecipeOf,
  configuration: Configuration,
  seed: number,
): Promise<{ folder: string; recipe: Checked<Recipe> }> {
  const { value } = recipe(configuration, seed, folder);
  const content = new TextEncoder().encode(JSON.stringify([value.backend, comparable(value)]));
  const own = join(folder, (await sha256(content)).slice(0, 12));
  return { folder: own, recipe: recipe(configuration, seed, own) };
}

/** Reads how far the trial of a folder came; `null` if there is none. @throws UserError if that is damaged */
export async function readTrial(folder: string): Promise<TrialRecord | null> {
  const remedy = `remove "${folder}", and it is done anew`;
  return await readOwnJson(join(folder, RECORD), "the record of a trial", recordSchema, remedy);
}

/** Writes down how far a trial came. */
export async function writeTrial(folder: string, record: TrialRecord): Promise<void> {
  await makeFolder(folder, "the folder of a trial");
  await writeFileAtomically(join(folder, RECORD), await sealJson(record));
}

/** The record of a trial that nobody has begun. */
export function noTrial(configuration: Configuration, seed: number): TrialRecord {
  return { configuration, seed, metric: null, reached: [], lost: null, seconds: 0 };
}
