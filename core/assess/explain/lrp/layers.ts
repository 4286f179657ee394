import { type Argument, isValue, type Step, type Value, valuesIn } from "../../../onnx/trace.ts";
import type { Ops } from "../../../ops/ops.ts";
import type { Tensor } from "../../../tensor.ts";
import { tracedNorm } from "../../../onnx/traced_norm.ts";
import type { TraceRun } from "../run_trace.ts";

/** A linear layer of a forward pass, z = f(x; weight) + bias, with batch norm behind it in its numbers. */
export interface Layer {
  /** By which its rule is chosen: `affine` multiplies each channel by a number. */
  readonly kind: "conv2d" | "dense" | "affine";
  /** What it reads. */
  readonly x: Value;
  readonly weight: Tensor;
  /** Added to each example's result; `null`: nothing. */
  readonly bias: Tensor | null;
  /** Without the bias. */
  apply(x: Tensor, weight: Tensor): Tensor;
  /** The weight whose results are multiplied by `[channels]`; `null` where that is no such weight. */
  scaled: ((factors: Tensor) => Tensor) | null;
}

/** Finds the layers of a forward pass on a batch. */
export class Layers {
  readonly #uses = new Map<Value, number>();

  /** @param follows whether a value follows what is explained */
  constructor(
    private readonly ops: Ops,
    private readonly run: TraceRun,
    private readonly follows: (value: Value) => boolean,
  ) {
    for (
      const value of [...run.trace.steps.flatMap(({ arguments: args }) => args.flatMap(valuesIn)), run.trace.logits]
    ) {
      this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
    }
  }

  /** The layer that gives what a step does, apart from a batch norm's residual and activation; `null`: none does. */
  of(step: Step): Layer | null {
    const [x, weight, third] = step.arguments;
    switch (step.name) {
      case "conv2d": {
        if (!this.#isLinearIn(x, weight)) return null;
        const given = this.run.options(third) as Parameters<Ops["conv2d"]>[2];
        return {
          kind: "conv2d",
          x,
          weight: this.run.get(weight as Value),
          bias: null,
          apply: (x, weight) => this.ops.conv2d(x, weight, given),
          scaled: (factors) => this.#rows(this.run.get(weight as Value), factors),
        };
      }
      case "linear":
        if (!this.#isLinearIn(x, weight, third)) return null;
        return {
          kind: "dense",
          x,
          weight: this.run.get(weight as Value),
          bias: isValue(third) ? this.run.get(third) : null,
          apply: (x, weight) => this.ops.linear(x, weight),
          scaled: (factors) => this.#rows(this.run.get(weight as Value), factors),
        };
      case "matmul":
        return this.#matmul(step);
      case "add":
        return this.#biased(step);
      case "batchNorm":
        if (!this.#isLinearIn(x, weight, third)) return null;
        return this.#normed(step);
      default:
        return null;
    }
  }

  /** Whether the first follows what is explained, and none of the others, which are a layer's numbers, does. */
  #isLinearIn(x: Argument, ...numbers: readonly Argument[]): x is Value {
    return isValue(x) && this.follows(x) && !numbers.flatMap(valuesIn).some((value) => this.follows(value));
  }

  /** A weight with its first dimension times factors. */
  #rows(weight: Tensor, factors: Tensor): Tensor {
    return this.ops.multiply(weight, this.ops.reshape(factors, [factors.size, ...weight.shape.slice(1).map(() => 1)]));
  }

  /** The layer that gives a value which nobody else wants. */
  #alone(value: Value): Layer | null {
    return value.source.kind === "step" && this.#uses.get(value) === 1 ? this.of(value.source.step) : null;
  }

  #matmul(step: Step): Layer | null {
    const [a, b, given] = step.arguments;
    const options = this.run.options(given) as Parameters<Ops["matmul"]>[2];
    const isRight = this.#isLinearIn(b, a);
    if (!isRight && !this.#isLinearIn(a, b)) return null;
    return {
      kind: "dense",
      x: (isRight ? b : a) as Value,
      weight: this.run.get((isRight ? a : b) as Value),
      bias: null,
      apply: (x, weight) => isRight ? this.ops.matmul(weight, x, options) : this.ops.matmul(x, weight, options),
      scaled: null,
    };
  }

  /** A layer with what is added to its result; `null` where something else is. */
  #biased({ arguments: [a, b], output }: Step): Layer | null {
    for (const [x, bias] of [[a, b], [b, a]]) {
      if (!this.#isLinearIn(x, bias) || showExtents(x) !== showExtents(output)) continue;
      const layer = this.#alone(x);
      // Behind a batch norm with an activation it would not be added to the layer's own result.
      if (!layer || !isValue(bias) || !isBare(x)) return null;
      const added = this.run.get(bias);
      return { ...layer, bias: layer.bias ? this.ops.add(layer.bias, added) : added };
    }
    return null;
  }

  /** Batch norm as other numbers of the layer before it, else as a layer by itself. */
  #normed(step: Step): Layer {
    const { ops, run } = this;
    const { x, epsilon, ...norm } = tracedNorm(step);
    const [weight, bias, mean, variance] = [norm.weight, norm.bias, norm.mean, norm.variance].map((value) =>
      run.get(value)
    );
    const factors = ops.divide(weight, ops.sqrt(ops.offset(variance, epsilon)));
    const shift = ops.subtract(bias, ops.multiply(mean, factors));
    const before = isBare(x) ? this.#alone(x) : null;
    if (!before?.scaled) {
      const apply = (x: Tensor, weight: Tensor) => ops.multiply(x, weight);
      return { kind: "affine", x, weight: factors, bias: shift, apply, scaled: null };
    }
    const { bias: own } = before;
    const folded = before.scaled(factors);
    return { ...before, weight: folded, bias: own ? ops.add(ops.multiply(own, factors), shift) : shift, scaled: null };
  }
}

/** Whether a value is a layer's own result, with nothing added to it and no activation behind. */
function isBare({ source }: Value): boolean {
  if (source.kind !== "step" || source.step.name !== "batchNorm") return true;
  const { residual, activation } = tracedNorm(source.step);
  return residual === null && activation === "none";
}

const showExtents = ({ shape }: Value) => JSON.stringify(shape);
