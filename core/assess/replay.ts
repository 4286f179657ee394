import type { Weights } from "../nn/weights.ts";
import { type Amount, amountAt, type Extent, type TracedSizes } from "../onnx/amounts.ts";
import { type Argument, isValue, type Step, type Value } from "../onnx/trace.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";

/** What a traced forward pass is run with. */
export interface Replay {
  readonly ops: Ops;
  readonly weights: Weights;
  /** Examples in the batch; of texts their tokens, too. */
  readonly sizes: TracedSizes;
  /** What is known already, the inputs among it; what is computed is added. */
  readonly held: Map<Value, Tensor>;
}

/** What tensors are found by. */
type TensorOf = (value: Value) => Tensor;

/** Runs steps of a trace, in their order. */
export function replay(call: Replay, steps: readonly Step[]): void {
  for (const step of steps) call.held.set(step.output, runAgain(call, step));
}

/**
 * Runs one operation of a trace.
 *
 * @param tensorOf gives tensors in the place of its values; left out: those that are held
 */
export function runAgain(call: Replay, { name, arguments: given }: Step, tensorOf: TensorOf = heldBy(call)): Tensor {
  const operation = call.ops[name as keyof Ops] as unknown as (...args: unknown[]) => Tensor;
  return operation(
    ...given.map((argument, place) =>
      name === "embedding" && place === 0 ? tables(call, argument) : resolve(argument, call.sizes, tensorOf)
    ),
  );
}

/** The tensor of a value that is held, or comes from the model's weights and numbers. */
export function tensorIn(call: Replay, value: Value): Tensor {
  const known = call.held.get(value);
  if (known) return known;
  const made = madeOf(call, value);
  call.held.set(value, made);
  return made;
}

const heldBy = (call: Replay): TensorOf => (value) => tensorIn(call, value);

/** A shape in a batch of so many examples. */
export function shapeIn(shape: readonly Extent[], batch: number): number[] {
  return shape.map((extent) => amountAt(extent, { batch, length: 1 }));
}

/** What an operation was given, with tensors and numbers in the place of values and of what follows the batch. */
export function resolve(argument: Argument, sizes: TracedSizes, tensorOf: TensorOf): unknown {
  if (isValue(argument)) return tensorOf(argument);
  if (Array.isArray(argument)) return argument.map((part) => resolve(part, sizes, tensorOf));
  if (isAmount(argument)) return amountAt(argument, sizes);
  if (typeof argument !== "object" || argument === null) return argument;
  return Object.fromEntries(Object.entries(argument).map(([key, part]) => [key, resolve(part, sizes, tensorOf)]));
}

/** Tables of embeddings, which may be too large to be one tensor. */
function tables(call: Replay, argument: Argument): unknown {
  const all = (Array.isArray(argument) ? argument : [argument]) as readonly Value[];
  return all.flatMap((table) =>
    table.source.kind === "weight" ? call.weights.rows(table.source.name) : [tensorIn(call, table)]
  );
}

function madeOf({ ops, weights, sizes }: Replay, { source, shape }: Value): Tensor {
  const extents = () => shape.map((extent) => amountAt(extent, sizes));
  switch (source.kind) {
    case "weight":
      return weights.get(source.name);
    case "numbers":
      return ops.tensor(source.data, extents());
    case "filled":
      return ops.full(extents(), source.value);
    case "input":
      throw new Error(`Cannot run a trace without its input ${source.entry}`);
    case "step":
      throw new Error(`Cannot find what ${source.step.name} gave before it has run`);
  }
}

function isAmount(argument: Argument): argument is Argument & Amount {
  return typeof argument === "object" && argument !== null && "factor" in argument && "offset" in argument;
}
