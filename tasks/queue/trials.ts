import { z } from "zod";
import { parsed } from "./spec.ts";
import type { Store } from "./store.ts";

/** A run that is to be trained to its end and validated, and not measured on the test examples. */
export interface Trial {
  /** The run's id. */
  readonly run: string;
  /** Whether its recipe is the one that is tuned: then a mistake in it is no fault of a trial. */
  readonly own: boolean;
}

const schema = z.strictObject({
  /** The machine and process that trained it. */
  by: z.string(),
  /** The monitored metric, larger for the better; `null`: it failed. */
  trained: z.strictObject({ score: z.number(), metric: z.string() }).nullable(),
  /** Why it failed. */
  lost: z.string().nullable(),
});

/** What a trial came to. */
export type TrialOutcome = z.output<typeof schema>;

const keyOf = ({ run }: Trial) => `runs/${run}/trial.json`;

/** The id by which the queue has a trial, which is not that of its run: who asks for that wants the test, too. */
export const trialId = ({ run }: Trial): string => `${run}-trial`;

/** What a trial came to; `null` if nobody has trained it. */
export async function keptTrial(store: Store, trial: Trial): Promise<TrialOutcome | null> {
  const bytes = await store.read(keyOf(trial));
  return bytes && parsed(store, keyOf(trial), bytes, schema);
}

/** Keeps what a trial came to. */
export async function keepTrial(store: Store, trial: Trial, outcome: TrialOutcome): Promise<void> {
  await store.write(keyOf(trial), new TextEncoder().encode(JSON.stringify(outcome)));
}
