import { deferred } from "../../deferred.ts";
import { DeviceError } from "../../errors.ts";

/** How long the news of a lost device may come after the errors that it causes, in milliseconds. */
const NEWS = 200;

/** By its name, as a program that brings its own WebGPU has the class nowhere else. */
function isOutOfMemory(error: GPUError): boolean {
  return error.constructor.name === "GPUOutOfMemoryError";
}

/**
 * What went wrong on a device. WebGPU tells it by events, so that without this a shader that does not compile, memory
 * that is not there or a lost device would pass silently, and what was computed would look right.
 */
export class GpuFailure {
  #refused: DeviceError | null = null;
  #lost: DeviceError | null = null;
  /** Those who wait for the device; once it is lost, some implementations never answer them. */
  readonly #waiting = new Set<() => void>();
  /** What the device was asked and has not answered. */
  readonly #asked = new Set<Promise<unknown>>();

  /** @param bytes how many are in use */
  constructor(private readonly device: GPUDevice, bytes: () => number) {
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
      this.#refused ??= new DeviceError(
        isOutOfMemory(error)
          ? `The GPU has no memory left beside ${Math.round(bytes() / 2 ** 20)} MiB in use (${error.message}): use a ` +
            "smaller batch (train.accumulate keeps the step's size) or model, or --backend cpu"
          : `The GPU refused a command: ${error.message}`,
      );
    });
    device.lost.then(({ message, reason }) => {
      const why = [reason, message].filter(Boolean).join(": ");
      this.#lost = new DeviceError(`The GPU was lost (${why}); --backend cpu computes without it`);
      for (const wake of this.#waiting) wake();
    });
  }

  /**
   * Waits for an answer of the device.
   *
   * @throws DeviceError if something went wrong on it before the answer, or instead of it
   */
  async unless<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      const given = await this.orLost(answer);
      if (!this.#lost && !this.#refused) return given as Answer;
    } catch (error) {
      throw await this.#cause() ?? error;
    }
    throw (await this.#cause())!;
  }

  /** Waits for an answer of the device, or until it is lost. */
  async orLost<Answer>(answer: Promise<Answer>): Promise<Answer | void> {
    const settled = answer.then(() => {}, () => {}).finally(() => this.#asked.delete(settled));
    this.#asked.add(settled);
    if (this.#lost) return void answer.catch(() => {});
    const lost = deferred<void>();
    this.#waiting.add(lost.resolve);
    try {
      return await Promise.race([answer, lost.promise]);
    } finally {
      this.#waiting.delete(lost.resolve);
    }
  }

  /** Waits for answers that nobody waits for any more since the device was lost, if they come soon. */
  async settled(): Promise<void> {
    const { promise, resolve } = deferred<void>();
    const timer = setTimeout(resolve, NEWS);
    await Promise.race([Promise.all(this.#asked), promise]);
    clearTimeout(timer);
  }

  /** The loss of the device rather than the errors that it causes, which may come first. */
  async #cause(): Promise<DeviceError | null> {
    const { promise, resolve } = deferred<void>();
    const timer = setTimeout(resolve, NEWS);
    await Promise.race([this.device.lost, promise]);
    clearTimeout(timer);
    return this.#lost ?? this.#refused;
  }
}
