import { z } from "zod";
import { chooseByValidation, type Trial } from "../experiment/choose.ts";
import { scoreOf } from "../experiment/outcome.ts";
import { sha256 } from "../../core/sha256.ts";
import { keptOutcome } from "./kept_files.ts";
import { notIn, parsed } from "./spec.ts";
import { readBlob, type Store } from "./store.ts";

const run = z.strictObject({ id: z.string(), title: z.string() });

const choiceSchema = z.strictObject({
  version: z.string(),
  values: z.array(z.strictObject({
    value: z.union([z.number(), z.string(), z.boolean()]),
    /** Ids of the runs that it is tried by. */
    trials: z.array(z.string()),
    /** What is done if it is chosen. */
    runs: z.array(run),
  })),
});

/** A choice by validation, as the store has it. */
export type KeptChoice = z.output<typeof choiceSchema>;

const keyOf = (id: string) => `choices/${id}.json`;

/** Keeps a choice that is to be made. Gives its id, which is of what it says. */
export async function keepChoice(store: Store, choice: KeptChoice): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(choice));
  const id = `choice-${(await sha256(bytes)).slice(0, 40)}`;
  if (!await store.has(keyOf(id))) await store.write(keyOf(id), bytes);
  return id;
}

/**
 * Makes a choice, as the grid itself makes it.
 *
 * @returns the runs that follow; none if no value trains
 * @throws Refused if the store does not have the choice: another worker's may
 */
export async function makeChoice(store: Store, id: string): Promise<KeptChoice["values"][number]["runs"]> {
  const bytes = await store.read(keyOf(id));
  if (bytes === null) throw notIn(store, "choice");
  const { values } = parsed(store, keyOf(id), bytes, choiceSchema);
  const trials: Trial[] = [];
  for (const { value, trials: ids } of values) {
    const scores: number[] = [];
    for (const run of ids) scores.push(...await scoreIn(store, run));
    trials.push({ value, validation: scores, failed: ids.length - scores.length });
  }
  const chosen = chooseByValidation(trials);
  return values.find(({ value }) => value === chosen)?.runs ?? [];
}

const metrics = z.looseObject({
  student: z.looseObject({ validationMetrics: z.record(z.string(), z.number().nullable()).nullable() }),
});

/** The score of a run on the validation examples; none if it failed, or was given up. */
async function scoreIn(store: Store, id: string): Promise<number[]> {
  const hash = (await keptOutcome(store, id))?.files["metrics.json"];
  if (hash === undefined) return [];
  const read = parsed(store, hash, await readBlob(store, hash, "the summary"), metrics);
  return [scoreOf(read.student.validationMetrics as Readonly<Record<string, number>> | null)];
}
