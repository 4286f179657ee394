import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { Executor, Outcome } from "../experiment/outcome.ts";
import type { Job } from "./jobs_folder.ts";
import { Sender, type Sending } from "./sender.ts";

/** Runs of a grid are still to be done by others. */
export class JobsLeft extends Error {
  static {
    this.prototype.name = "JobsLeft";
  }
}

/**
 * Finds the runs of a grid that can be done now and are not: those that wait for no other run. A grid with a tuned
 * value has more once these are done.
 */
export class JobsExecutor implements Executor {
  readonly atOnce = true;
  readonly #sender: Sender;
  readonly #jobs: Job[] = [];
  readonly #left = Promise.withResolvers<never>();
  #busy = 0;

  constructor(sending: Sending) {
    this.#sender = new Sender(sending);
    this.#left.promise.catch(() => {}); // nobody may wait for it
  }

  /** What was found, each once, by title: the same each time, whichever files were read first. */
  get jobs(): Job[] {
    const all = this.#jobs.toSorted((a, b) => a.title < b.title ? -1 : +(a.title > b.title));
    return all.filter(({ id }, index) => all.findIndex((job) => job.id === id) === index);
  }

  /** @throws JobsLeft for a run that is not done, once all such runs are known */
  readonly run = async (recipe: Checked<Recipe>, title: string): Promise<Outcome> => {
    this.#busy++;
    const sent = await this.#sender.send(recipe, title).finally(() => this.#busy--);
    // What the grid asks for because of this run it has asked for by then.
    setTimeout(() => {
      if (this.#busy === 0 && this.#jobs.length > 0) this.#left.reject(new JobsLeft());
    });
    if (typeof sent !== "string") return sent;
    this.#jobs.push({ id: sent, title });
    return await this.#left.promise;
  };
}
