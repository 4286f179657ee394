import { join } from "node:path";
import { parseChecked } from "../../../core/recipe/checked.ts";
import type { Override } from "../../../core/recipe/overrides.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { UserError } from "../../../core/errors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import type { Experiment, Row } from "../../../tasks/experiment/experiment.ts";
import type { Executor } from "../../../tasks/experiment/outcome.ts";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { trainingRunner } from "../../../tasks/experiment/runner.ts";
import { queueAddress } from "../../../tasks/queue/address.ts";
import type { Workplace } from "../../../tasks/queue/do_run.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { queueParts } from "../../../tasks/queue/load.ts";
import { QUEUE_NAME, queueOptions } from "../../../tasks/queue/job.ts";
import type { RedisServer } from "../../support/redis.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

export const { QueueExecutor, connect, work } = await queueParts();

/** The queue itself. */
export async function openQueue(server: RedisServer) {
  const [{ Queue }, { Redis }] = [await import("bullmq"), await import("ioredis")];
  const connection = new Redis(server.port, "127.0.0.1", { maxRetriesPerRequest: null });
  const queue = new Queue(QUEUE_NAME, queueOptions(connection));
  return Object.assign(queue, {
    async [Symbol.asyncDispose]() {
      await queue.close();
      connection.disconnect();
    },
  });
}

/** Short runs of the tiny recipe on the cpu. */
const SHORT = ["backend=cpu", "train.epochs=1", "student.overParameterise=[]"];

/** A row of tiny runs, its recipe in a folder. */
export function tinyRow(folder: string, name: string, overrides: readonly (string | Override)[] = []): Row {
  return {
    name,
    folder: name,
    equalSeconds: null,
    recipe: (changes) =>
      parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
        overrides: [...SHORT, ...overrides, ...changes],
      }),
    error: (sentence) => new UserError(sentence),
  };
}

/** Two rows, the learning rate of each tuned on one seed, then run with two. */
export function tinyExperiment(folder: string): Experiment {
  const path = ["train", "optimiser", "learningRate"];
  return {
    name: "tiny",
    rows: [tinyRow(folder, "narrow"), tinyRow(folder, "wide", ["student.width=6"])],
    seeds: [1, 2],
    baseline: "narrow",
    tune: {
      key: path.join("."),
      values: [0.05, 0.1],
      seeds: [1],
      common: null,
      change: (value) => ({ path, value, label: "values" }),
    },
    resample: null,
  };
}

/** Keeps what is told. */
export function listener() {
  const lines: string[] = [];
  const warnings: string[] = [];
  const reporter = {
    line: (text: string) => void lines.push(text),
    warning: (text: string) => void warnings.push(text),
    progress: () => {},
    end: () => {},
  };
  return { lines, warnings, reporter };
}

const none = () => Promise.resolve();

/** The grid as one process does it. */
export function locally(experiment: Experiment, output: string) {
  const { reporter } = listener();
  return runGrid(experiment, output, trainingRunner(builtins, reporter, new AbortController().signal));
}

/** A worker's place in a folder. */
export function workplace(folder: string, name: string, more: Partial<Workplace> = {}): Workplace {
  return {
    store: new FolderStore(join(folder, "store")),
    folder: join(folder, name),
    name,
    code: null,
    builtins,
    reporter: listener().reporter,
    keepEvery: 50,
    ...more,
  };
}

/** Opens an executor over a queue. */
export async function executor(
  server: Pick<RedisServer, "url">,
  folder: string,
  more: Partial<Parameters<typeof QueueExecutor.open>[0]> = {},
) {
  const { lines, warnings, reporter } = listener();
  const opened = await QueueExecutor.open({
    store: new FolderStore(join(folder, "store")),
    builtins,
    reporter,
    begin: none,
    address: queueAddress(server.url),
    password: null,
    signal: new AbortController().signal,
    workerFlags: `--queue ${server.url} --store ${join(folder, "store")}`,
    lookEvery: 200,
    ...more,
  });
  return { executor: opened as Executor & typeof opened, lines, warnings };
}

/** A worker that ends when the queue is empty, or after so many runs. Gives the number of runs that it did. */
export async function worker(
  server: Pick<RedisServer, "url">,
  place: Workplace,
  { untilEmpty = true, signal = new AbortController().signal, lease = 2000 } = {},
): Promise<number> {
  return await work(place, { address: queueAddress(server.url), password: null, lease, untilEmpty }, signal);
}
