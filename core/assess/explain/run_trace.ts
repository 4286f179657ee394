import { type Amount, amountAt, type TracedSizes } from "../../onnx/amounts.ts";
import { type Argument, isValue, type Step, type Trace, type Value } from "../../onnx/trace.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch } from "../../plugin/dataset.ts";
import type { Tensor } from "../../tensor.ts";

/** A forward pass that was written down, computed on a batch: all its values stay until the scope around it ends. */
export class TraceRun {
  readonly #values = new Map<Value, Tensor>();
  readonly #sizes: TracedSizes;

  constructor(
    private readonly ops: Ops,
    readonly trace: Trace,
    private readonly weights: Weights,
    private readonly batch: Batch<Tensor>,
  ) {
    const [size, length = 1] = batch[trace.inputs[0]].shape;
    this.#sizes = { batch: size, length };
    for (const step of trace.steps) this.#values.set(step.output, this.again(step, (value) => this.get(value)));
  }

  /** How many examples there are. */
  get examples(): number {
    return this.#sizes.batch;
  }

  /** The numbers of a value. */
  get(value: Value): Tensor {
    const known = this.#values.get(value);
    if (known) return known;
    const made = this.#make(value);
    this.#values.set(value, made);
    return made;
  }

  /** Runs an operation of the pass again, with tensors in the place of its values. */
  again(step: Step, tensorOf: (value: Value) => Tensor): Tensor {
    const run = this.ops[step.name as keyof Ops] as (...args: unknown[]) => Tensor;
    return run(
      ...step.arguments.map((argument, place) =>
        step.name === "embedding" && place === 0 ? this.#tables(argument) : this.#resolved(argument, tensorOf)
      ),
    );
  }

  /** What an operation was given, with numbers in the place of those that follow the batch. */
  options(argument: Argument): unknown {
    return this.#resolved(argument, (value) => this.get(value));
  }

  #resolved(argument: Argument, tensorOf: (value: Value) => Tensor): unknown {
    if (isValue(argument)) return tensorOf(argument);
    if (Array.isArray(argument)) return argument.map((part) => this.#resolved(part, tensorOf));
    if (isAmount(argument)) return amountAt(argument, this.#sizes);
    if (typeof argument !== "object" || argument === null) return argument;
    return Object.fromEntries(Object.entries(argument).map(([key, part]) => [key, this.#resolved(part, tensorOf)]));
  }

  /** Tables of embeddings, which may be too large to be one tensor. */
  #tables(argument: Argument): unknown {
    const tables = (Array.isArray(argument) ? argument : [argument]) as readonly Value[];
    return tables.flatMap((table) =>
      table.source.kind === "weight" ? this.weights.rows(table.source.name) : [this.get(table)]
    );
  }

  #make({ source, shape }: Value): Tensor {
    const extents = shape.map((extent) => amountAt(extent, this.#sizes));
    switch (source.kind) {
      case "input":
        return this.batch[source.entry];
      case "weight":
        return this.weights.get(source.name);
      case "numbers":
        return this.ops.tensor(source.data, extents);
      case "filled":
        return this.ops.full(extents, source.value);
      case "step":
        throw new Error(`Cannot find what ${source.step.name} gave before it has run`);
    }
  }
}

function isAmount(argument: Argument): argument is Argument & Amount {
  return typeof argument === "object" && argument !== null && "factor" in argument && "offset" in argument;
}
