import { FlowProducer, Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { StoppedEarly } from "../../core/distill/stops.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { VERSION } from "../../core/version.ts";
import { type Choice, describe, type Executor, type Outcome, type PlannedRun } from "../experiment/outcome.ts";
import type { QueueAddress } from "./address.ts";
import { keepChoice } from "./choices.ts";
import { closed, connect, refusalBy } from "./connection.ts";
import { type JobData, jobOptions, type News, PREFIX, QUEUE_NAME, queueOptions, type RunQueue, TRIES } from "./job.ts";
import { fetchState } from "./kept_files.ts";
import { keptTrial, type Trial, trialId, type TrialOutcome } from "./trials.ts";
import { type SentMistake, tellMistakes } from "./recipe_mistake.ts";
import { Sender, type Sending } from "./sender.ts";

/** Milliseconds between two looks at all runs that are waited for, beside what the queue tells by itself. */
const LOOK_EVERY = 5000;

/** Milliseconds that such a look takes at most for a run: with many runs one looks less often. */
const LOOK_FOR_ONE = 2;

/** Milliseconds between two lines about how many runs are done. */
const TELL_EVERY = 30_000;

/** Runs at work that such a line names. */
const MOST_SHOWN = 4;

/** Milliseconds until one looks for the first time whether there is a worker: as long as one may take to start. */
const FIRST_LOOK = 10_000;

/** Milliseconds after which it is said again that there is none. */
const SAY_AGAIN = 300_000;

/** Milliseconds that it may take to give up the connection. */
const MOST_CLOSING = 1000;

/** Runs at work whose locks are looked at. */
const MOST_LOCKS = 100;

/** What the runs of a grid are queued by. */
export interface Queueing extends Sending {
  readonly address: QueueAddress;
  readonly password: string | null;
  readonly signal: AbortSignal;
  /** Flags of a worker for this queue, as a shell takes them. */
  readonly workerFlags: string;
  /** Milliseconds between two looks at all runs that are waited for. */
  readonly lookEvery?: number;
  /** Milliseconds until it is said that there is no worker, and until it is said again. */
  readonly patience?: readonly [number, number];
}

/** A run that is waited for. */
interface Waiting extends Pick<JobData, "title" | "trial"> {
  readonly settled: PromiseWithResolvers<Failure | null>;
}

/** Why a run was given up. */
interface Failure {
  readonly reason: string;
  /** Those of its recipe, which no further try would mend. */
  readonly mistakes?: readonly SentMistake[];
}

/** A run that was given up. */
export interface GivenUp {
  /** Why, and which one where that is not known. */
  readonly told: string;
  /** Whether its recipe is wrong, as a local run would have refused it. */
  readonly ofRecipe: boolean;
}

/**
 * Has workers do the runs of a grid, wherever they are. What is done is in the store, and the queue says no more than
 * what is still to do: whatever it loses is put into it again.
 */
export class QueueExecutor implements Executor, AsyncDisposable {
  readonly atOnce = true;
  readonly givenUp: GivenUp[] = [];
  readonly #sender: Sender;
  readonly #waiting = new Map<string, Waiting>();
  readonly #atWork = new Set<string>();
  /** How far runs are, in words. */
  readonly #steps = new Map<string, string>();
  #done = 0;
  /** When it was said that there is no worker; `null` while there is one. */
  #alone: number | null = null;
  /** Is rejected by the signal. */
  readonly #stopped = Promise.withResolvers<never>();
  readonly #timers: ReturnType<typeof setTimeout>[];

  private constructor(
    private readonly queueing: Queueing,
    private readonly queue: RunQueue,
    private readonly events: QueueEvents,
    private readonly flows: FlowProducer,
    private readonly redis: Redis,
    private readonly end: () => void,
  ) {
    this.#sender = new Sender(queueing);
    const { signal } = queueing;
    this.#stopped.promise.catch(() => {}); // nobody may wait for it
    signal.addEventListener("abort", () => this.#leave());
    events.on("active", ({ jobId }) => this.#atWork.add(jobId));
    events.on("waiting", ({ jobId }) => this.#atWork.delete(jobId));
    events.on("completed", ({ jobId }) => this.#settle(jobId, null));
    events.on("failed", ({ jobId, failedReason }) => void this.#giveUp(jobId, failedReason));
    events.on("stalled", ({ jobId }) => this.#tellOf(jobId, "its worker is silent: another one goes on with it"));
    events.on("progress", ({ jobId, data }) => this.#hear(jobId, data as News));
    this.#timers = [
      setTimeout(() => this.#look(), this.#lookEvery),
      setInterval(() => void this.#tellOfNoWorkers(), queueing.patience?.[0] ?? FIRST_LOOK),
      setInterval(() => this.#tell(), TELL_EVERY),
    ];
  }

  /** Connects to the queue. @throws UserError if there is none */
  static async open(queueing: Queueing): Promise<QueueExecutor> {
    const { address, password, reporter } = queueing;
    const { redis, end } = await connect(address, password, reporter.warning);
    const queue: RunQueue = new Queue<JobData>(QUEUE_NAME, queueOptions(redis));
    const events = new QueueEvents(QUEUE_NAME, queueOptions(redis));
    const flows = new FlowProducer(queueOptions(redis));
    const ignore = () => {}; // the connection tells
    queue.on("error", ignore);
    events.on("error", ignore);
    flows.on("error", ignore);
    await events.waitUntilReady();
    return new QueueExecutor(queueing, queue, events, flows, redis, end);
  }

  readonly run = async (recipe: Checked<Recipe>, title: string): Promise<Outcome> => {
    this.#expectGoing();
    const { reporter } = this.queueing;
    const sent = await this.#sender.send(recipe, title);
    if (typeof sent !== "string") return sent;
    this.#expectGoing();
    const failure = await this.#queued(sent, title);
    const outcome = await this.#sender.fetch(recipe, sent);
    if (outcome) {
      this.#done++;
      reporter.line(`${title}: ${describe(outcome)}`);
      return outcome;
    }
    const { reason, mistakes } = failure ?? { reason: "its outcome is not in the store" };
    const told = mistakes ? `given up: ${tellMistakes(recipe, mistakes)}` : `given up after ${TRIES} tries: ${reason}`;
    this.givenUp.push({ told: `${title}: ${told}`, ofRecipe: mistakes !== undefined });
    reporter.warning(`${title}: ${told}`);
    return { folder: recipe.value.output, seed: recipe.value.seed, failure: told, givenUp: true };
  };

  /**
   * Has a worker make the choice once the tuning is done, so that what follows from it is queued also if this program
   * ends before. What is chosen here is the same.
   */
  async foresee({ title, values }: Choice): Promise<void> {
    const { store } = this.queueing;
    const sent = await Promise.all(values.map(async ({ value, trials, runs }) => {
      const [tried, following] = await Promise.all(
        [trials, runs].map((planned) => Promise.all(planned.map((run) => this.#sender.plan(run)))),
      );
      return { value, tried, following };
    }));
    this.#expectGoing();
    const all = sent.flatMap(({ tried }) => tried);
    // A worker chooses by what the store has; where all is known, the choice is made here at once.
    if (all.some(({ done, kept }) => done && !kept) || all.every(({ kept }) => kept)) return;
    const choice = sent.map(({ value, tried, following }) => ({
      value,
      trials: tried.map(({ id }) => id),
      runs: following.filter(({ done, kept }) => !done && !kept).map(({ id, title }) => ({ id, title })),
    }));
    const id = await keepChoice(store, { version: VERSION, values: choice });
    const children = values.flatMap(({ trials }, index) =>
      trials.map((run, place) => ({
        name: "run",
        queueName: QUEUE_NAME,
        prefix: PREFIX,
        data: { version: VERSION, title: run.title },
        opts: { ...jobOptions(choice[index].trials[place]), ignoreDependencyOnFailure: true },
      }))
    );
    const parent = { name: "choose", queueName: QUEUE_NAME, prefix: PREFIX, data: { version: VERSION, title } };
    // A run that another choice waits for too cannot have two; then this program alone makes the second one.
    const add = async () => {
      // As a child a given up one would count as known at once, and the worker choose without it.
      await Promise.all(children.map(({ opts }) => this.#forgetFailed(opts.jobId!)));
      await this.flows.add({ ...parent, opts: jobOptions(id), children });
    };
    await this.#orStopped(add().catch(() => {}));
  }

  /**
   * Has a worker train a run to its end, and not measure it on the test examples.
   *
   * @returns what it came to, or why it was given up
   */
  async trial(planned: PlannedRun, own: boolean): Promise<TrialOutcome | GivenUp> {
    this.#expectGoing();
    const { id: run } = await this.#sender.plan(planned);
    const trial = { run, own };
    const known = await keptTrial(this.queueing.store, trial);
    if (known) return known;
    this.#expectGoing();
    const failure = await this.#queued(trialId(trial), planned.title, trial);
    this.#done++;
    const outcome = await keptTrial(this.queueing.store, trial);
    if (outcome) return outcome;
    const { reason = "what it came to is not in the store", mistakes } = failure ?? {};
    return mistakes
      ? { told: `given up: ${tellMistakes(planned.recipe, mistakes)}`, ofRecipe: true }
      : { told: `given up after ${TRIES} tries: ${reason}`, ofRecipe: false };
  }

  /** Fetches a run's checkpoint and log into a folder, which is emptied. Returns whether there were any. */
  async fetchTrial(planned: PlannedRun, folder: string): Promise<boolean> {
    const { store, reporter } = this.queueing;
    const { id } = await this.#sender.plan(planned);
    return await fetchState(store, id, folder, reporter.warning) !== null;
  }

  /** Workers that are at the queue. */
  workers(): Promise<number> {
    return this.#orStopped(this.queue.getWorkersCount());
  }

  /** Gives up the connection; the runs stay in the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers.forEach((timer) => clearTimeout(timer));
    await closed([this.events.close(), this.queue.close(), this.flows.close()], MOST_CLOSING);
    this.end();
  }

  /** Puts a run into the queue, unless it is there, and waits for its end. Returns why it was given up, or `null`. */
  async #queued(id: string, title: string, trial?: Trial): Promise<Failure | null> {
    const known = this.#waiting.get(id);
    if (known) return await this.#orStopped(known.settled.promise);
    const waiting = { title, trial, settled: Promise.withResolvers<Failure | null>() };
    this.#waiting.set(id, waiting);
    await this.#orStopped(this.#add(id, waiting));
    return await this.#orStopped(waiting.settled.promise);
  }

  /** What is asked of a queue that is lost is answered when it is there again, which nobody waits for after Ctrl-C. */
  #orStopped<Answer>(asked: Promise<Answer>): Promise<Answer> {
    return Promise.race([asked, this.#stopped.promise]);
  }

  async #add(id: string, { title, trial }: Omit<Waiting, "settled">): Promise<void> {
    try {
      await this.#forgetFailed(id);
      await this.queue.add("run", { version: VERSION, title, ...trial && { trial } }, jobOptions(id));
    } catch (error) {
      throw refusalBy(this.queueing.address, error)?.error ?? error;
    }
  }

  /** One that was given up before is tried again, with as many tries as a new one. */
  async #forgetFailed(id: string): Promise<void> {
    if (await this.queue.getJobState(id) === "failed") await this.queue.remove(id).catch(() => {});
  }

  /** The queue may have told it, or have been looked at. */
  async #giveUp(id: string, reason?: string): Promise<void> {
    if (!this.#waiting.has(id)) return;
    const job = await this.queue.getJob(id).catch(() => undefined);
    this.#settle(id, { reason: reason ?? job?.failedReason ?? "unknown", mistakes: job?.data.mistakes });
  }

  #settle(id: string, failure: Failure | null): void {
    this.#atWork.delete(id);
    this.#steps.delete(id);
    this.#waiting.get(id)?.settled.resolve(failure);
    this.#waiting.delete(id);
  }

  #leave(): void {
    const stopped = new StoppedEarly();
    const count = this.#waiting.size;
    stopped.message = `Stopped: ${count} runs stay in the queue for its workers, and the same command goes on`;
    this.#stopped.reject(stopped);
    this.#waiting.clear();
  }

  #expectGoing(): void {
    if (!this.queueing.signal.aborted) return;
    const stopped = new StoppedEarly();
    stopped.message = "Stopped: what is in the queue stays there for its workers, and the same command goes on";
    throw stopped;
  }

  /** Looks at what is waited for: news may have been lost with a connection, and jobs with a server. */
  async #look(): Promise<void> {
    for (const [id, waiting] of [...this.#waiting]) {
      try {
        const state = await this.queue.getJobState(id);
        if (!this.#waiting.has(id)) continue;
        if (state === "failed") await this.#giveUp(id);
        // A finished one leaves the queue; one that the server lost is put into it again, and is done at once if it is.
        if (state === "completed") this.#settle(id, null);
        if (state === "unknown") await this.#add(id, waiting);
      } catch {
        // The connection is lost; there will be another look.
      }
    }
    if (this.queueing.signal.aborted) return;
    this.#timers[0] = setTimeout(() => this.#look(), this.#lookEvery);
  }

  get #lookEvery(): number {
    return Math.max(this.queueing.lookEvery ?? LOOK_EVERY, LOOK_FOR_ONE * this.#waiting.size);
  }

  #tell(): void {
    const count = this.#waiting.size;
    if (count === 0) return;
    const atWork = [...this.#waiting].filter(([id]) => this.#atWork.has(id));
    const shown = atWork.slice(0, MOST_SHOWN).map(([id, { title }]) => `${title}${this.#steps.get(id) ?? ""}`);
    const who = shown.length > 0 ? ` (${shown.join("; ")}${atWork.length > shown.length ? "; ..." : ""})` : "";
    this.queueing.reporter.line(`${this.#done} done, ${atWork.length} at work${who}, ${count - atWork.length} waiting`);
  }

  async #tellOfNoWorkers(): Promise<void> {
    const { workerFlags, reporter, signal, patience } = this.queueing;
    if (this.#waiting.size === 0) return;
    const isThere = await this.#hasWorker().catch(() => true);
    if (isThere) this.#alone = null;
    const isKnown = this.#alone !== null && performance.now() - this.#alone < (patience?.[1] ?? SAY_AGAIN);
    if (isThere || isKnown || signal.aborted) return;
    this.#alone = performance.now();
    reporter.warning(`no worker is at the queue: start one by "deno task worker ${workerFlags}"`);
  }

  /** Whether a worker is connected, or has a run: one that computes may take a while to connect again. */
  async #hasWorker(): Promise<boolean> {
    if (await this.queue.getWorkersCount() > 0) return true;
    const ids = (await this.queue.getActive(0, MOST_LOCKS - 1)).map(({ id }) => this.queue.toKey(`${id}:lock`));
    return ids.length > 0 && await this.redis.exists(...ids) > 0;
  }

  #tellOf(id: string, what: string): void {
    const title = this.#waiting.get(id)?.title;
    if (title !== undefined) this.queueing.reporter.line(`${title}: ${what}`);
  }

  #hear(id: string, news: News): void {
    if (news.kind === "step") this.#steps.set(id, `: step ${news.step} of ${news.totalSteps} at ${news.by}`);
    if (news.kind === "failed") this.#tellOf(id, `failed at ${news.by}, and is tried again: ${news.message}`);
    if (news.kind === "refused") this.#tellOf(id, `refused by ${news.by}, as ${news.message}`);
  }
}
