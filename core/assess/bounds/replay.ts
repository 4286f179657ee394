import type { Weights } from "../../nn/weights.ts";
import { amountAt, type Extent } from "../../onnx/amounts.ts";
import { type Argument, isValue, type Step, type Value } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";

/** What a traced forward pass is run with. */
export interface Replay {
  readonly ops: Ops;
  readonly weights: Weights;
  /** Examples in the batch. */
  readonly batch: number;
  /** What is known already, the inputs among it; what is computed is added. */
  readonly held: Map<Value, Tensor>;
}

/** Runs steps of a trace, in their order. */
export function replay(call: Replay, steps: readonly Step[]): void {
  for (const { name, arguments: given, output } of steps) {
    const operation = call.ops[name as keyof Ops] as unknown as (...args: unknown[]) => Tensor;
    call.held.set(output, operation(...given.map((argument) => resolve(call, argument))));
  }
}

/** A shape in a batch of so many examples. */
export function shapeIn(shape: readonly Extent[], batch: number): number[] {
  return shape.map((extent) => amountAt(extent, { batch, length: 1 }));
}

/** An argument in a batch of so many examples; `call` is what its tensors are found by. */
export function resolve(call: Replay | { readonly batch: number }, argument: Argument): unknown {
  if (typeof argument !== "object" || argument === null) return argument;
  if (isValue(argument)) {
    if ("held" in call) return tensorOf(call, argument);
    throw new Error("Cannot resolve a tensor without what holds it");
  }
  if (Array.isArray(argument)) return argument.map((part) => resolve(call, part));
  if (isExtent(argument)) return amountAt(argument, { batch: call.batch, length: 1 });
  return Object.fromEntries(Object.entries(argument).map(([key, part]) => [key, resolve(call, part)]));
}

const isExtent = (argument: object): argument is Exclude<Extent, number> =>
  "factor" in argument && "offset" in argument && "batch" in argument;

function tensorOf({ ops, weights, batch, held }: Replay, value: Value): Tensor {
  const known = held.get(value);
  if (known) return known;
  const { source, shape } = value;
  const made = (() => {
    switch (source.kind) {
      case "weight":
        return weights.get(source.name);
      case "numbers":
        return ops.tensor(source.data, shapeIn(shape, batch));
      case "filled":
        return ops.full(shapeIn(shape, batch), source.value);
      default:
        throw new Error(`Cannot run a trace without its ${source.kind}`);
    }
  })();
  held.set(value, made);
  return made;
}
