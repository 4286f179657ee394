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

/** The file of a trial's folder that says what it came to. */
const RECORD = "trial.json";

const recordSchema = z.looseObject({
  configuration: z.record(z.string(), z.union([z.string(), z.number()])),
  seed: z.int(),
  /** The part of its length over which it was trained. */
  resource: z.number(),
  /** Of the metric, larger for the better; `null`: it has not come to its end. */
  score: z.number().nullable(),
  metric: z.string().nullable(),
  /** Why training failed. */
  lost: z.string().nullable(),
  /** All that it took so far. */
  seconds: z.number(),
});

/** What a trial came to. */
export type TrialRecord = z.output<typeof recordSchema>;

/** Gives the recipe of a configuration, with a seed and in a run folder, over a part of its length or all. */
export type RecipeOf = (
  configuration: Configuration,
  seed: number,
  output: string,
  resource?: number,
) => Checked<Recipe>;

/** What is tried: a configuration, with a seed, over a part of its length. */
export interface Tried {
  readonly configuration: Configuration;
  readonly seed: number;
  readonly resource: number;
}

/** The folder of a trial, named by what it computes, and its recipe. */
export async function placeOf(
  folder: string,
  recipe: RecipeOf,
  { configuration, seed, resource }: Tried,
): Promise<{ folder: string; recipe: Checked<Recipe> }> {
  const { value } = recipe(configuration, seed, folder, resource);
  const content = new TextEncoder().encode(JSON.stringify([value.backend, comparable(value)]));
  const own = join(folder, (await sha256(content)).slice(0, 12));
  return { folder: own, recipe: recipe(configuration, seed, own, resource) };
}

/** Reads what the trial of a folder came to; `null` if there is none. @throws UserError if that is damaged */
export async function readTrial(folder: string): Promise<TrialRecord | null> {
  const remedy = `remove "${folder}", and it is done anew`;
  return await readOwnJson(join(folder, RECORD), "the record of a trial", recordSchema, remedy);
}

/** Writes down what a trial came to. */
export async function writeTrial(folder: string, record: TrialRecord): Promise<void> {
  await makeFolder(folder, "the folder of a trial");
  await writeFileAtomically(join(folder, RECORD), await sealJson(record));
}

/** The record of a trial that nobody has begun. */
export function noTrial({ configuration, seed, resource }: Tried): TrialRecord {
  return { configuration, seed, resource, score: null, metric: null, lost: null, seconds: 0 };
}
