import { contract } from "../contract.ts";
import type { Backend } from "../backend/backend.ts";
import { sizesOnly } from "../backend/sizes_only.ts";
import { UserError } from "../errors.ts";
import type { Weights } from "../nn/weights.ts";
import { createOps, type Ops } from "../ops/ops.ts";
import { primitives } from "../ops/registry.ts";
import type { Batch, InputDescription } from "../plugin/dataset.ts";
import { type Model, TEXT_INPUTS } from "../plugin/model.ts";
import { sizeOf, Tensor } from "../tensor.ts";
import { amountOf, type Extent, type TracedSizes } from "./amounts.ts";

/** What made a value. */
export type Source =
  | { readonly kind: "input"; readonly entry: string }
  | { readonly kind: "weight"; readonly name: string }
  /** The same in every forward pass. */
  | { readonly kind: "numbers"; readonly data: ArrayLike<number> }
  /** One number everywhere. */
  | { readonly kind: "filled"; readonly value: number }
  | { readonly kind: "step"; readonly step: Step };

/** A tensor of a forward pass. */
export interface Value {
  readonly shape: readonly Extent[];
  readonly source: Source;
}

/** An argument of an operation: values, numbers that may follow the batch, and options of them. */
export type Argument = Value | Extent | string | boolean | null | undefined | readonly Argument[] | {
  readonly [name: string]: Argument;
};

/** An operation of a forward pass. */
export interface Step {
  /** Its name in {@link Ops}. */
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly output: Value;
}

/** A model's forward pass, written down rather than computed. */
export interface Trace {
  /** The operations on which the logits depend, in their order. */
  readonly steps: readonly Step[];
  readonly logits: Value;
  /** The entries of the batch that they depend on. */
  readonly inputs: readonly string[];
  /** The transitions of a CRF behind them: the name of a weight. */
  readonly transitions: string | null;
}

/** What a model does that no graph of operations can say. */
export class NotTraceable extends UserError {
  static {
    this.prototype.name = "NotTraceable";
  }
}

/** What one run of the model's `forward` did. */
interface Recording {
  readonly calls: readonly { readonly name: string; readonly args: readonly unknown[]; readonly output: Tensor }[];
  readonly sources: ReadonlyMap<Tensor, Exclude<Source, { kind: "step" }>>;
  readonly logits: Tensor;
  readonly transitions: Tensor | null;
}

/**
 * Writes a model's forward pass down: its `forward` is run with operations that look at sizes and compute nothing. With
 * batches of several sizes, so that it is seen which numbers follow from them, and that nothing else does.
 *
 * @throws UserError for a model that does other things with other sizes
 */
export function traceModel(model: Model, input: InputDescription): Trace {
  const sizes = sizesFor(input);
  const recordings = sizes.map((size) => record(model, input, size));
  return alike(recordings, sizes);
}

/** Batches whose sizes tell themselves from each other, and from most numbers of a model. */
function sizesFor({ text }: InputDescription): TracedSizes[] {
  const most = text?.maxLength ?? 1;
  const [first, second, third] = [
    Math.min(most, 13),
    Math.max(1, Math.min(most, 13) - 2),
    Math.max(1, Math.min(most, 13) - 3),
  ];
  return [
    { batch: 3, length: first },
    { batch: 5, length: first },
    { batch: 3, length: second },
    { batch: 7, length: third },
  ];
}

