import { DeviceError } from "../../core/errors.ts";
import type { Computed } from "../predict/answers.ts";
import type { Input, Predictor, Prepared } from "../predict/predictor.ts";

/** An input that waits for its turn. */
export interface Waiting {
  readonly input: Input;
  /** For messages: `inputs[2]`. */
  readonly place: string;
}

interface Item extends Waiting {
  readonly done: (computed: Computed) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Inputs of all requests in the order in which they came. While a batch is computed others wait, and all that wait
 * then, up to the size of a batch, are the next one: nothing is held back for company.
 */
export class WaitingLine {
  readonly #waiting: Item[] = [];
  #isRunning = false;
  #batches = 0;

  /** @param broken told when the device failed, after which nothing can be answered any more */
  constructor(
    private readonly predictor: Pick<Predictor, "prepare" | "run">,
    private readonly batchSize: number,
    private readonly broken: (error: DeviceError) => void,
  ) {}

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** How many batches were computed. */
  get batches(): number {
    return this.#batches;
  }

  /**
   * What the model computes of some inputs, when none of them waits or is computed any more: who awaits it may close
   * the model then.
   *
   * @throws UserError for the first that it cannot take; the others of the line are answered all the same
   */
  async add(inputs: readonly Waiting[]): Promise<Computed[]> {
    const computed = inputs.map((input) =>
      new Promise<Computed>((done, failed) => this.#waiting.push({ ...input, done, failed }))
    );
    if (!this.#isRunning) this.#run();
    const ends = await Promise.allSettled(computed);
    return ends.map((end) => {
      if (end.status === "rejected") throw end.reason;
      return end.value;
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // Whoever has sent a request meanwhile gets into the batch.
      await new Promise((resolve) => setTimeout(resolve, 0));
      await this.#batch(this.#waiting.splice(0, this.batchSize));
    }
    // In the same breath as the line was found empty: whoever comes now starts it anew.
    this.#isRunning = false;
  }

  async #batch(items: readonly Item[]): Promise<void> {
    const ready: { readonly item: Item; readonly prepared: Prepared }[] = [];
    for (const item of items) {
      try {
        // One after the other: a large picture takes memory while it is decoded.
        ready.push({ item, prepared: await this.predictor.prepare(item.input, item.place) });
      } catch (error) {
        item.failed(error);
      }
    }
    if (ready.length > 0) await this.#compute(ready);
  }

  async #compute(ready: readonly { readonly item: Item; readonly prepared: Prepared }[]): Promise<void> {
    this.#batches++;
    try {
      const computed = await this.predictor.run(ready.map(({ prepared }) => prepared));
      computed.forEach((own, index) => ready[index].item.done(own));
    } catch (error) {
      if (error instanceof DeviceError) {
        for (const { item } of ready) item.failed(error);
        this.broken(error);
      } else if (ready.length === 1) ready[0].item.failed(error);
      // One that the model cannot take must not be the others' failure.
      else for (const one of ready) await this.#compute([one]);
    }
  }
}
