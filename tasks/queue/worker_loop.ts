import { DelayedError, type Job, Queue, UnrecoverableError, WaitingError, Worker } from "bullmq";
import { UserError } from "../../core/errors.ts";
import { FolderHeld } from "../../core/lock.ts";
import type { ProgressLine } from "../../core/distill/progress.ts";
import type { QueueAddress } from "./address.ts";
import { makeChoice } from "./choices.ts";
import { closed, connect, refusalBy } from "./connection.ts";
import { doTrial } from "./do_trial.ts";
import { doRun, expectVersion, isStop, type Workplace } from "./do_run.ts";
import { type JobData, jobOptions, type News, QUEUE_NAME, queueOptions, type RunQueue, TRIES } from "./job.ts";
import { RecipeMistake } from "./recipe_mistake.ts";
import { Refused } from "./refused.ts";

/** Milliseconds between two times that the queue is told how far a run is. */
const NEWS_EVERY = 5000;

/** Milliseconds between two looks whether the queue is empty. */
const EMPTY_EVERY = 500;

/** Milliseconds that it may take to give a run back and to leave the queue. */
const MOST_CLOSING = 2000;

/** How a worker takes runs. */
export interface WorkerOptions {
  readonly address: QueueAddress;
  readonly password: string | null;
  /** Milliseconds that a run's worker may be silent before the run is another's. */
  readonly lease: number;
  /** Whether to end when there is nothing to do, rather than to wait for more. */
  readonly untilEmpty: boolean;
}

/**
 * Takes runs from a queue and does them, until the signal fires; the run under way goes back to the queue then, with
 * its checkpoint in the store.
 *
 * @returns how many runs were done
 * @throws UserError if there is no queue, or what it holds is not for this worker: the run is back in the queue then
 */
export async function work(
  place: Workplace,
  { address, password, lease, untilEmpty }: WorkerOptions,
  signal: AbortSignal,
): Promise<number> {
  const { reporter } = place;
  const { redis, end } = await connect(address, password, reporter.warning);
  const over = Promise.withResolvers<void>();
  let done = 0;
  let underWay: Promise<unknown> = Promise.resolve();
  const queue: RunQueue = new Queue<JobData>(QUEUE_NAME, queueOptions(redis));
  const worker = new Worker<JobData>(QUEUE_NAME, async (job, token) => {
    try {
      expectVersion(job.data.version);
      if (job.name === "choose") return await choose(place, queue, job);
      const own = { ...place, reporter: telling(place, job) };
      const { trial } = job.data;
      const doing = trial ? doTrial(own, trial, signal) : doRun(own, job.id!, signal);
      underWay = doing;
      if (await doing) done++;
    } catch (error) {
      if (error instanceof FolderHeld) {
        // By a worker that the queue took for dead: this was no try, and the store will have what that one comes to.
        reporter.line(`${job.data.title}: tried again later: ${error.message}`);
        await job.moveToDelayed(Date.now() + lease, token);
        throw new DelayedError();
      }
      const isRefused = error instanceof Refused;
      if (!isRefused && !isStop(error)) {
        const message = (error as Error).message;
        reporter.warning(`${job.data.title}: ${message}`);
        if (error instanceof RecipeMistake) {
          const { mistakes } = error;
          await job.updateData({ ...job.data, mistakes }).catch(() => {});
          throw new UnrecoverableError(message);
        }
        if (job.attemptsMade + 1 < TRIES) await tell(job, { kind: "failed", message, by: place.name });
        throw error;
      }
      if (isRefused) await tell(job, { kind: "refused", message: error.message, by: place.name });
      await job.moveToWait(token);
      if (isRefused) {
        over.reject(
          new UserError(`Cannot work on the queue ${address.shown} as ${error.message} (run "${job.data.title}")`),
        );
      } else over.resolve();
      // Before the loop takes it again.
      void worker.close();
      throw new WaitingError();
    }
  }, {
    ...queueOptions(redis),
    autorun: false,
    name: place.name,
    concurrency: 1,
    lockDuration: lease,
    stalledInterval: lease / 2,
    maxStalledCount: TRIES - 1,
  });
  const told = new Set<string>();
  const hear = (failure: Error) => {
    const refusal = refusalBy(address, failure);
    if (refusal === null) return; // the connection tells
    const { error, isForGood } = refusal;
    if (isForGood) over.reject(error);
    else if (!told.has(error.message)) reporter.warning(error.message);
    told.add(error.message);
  };
  worker.on("error", hear);
  queue.on("error", hear);
  const look = async () => {
    const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized", "waiting-children");
    if (Object.values(counts).every((count) => count === 0)) over.resolve();
  };
  const timer = untilEmpty ? setInterval(() => look().catch(() => {}), EMPTY_EVERY) : undefined;
  // The run under way ends by the signal itself.
  const stop = () => over.resolve();
  signal.addEventListener("abort", stop);
  const running = worker.run();
  try {
    await over.promise;
  } finally {
    signal.removeEventListener("abort", stop);
    clearInterval(timer);
    // It ends by the signal, and may take its time for that.
    await underWay.catch(() => {});
    const leave = async () => {
      await worker.close();
      await running.catch(() => {});
      await queue.close();
    };
    await closed([leave()], MOST_CLOSING);
    end();
  }
  return done;
}

/** Puts into the queue what follows from a choice. */
async function choose({ store }: Workplace, queue: RunQueue, { id, data: { version } }: Job<JobData>): Promise<void> {
  const runs = await makeChoice(store, id!);
  await queue.addBulk(runs.map(({ id, title }) => ({ name: "run", data: { version, title }, opts: jobOptions(id) })));
}

async function tell(job: Job<JobData>, news: News): Promise<void> {
  await job.updateProgress(news).catch(() => {});
}

/** A reporter that also tells the queue how far a run is. */
function telling({ reporter, name }: Workplace, job: Job<JobData>): Workplace["reporter"] {
  let last = performance.now();
  return {
    ...reporter,
    progress(line: ProgressLine) {
      reporter.progress(line);
      if (performance.now() - last < NEWS_EVERY) return;
      last = performance.now();
      void tell(job, { kind: "step", step: line.step, totalSteps: line.totalSteps, by: name });
    },
  };
}