function record(model: Model, { image, text }: InputDescription, { batch: size, length }: TracedSizes): Recording {
  const inner = createOps(nowhere());
  const calls: { name: string; args: unknown[]; output: Tensor }[] = [];
  const sources = new Map<Tensor, Exclude<Source, { kind: "step" }>>();
  const made = (shape: readonly number[], source: Exclude<Source, { kind: "step" }>) => {
    const tensor = inner.device.empty(shape);
    sources.set(tensor, source);
    return tensor;
  };
  const recorded = Object.fromEntries(
    (Object.keys(primitives) as (keyof typeof primitives)[]).map((name) => {
      const call = (...args: unknown[]): Tensor => {
        const output = (inner[name] as (...args: unknown[]) => Tensor)(...args);
        calls.push({ name, args, output });
        return output;
      };
      return [name, call];
    }),
  );
  const refuse = (what: string) => (): never => {
    throw new NotTraceable(`its forward pass calls ${what}, which a graph of operations cannot say`);
  };
  const ops: Ops = {
    ...inner,
    ...recorded,
    contract: (pattern, ...tensors) => contract(ops, pattern, ...tensors),
    total: (terms) => terms.reduce((sum, term) => ops.add(sum, term)),
    convBatchNorm: (x, filter, convolution, ...norm) => ops.batchNorm(ops.conv2d(x, filter, convolution), ...norm),
    tensor: (data, shape = [data.length]) => made(shape, { kind: "numbers", data }),
    full: (shape, value) => made(shape, { kind: "filled", value }),
    scalar: (value) => made([], { kind: "filled", value }),
    scope: (body) => body(),
    constant: (body) => body(),
    read: refuse("ops.read"),
    assign: refuse("ops.assign"),
    assignRows: refuse("ops.assignRows"),
    differentiate: refuse("ops.differentiate"),
  };
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const held = new Map<string, Tensor>();
  const weight = (name: string): Tensor => {
    const shape = shapes.get(name);
    if (!shape) throw new RangeError(`Cannot find the weight "${name}": there are ${[...shapes.keys()].join(", ")}`);
    const tensor = held.get(name) ?? made(shape, { kind: "weight", name });
    held.set(name, tensor);
    return tensor;
  };
  const weights: Weights = { get: weight, rows: (name) => [weight(name)], cores: () => null };
  const given = image ? { image: [size, ...image.size] } : Object.fromEntries(
    Object.keys(TEXT_INPUTS).map((name) => [name, [size, Math.min(length, text!.maxLength)]]),
  );
  const batch: Batch<Tensor> = Object.fromEntries(
    Object.entries(given).map(([entry, shape]) => [entry, made(shape, { kind: "input", entry })]),
  );
  const randomSeed = refuse("randomSeed");
  const outputs = model.forward({ ops, weights, batch, training: false, randomSeed, wanted: new Set() });
  return { calls, sources, logits: outputs.logits, transitions: outputs.transitions ?? null };
}

/** A backend that has no limits, and computes nothing. */
function nowhere(): Backend {
  const none = () => {
    throw new Error("Cannot compute where only sizes are looked at");
  };
  const use = { storages: 0, bytes: 0, peakBytes: 0 };
  return sizesOnly({
    name: "cpu",
    precision: "float32",
    description: "sizes only",
    parallel: false,
    mostNumbers: Number.MAX_SAFE_INTEGER,
    f16: false,
    exchange: { on: "cpu", numbers: none },
    memory: () => use,
    work: () => ({ dispatches: 0, submits: 0 }),
    // The others are replaced.
  } as unknown as Backend);
}

/** The same tensor of several runs. */
type Seen = readonly Tensor[];

