import type { Backend, Floats } from "./backend/backend.ts";
import type { NumberFormat } from "./backend/format.ts";
import type { AnyKernel, Kernel } from "./backend/kernel.ts";
import { sizesOnly } from "./backend/sizes_only.ts";
import { fillKernel } from "./kernels/fill.ts";
import { stridedCopyKernel } from "./kernels/strided_copy.ts";
import { showShape, sizeOf, Tensor } from "./tensor.ts";

/** Receives a device's work while it is observed; see {@link Device.observed}. */
export interface DeviceObserver {
  /** A tensor was made: on memory of its own, or (`alias`) on that of another. */
  made(tensor: Tensor, alias: boolean): void;
  /** Host numbers went into a tensor. */
  wrote(tensor: Tensor, data: ArrayLike<number>): void;
  /** A kernel was enqueued. */
  ran(kernel: AnyKernel, tensors: Readonly<Record<string, Tensor>>, parameters: Readonly<Record<string, number>>): void;
  /** A copy was enqueued. */
  copied(source: Tensor, target: Tensor): void;
}

/**
 * A backend with lifetimes: makes tensors, runs kernels on them, and frees what a scope made when the scope ends.
 * Operations compute with a device; everybody else uses {@link Ops}, which adds the gradients.
 */
export class Device {
  #scopes: Set<Tensor>[] = [];
  #observer: DeviceObserver | null = null;
  #activations: NumberFormat = "f32";
  /** What takes the backend's place while only sizes are looked at. */
  #sizes: Backend | null = null;

  /**
   * A device without tensors. {@link Ops} has one of its own, as `ops.device`.
   *
   * @param backend where memory comes from and kernels run; whoever opened it closes it
   */
  constructor(readonly backend: Backend) {}

  /** A tensor whose contents are still undefined. */
  empty(shape: readonly number[], format: NumberFormat = "f32"): Tensor {
    return this.#own(Tensor.allocate(this.#sizes ?? this.backend, shape, format), false);
  }

  /**
   * Runs `body`, in which results of an operation on activations are kept in a format: those of float32 alone, such as
   * weights and what is made of them, stay what they are. A gradient has the format of the tensor that it is of.
   */
  storeActivations<Result>(format: NumberFormat, body: () => Result): Result {
    const outer = this.#activations;
    this.#activations = format;
    try {
      return body();
    } finally {
      this.#activations = outer;
    }
  }

  /** The format of what is looked up for the activations, and is none yet. */
  get activations(): NumberFormat {
    return this.#activations;
  }

