import { type Command } from "commander";
import { quoted } from "./quoted.ts";

/** The flags that say where a queue and its store are. */
export interface QueueFlags {
  readonly queue?: string;
  readonly queuePasswordFile?: string;
  readonly store?: string;
}

/** Flags of a verb whose runs others may do: the workers of a queue, or a cluster's scheduler. */
export interface SentFlags extends QueueFlags {
  readonly jobs?: string;
  readonly collect?: string;
}

/** Where runs' files are kept unless `--store` says otherwise: beside all other runs. */
export const STORE = "runs/store";

/** Adds the flags that say where a queue and its store are. */
export function addQueueFlags(command: Command, queue: string): Command {
  return command
    .option("--queue <address>", queue)
    .option("--queue-password-file <file>", "the queue's password (or the variable OPDF_QUEUE_PASSWORD)")
    .option("--store <place>", `folder that all machines have, or s3://bucket/prefix (default: ${STORE})`);
}

/** The flags of a worker for a queue, as a shell takes them. @param flags those of the verb that sends runs to it */
export function workerFlags({ queue, queuePasswordFile, store = STORE }: QueueFlags): string {
  const words = [
    ...queue === undefined ? [] : ["--queue", queue],
    ...queuePasswordFile === undefined ? [] : ["--queue-password-file", queuePasswordFile],
    ...store === STORE ? [] : ["--store", store],
  ];
  return words.map(quoted).join(" ");
}

/** Adds the flags by which others do the runs of a verb. */
export function addSentFlags(command: Command): Command {
  return addQueueFlags(command, "have the workers of a queue do the runs: redis://host:port/database")
    .option("--jobs <folder>", "write the runs that are not done as jobs for Slurm or Kubernetes")
    .option("--collect <folder>", "make the tables of what such jobs came to");
}
