import type { Storage, View } from "../backend/backend.ts";
import { slotsOf } from "../backend/format.ts";
import type { AnyKernel } from "../backend/kernel.ts";
import type { Call } from "../backend/program.ts";
import type { DeviceObserver } from "../device.ts";
import type { Tensor } from "../tensor.ts";

/** Memory that a body worked in and gave back. */
export interface Temporary {
  /** How many numbers of the backend's precision; see {@link Storage}. */
  readonly length: number;
  /** Numbers from the host, the same at every replay; `null` where kernels fill it. */
  constant: ArrayLike<number> | null;
}

/** Where a body left a result. */
export interface OutputPlace {
  readonly view: View;
  readonly shape: readonly number[];
}

/**
 * What a body asks of a device, call by call. Memory that it allocates is known by the order in which it appears;
 * memory that was there before, such as weights, by itself. The notes share that with its owners until they are
 * disposed of.
 */
export class Notes implements DeviceObserver {
  readonly calls: Call[] = [];
  /** The inputs' memory first, in their order. */
  readonly temporaries: Temporary[] = [];
  /** The random numbers that the body drew. */
  readonly seeds: number[] = [];
  /** The outputs given to {@link finish}. */
  outputs: readonly OutputPlace[] = [];
  /** How many of the temporaries are inputs. */
  readonly inputCount: number;
  readonly #numbers = new Map<Storage, number>();
  readonly #made: Tensor[] = [];
  readonly #shared = new Map<Storage, Tensor>();
  #kernels = 0;
  #overwritten = false;

  /** @param inputs what the body is given anew each time */
  constructor(inputs: Iterable<Tensor>) {
    for (const input of inputs) this.#number(input);
    this.inputCount = this.temporaries.length;
  }

  made(tensor: Tensor, alias: boolean): void {
    this.#made.push(tensor);
    if (!alias) this.#number(tensor);
  }

  wrote(tensor: Tensor, data: ArrayLike<number>): void {
    const number = this.numberOf(tensor.view.storage);
    // Doubles hold whatever the backend's precision was given.
    if (number !== null) this.temporaries[number].constant = Float64Array.from(data);
  }

  ran(
    kernel: AnyKernel,
    tensors: Readonly<Record<string, Tensor>>,
    parameters: Readonly<Record<string, number>>,
  ): void {
    this.#kernels++;
    const views: Record<string, View> = {};
    for (const name in tensors) views[name] = this.#viewOf(tensors[name]);
    for (const name in kernel.writes) this.#noteWrite(views[name]);
    this.calls.push({ kernel, views, parameters });
  }

  copied(from: Tensor, to: Tensor): void {
    const [source, target] = [this.#viewOf(from), this.#viewOf(to)];
    this.#noteWrite(target);
    this.calls.push({ source, target });
  }

  /** The place among the temporaries, or `null` for memory that was there before. */
  numberOf(storage: Storage): number | null {
    return this.#numbers.get(storage) ?? null;
  }

  /**
   * Ends the notes.
   *
   * @param outputs what the body returned
   * @param dispatches how many kernels the backend was sent meanwhile: the noted ones, or none where only sizes were
   * looked at
   * @returns whether the calls are all there is to know: no tensor but the outputs lives on, constants stay constant,
   * no output is float16, and no kernel was enqueued behind the device's back
   */
  finish(outputs: readonly Tensor[], dispatches: number): boolean {
    this.outputs = outputs.map(({ view, shape }) => ({ view, shape }));
    const left = this.#made.some((tensor) =>
      !tensor.disposed && !outputs.includes(tensor) && this.numberOf(tensor.view.storage) !== null
    );
    // A replay gives its outputs out by copies, which are of float32.
    const plain = outputs.every(({ format }) => format === "f32");
    return !left && plain && !this.#overwritten && [0, this.#kernels].includes(dispatches);
  }

  /** Lets go of the memory that was there before. */
  dispose(): void {
    for (const tensor of this.#shared.values()) tensor.dispose();
    this.#shared.clear();
  }

  #number(tensor: Tensor): void {
    this.#numbers.set(tensor.view.storage, this.temporaries.length);
    this.temporaries.push({ length: slotsOf(tensor.size, tensor.format), constant: null });
  }

  #viewOf(tensor: Tensor): View {
    const { view } = tensor;
    if (this.numberOf(view.storage) === null && !this.#shared.has(view.storage)) {
      this.#shared.set(view.storage, tensor.alias(tensor.shape));
    }
    return view;
  }

  #noteWrite({ storage }: View): void {
    const number = this.numberOf(storage);
    if (number !== null && this.temporaries[number].constant) this.#overwritten = true;
  }
}
