import { type LoadedModel, openBackend, type OpenedBackend, openModel, UserError } from "./library.ts";
import { countTrained } from "../../core/plugin/parameters.ts";
import type { Answer, Choice, ModelFacts, Who } from "./messages.ts";

/** Threads of the cpu backend: without cross-origin isolation a page's threads share no memory. */
const threads = globalThis.crossOriginIsolated ? undefined : 1;

/** The backend that is open, and the two models on it. */
export class Machine {
  #choice: Choice = "cpu";
  #opened: OpenedBackend | null = null;
  readonly #folders = new Map<Who, string>();
  readonly #models = new Map<Who, LoadedModel>();

  /** Opens a backend, in place of one of another choice. */
  async use(choice: Choice): Promise<OpenedBackend> {
    if (this.#opened === null || choice !== this.#choice) {
      await this.close();
      this.#opened = await openBackend(choice, { threads });
      this.#choice = choice;
    }
    return this.#opened;
  }

  /** Closes the backend; models are opened on the next one when they are asked. */
  async close(): Promise<void> {
    for (const who of this.#models.keys()) this.#forget(who);
    const opened = this.#opened;
    this.#opened = null;
    await opened?.backend.close().catch(() => {});
  }

  /** Takes a folder as one of the two. @throws UserError if it is no model of images; then the one before stays */
  async take(who: Who, folder: string): Promise<ModelFacts> {
    const model = await this.#open(folder);
    this.#forget(who);
    this.#folders.set(who, folder);
    this.#models.set(who, model);
    return factsOf(model, folder);
  }

  /** The names of a model's classes, in the order of what it answers. */
  async classesOf(who: Who): Promise<readonly string[]> {
    return (await this.#model(who)).input.classes;
  }

  /** What a model says of one picture. @param image bytes from 0 to 255, `[height, width, channels]` of the model */
  async ask(who: Who, image: Uint8Array<ArrayBuffer>): Promise<Answer> {
    const model = await this.#model(who);
    const begin = performance.now();
    const { logits: [row], classes: [decided] } = await model.predict({ images: image });
    return { probabilities: softmax(row), decided, milliseconds: performance.now() - begin };
  }

  /** One of the two models. @throws UserError if there is none */
  async #model(who: Who): Promise<LoadedModel> {
    const folder = this.#folders.get(who);
    if (folder === undefined) {
      throw new UserError(`Cannot ask the ${who} as there is none yet: distil one, or open a folder`);
    }
    const model = this.#models.get(who) ?? await this.#open(folder);
    this.#models.set(who, model);
    return model;
  }

  async #open(folder: string): Promise<LoadedModel> {
    const { backend } = await this.use(this.#choice);
    const model = await openModel(folder, { backend });
    const { image, task } = model.input;
    if (!image || task !== "classification") {
      model[Symbol.dispose]();
      throw new UserError("Cannot ask this model about pictures: one that classifies images is needed");
    }
    // The first answer compiles what the others run.
    const [height, width, channels] = image.size;
    await model.predict({ images: new Uint8Array(height * width * channels) });
    return model;
  }

  #forget(who: Who): void {
    this.#models.get(who)?.[Symbol.dispose]();
    this.#models.delete(who);
  }
}

function factsOf({ architecture, model, input: { classes, image } }: LoadedModel, folder: string): ModelFacts {
  const name = folder.split("/").at(-1)!;
  return { name, folder, architecture, parameters: countTrained(model), classes, size: image!.size };
}

function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
