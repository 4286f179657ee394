import { z } from "zod";
import { parsed } from "./spec.ts";
import type { Store } from "./store.ts";

/** A part of a run that is to be trained: up to the end of an epoch, from where the store has it. */
export interface Part {
  /** The run's id. */
  readonly run: string;
  readonly epochs: number;
  /** Whether its recipe is the one that is tuned: then a mistake in it is no fault of a trial. */
  readonly own: boolean;
}

const schema = z.strictObject({
  /** The machine and process that trained it. */
  by: z.string(),
  /** The monitored metric, larger for the better, and whether training is over; `null`: it failed. */
  trained: z.strictObject({ score: z.number(), metric: z.string(), ended: z.boolean() }).nullable(),
  /** Why it failed. */
  lost: z.string().nullable(),
});

/** What a part came to. */
export type PartOutcome = z.output<typeof schema>;

const keyOf = ({ run, epochs }: Part) => `runs/${run}/parts/${epochs}.json`;

/** The id by which the queue has a part. */
export const partId = ({ run, epochs }: Part): string => `${run}-${epochs}`;

/** What a part came to; `null` if nobody has trained it. */
export async function keptPart(store: Store, part: Part): Promise<PartOutcome | null> {
  const bytes = await store.read(keyOf(part));
  return bytes && parsed(store, keyOf(part), bytes, schema);
}

/** Keeps what a part came to. */
export async function keepPart(store: Store, part: Part, outcome: PartOutcome): Promise<void> {
  await store.write(keyOf(part), new TextEncoder().encode(JSON.stringify(outcome)));
}
