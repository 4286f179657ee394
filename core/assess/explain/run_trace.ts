import { type Argument, type Step, type Trace, type Value, valuesIn } from "../../onnx/trace.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch } from "../../plugin/dataset.ts";
import type { Tensor } from "../../tensor.ts";
import { type Replay, replay, resolve, runAgain, tensorIn } from "../replay.ts";

/** A forward pass that was written down, computed on a batch: all its values stay until the scope around it ends. */
export class TraceRun {
  readonly #call: Replay;

  constructor(ops: Ops, readonly trace: Trace, weights: Weights, batch: Batch<Tensor>) {
    const [size, length = 1] = batch[trace.inputs[0]].shape;
    this.#call = { ops, weights, sizes: { batch: size, length }, held: new Map() };
    for (const value of [...trace.steps.flatMap((step) => valuesIn(step.arguments as Argument)), trace.logits]) {
      if (value.source.kind === "input") this.#call.held.set(value, batch[value.source.entry]);
    }
    replay(this.#call, trace.steps);
  }

  /** How many examples there are. */
  get examples(): number {
    return this.#call.sizes.batch;
  }

  /** The numbers of a value. */
  get(value: Value): Tensor {
    return tensorIn(this.#call, value);
  }

  /** Runs an operation of the pass again, with tensors in the place of its values. */
  again(step: Step, tensorOf: (value: Value) => Tensor): Tensor {
    return runAgain(this.#call, step, tensorOf);
  }

  /** What an operation was given, with numbers in the place of those that follow the batch. */
  options(argument: Argument): unknown {
    return resolve(argument, this.#call.sizes, (value) => this.get(value));
  }
}
