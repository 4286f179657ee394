import type { JobsOptions, Queue, QueueOptions } from "bullmq";
import type { SentMistake } from "./recipe_mistake.ts";
import type { Trial } from "./trials.ts";

/** The queue's name, and what its keys in Redis begin with. */
export const QUEUE_NAME = "runs";
export const PREFIX = "opdf";

/** Times that a run is tried, or that the worker which has it may die, before it is given up. */
export const TRIES = 3;

/** What Redis has of a run; the store has the rest. */
export interface JobData {
  /** The version of the program that it is for. */
  readonly version: string;
  /** For people. */
  readonly title: string;
  /** Which run is to be tried, for a tuning; left out: it is a run with its test, by its own id. */
  readonly trial?: Trial;
  /** Of a run that was given up as no worker can do it: what is wrong with its recipe. */
  readonly mistakes?: readonly SentMistake[];
}

/** What a worker tells of a run while it has it. */
export type News =
  /** How far training came. */
  | { readonly kind: "step"; readonly step: number; readonly totalSteps: number; readonly by: string }
  /** That a try failed, and another one follows. */
  | { readonly kind: "failed"; readonly message: string; readonly by: string }
  /** That the run is nothing for this worker. */
  | { readonly kind: "refused"; readonly message: string; readonly by: string };

/** How a run is put into the queue; its id is that in the store. A finished one leaves, as the store has it. */
export function jobOptions(id: string): JobsOptions {
  return { jobId: id, attempts: TRIES, removeOnComplete: true, removeOnFail: false, stackTraceLimit: 0 };
}

/** The options that all who use the queue share. */
export function queueOptions(connection: QueueOptions["connection"]): Pick<QueueOptions, "connection" | "prefix"> {
  return { connection, prefix: PREFIX };
}

/** The queue of runs. */
export type RunQueue = Queue<JobData>;