/** One trace of runs with batches of several sizes. */
function alike(recordings: readonly Recording[], sizes: readonly TracedSizes[]): Trace {
  const [first] = recordings;
  const other = recordings.find(({ calls }) =>
    calls.length !== first.calls.length || calls.some(({ name }, index) => name !== first.calls[index].name)
  );
  if (other) throw new NotTraceable("its forward pass runs other operations for batches of another size");
  const values = new Map<Tensor, Value>();
  const amount = (seen: readonly number[], where: string): Extent => {
    const found = amountOf(seen, sizes);
    if (found !== null) return found;
    throw new NotTraceable(
      `${where} follows the size of the batch in a way that a graph cannot say (${seen.join(", ")})`,
    );
  };
  const shapeOf = (seen: Seen, where: string) =>
    seen[0].shape.map((_, axis) => amount(seen.map(({ shape }) => shape[axis]), `a shape in ${where}`));
  const valueOf = (seen: Seen, where: string): Value => {
    const known = values.get(seen[0]);
    if (known) return known;
    const source = recordings[0].sources.get(seen[0]);
    if (!source) {
      throw new NotTraceable(`${where} takes a tensor that no operation made which can be exported`);
    }
    if (source.kind === "numbers") {
      const others = recordings.map(({ sources }, index) => sources.get(seen[index]));
      const same = others.every((found) =>
        found?.kind === "numbers" && found.data.length === source.data.length &&
        Array.from(found.data).every((number, place) => Object.is(number, source.data[place]))
      );
      if (!same) throw new NotTraceable(`${where} takes numbers from the host that follow the size of the batch`);
    }
    if (source.kind === "filled") {
      const others = recordings.map(({ sources }, index) => sources.get(seen[index]));
      if (!others.every((found) => found?.kind === "filled" && Object.is(found.value, source.value))) {
        throw new NotTraceable(`${where} takes a number that follows the size of the batch`);
      }
    }
    const value: Value = { shape: shapeOf(seen, where), source };
    values.set(seen[0], value);
    return value;
  };
  const argument = (seen: readonly unknown[], where: string): Argument => {
    const [one] = seen;
    if (one instanceof Tensor) return valueOf(seen as Seen, where);
    if (typeof one === "number") return amount(seen as number[], where);
    if (Array.isArray(one) || ArrayBuffer.isView(one)) {
      const lists = seen as (readonly unknown[])[];
      return Array.from(lists[0], (_, index) => argument(lists.map((list) => list[index]), where));
    }
    if (typeof one === "object" && one !== null) {
      const maps = seen as Readonly<Record<string, unknown>>[];
      return Object.fromEntries(
        Object.keys(one).map((key) => [key, argument(maps.map((map) => map[key]), `${where}, ${key}`)]),
      );
    }
    if (!seen.every((found) => found === one)) throw new NotTraceable(`an option of ${where} follows the batch`);
    return one as string | boolean | null | undefined;
  };
  // From the logits back: what they do not depend on, such as hidden states for losses, need not be said.
  const maker = new Map(first.calls.map((call, index) => [call.output, index]));
  const needed = new Set<number>();
  const open = [first.logits];
  while (open.length > 0) {
    const index = maker.get(open.pop()!);
    if (index === undefined || needed.has(index)) continue;
    needed.add(index);
    open.push(...tensorsIn(first.calls[index].args));
  }
  const steps: Step[] = [];
  for (const index of [...needed].sort((a, b) => a - b)) {
    const calls = recordings.map(({ calls }) => calls[index]);
    const [{ name, output }] = calls;
    const args = calls[0].args.map((_, place) => argument(calls.map(({ args }) => args[place]), name));
    const step = { name, arguments: args } as unknown as { output: Value } & Omit<Step, "output">;
    step.output = { shape: shapeOf(calls.map((call) => call.output), name), source: { kind: "step", step } };
    values.set(output, step.output);
    steps.push(step);
  }
  const logits = valueOf(recordings.map((recording) => recording.logits), "the model");
  const inputs = [
    ...new Set([...values.values()].flatMap(({ source }) => source.kind === "input" ? [source.entry] : [])),
  ];
  const transitions = first.transitions && first.sources.get(first.transitions);
  return { steps, logits, inputs, transitions: transitions?.kind === "weight" ? transitions.name : null };
}

function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (Array.isArray(value)) { for (const part of value) yield* tensorsIn(part); }
  else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const part of Object.values(value)) yield* tensorsIn(part);
  }
}

/** Whether an argument is a value. */
export function isValue(argument: Argument): argument is Value {
  return typeof argument === "object" && argument !== null && "source" in argument;
}

/** The values among the arguments of an operation. */
export function valuesIn(argument: Argument): Value[] {
  if (isValue(argument)) return [argument];
  if (Array.isArray(argument)) return argument.flatMap(valuesIn);
  if (typeof argument === "object" && argument !== null) return Object.values(argument).flatMap(valuesIn);
  return [];
}

/** How many numbers a value has, where that does not follow the batch. */
export function fixedSize(shape: readonly Extent[]): number | null {
  return shape.every((extent): extent is number => typeof extent === "number") ? sizeOf(shape) : null;
}