  /** The format of an operation's result, by those of what it reads. */
  formatOf(...inputs: readonly (Tensor | undefined)[]): NumberFormat {
    if (this.#activations === "f32") return "f32";
    return inputs.some((input) => input?.format === "f16") ? "f16" : "f32";
  }

  /** The same numbers in another format; the tensor itself where it has it already. */
  inFormat(tensor: Tensor, format: NumberFormat): Tensor {
    if (tensor.format === format) return tensor;
    const output = this.empty(tensor.shape, format);
    this.#convert(tensor, output);
    return output;
  }

  /** A tensor from host numbers. @throws RangeError if there are more or fewer numbers than the shape holds */
  tensor(data: ArrayLike<number>, shape: readonly number[] = [data.length]): Tensor {
    if (data.length !== sizeOf(shape)) {
      throw new RangeError(`Cannot fill a tensor of shape ${showShape(shape)} with ${data.length} numbers`);
    }
    const tensor = this.empty(shape);
    tensor.backend.write(tensor.view, data);
    this.#observer?.wrote(tensor, data);
    return tensor;
  }

  /** A tensor filled with one value. */
  full(shape: readonly number[], value: number): Tensor {
    const output = this.empty(shape);
    this.run(fillKernel, { output }, { size: output.size, value });
    return output;
  }

  /** The same memory under another shape, or a part of it from `offset` on. */
  alias(tensor: Tensor, shape: readonly number[], offset = 0): Tensor {
    return this.#own(tensor.alias(shape, offset), true);
  }

  /** Enqueues a kernel over whole tensors. */
  run<Binding extends string, Parameter extends string>(
    kernel: Kernel<Binding, Parameter>,
    tensors: Readonly<Record<Binding, Tensor>>,
    parameters: Readonly<Record<Parameter, number>>,
  ): void {
    const views = Object.fromEntries(Object.entries<Tensor>(tensors).map(([name, tensor]) => [name, tensor.view]));
    (this.#sizes ?? this.backend).run(kernel, views as Record<Binding, Tensor["view"]>, parameters);
    this.#observer?.ran(kernel, tensors, parameters);
  }

  /** Enqueues a copy of all numbers of one tensor into another of the same size, whatever their shapes. */
  copy(source: Tensor, target: Tensor): void {
    if (source.format !== target.format || source.format === "f16") return this.#convert(source, target);
    (this.#sizes ?? this.backend).copy(source.view, target.view);
    this.#observer?.copied(source, target);
  }

  /** Reads several tensors back in one wait. */
  read(tensors: readonly Tensor[]): Promise<Floats[]> {
    return (this.#sizes ?? this.backend).read(tensors.map((tensor) => tensor.view));
  }

  /**
   * Runs `body` and frees every tensor made in it, save those it returns (a tensor, or tensors in arrays, maps and
   * plain objects), which pass to the enclosing scope, and those given to `keep`. The body must not be async: tensors
   * made after its first wait would belong to nobody.
   */
  scope<Result>(body: () => Result): Result {
    const made = new Set<Tensor>();
    this.#scopes.push(made);
    try {
      const result = body();
      if (result instanceof Promise) throw new TypeError("Cannot end a scope whose body is async");
      const outer = this.#scopes.at(-2);
      for (const tensor of tensorsIn(result)) if (made.delete(tensor)) outer?.add(tensor);
      return result;
    } finally {
      this.#scopes.pop();
      for (const tensor of made) tensor.dispose();
    }
  }

  /**
   * Takes a tensor out of every scope: it lives until its `dispose` is called.
   *
   * @throws Error in {@link sizesOnly}, whose tensors hold nothing
   */
  keep(tensor: Tensor): Tensor {
    if (this.#sizes) throw new Error("Cannot keep a tensor where only sizes are looked at");
    for (const made of this.#scopes) made.delete(tensor);
    return tensor;
  }

  /** Runs `body` while `observer` is told of everything that this device does. */
  observed<Result>(observer: DeviceObserver, body: () => Result): Result {
    const outer = this.#observer;
    this.#observer = observer;
    try {
      return body();
    } finally {
      this.#observer = outer;
    }
  }

  /**
   * Runs `body` for the sizes of its tensors alone: nothing is computed, no memory taken and none changed. All that it
   * made is gone afterwards.
   *
   * @throws TensorTooLarge for the first tensor that the backend could not hold
   * @throws Error if the body wanted numbers, or kept a tensor
   */
  sizesOnly(body: () => void): void {
    let isAsked = false;
    // What is read never comes, as a promise that is broken while nobody waits for it ends a program.
    this.#sizes = sizesOnly(this.backend, () => {
      isAsked = true;
      return new Promise(() => {});
    });
    try {
      this.scope(() => void body());
    } finally {
      this.#sizes = null;
    }
    if (isAsked) throw new Error("Cannot read a tensor where only sizes are looked at");
  }

  #convert(input: Tensor, output: Tensor): void {
    const { size } = output;
    const none = { extent1: 1, extent2: 1, extent3: 1, extent4: 1, stride0: 0, stride1: 0, stride2: 0, stride3: 0 };
    this.run(stridedCopyKernel, { input, output }, { size, ...none, extent5: size, stride4: 0, stride5: 1 });
  }

  #own(tensor: Tensor, alias: boolean): Tensor {
    this.#scopes.at(-1)?.add(tensor);
    this.#observer?.made(tensor, alias);
    return tensor;
  }
}

function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (value instanceof Map || Array.isArray(value)) { for (const part of value.values()) yield* tensorsIn(part); }
  else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const part of Object.values(value)) yield* tensorsIn(part);
  }
}
