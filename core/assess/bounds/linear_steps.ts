import { normFactors, tracedNorm } from "../../onnx/traced_norm.ts";
import { fixedSize, isValue, type Step, type Value } from "../../onnx/trace.ts";
import type { ConvOptions } from "../../ops/window.ts";
import type { PoolOptions } from "../../ops/pool2d.ts";
import type { ReduceOptions } from "../../ops/sum.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { type Factors, type LinearCall, type LinearStep, NotCovered } from "./network.ts";
import { resolve, shapeIn } from "../replay.ts";

/** Whether a value follows the image, and what it is if not. */
export interface Known {
  changes(value: Value): boolean;
  /**
   * The numbers of a value that is the same for every batch. @throws NotCovered for one whose size follows the batch
   */
  numbers(value: Value): Factors;
}

type Made = Omit<LinearStep, "kind" | "name" | "inputs" | "output">;

/** @throws NotCovered for arguments that make the operation another than a linear one */
type Make = (step: Step, inputs: readonly Value[], known: Known) => Made;

/** A step that only moves numbers. */
const MOVES = { form: "none", factors: null, terms: 0, transposedTerms: 0 } as const;

/** Steps that are linear in what they get of the image. */
const LINEAR: Readonly<Record<string, Make>> = {
  conv2d: convolution,
  linear: matrix,
  batchNorm(step, _, known) {
    const { weight, variance, epsilon, training } = tracedNorm(step);
    if (training) throw new NotCovered("normalises by the statistics of the batch (batchNorm in training)");
    const [scale, spread] = [weight, variance].map((vector) => known.numbers(vector));
    return times({ data: normFactors(scale.data, spread.data, epsilon), shape: scale.shape });
  },
  add: (step, inputs) => sum(step, inputs, "add"),
  subtract: (step, inputs) => sum(step, inputs, "subtract"),
  multiply: (step, inputs, known) => times(sameShape(step, inputs, other(step, known))),
  divide(step, inputs, known) {
    if (!isChanging(step, 0, known)) throw new NotCovered("divides by what follows the image (divide)");
    const { data, shape } = other(step, known);
    return times(sameShape(step, inputs, { data: Float64Array.from(data, (one) => 1 / one), shape }));
  },
  scale({ arguments: [, factor] }) {
    if (typeof factor !== "number") throw new NotCovered("multiplies by the size of the batch (scale)");
    return times({ data: [factor], shape: [] });
  },
  negate: () => times({ data: [-1], shape: [] }),
  complement: () => times({ data: [-1], shape: [] }),
  offset: () => ({ ...MOVES, run: ({ inputs: [x] }) => x }),
  averagePool2d(step) {
    const options = step.arguments[1] as unknown as PoolOptions;
    const terms = options.size ** 2;
    return {
      ...MOVES,
      terms,
      transposedTerms: terms,
      run: ({ ops, inputs: [x] }) => ops.averagePool2d(x, options),
    };
  },
  maxPool2d(step) {
    const options = step.arguments[1] as unknown as PoolOptions;
    return { ...MOVES, run: ({ ops, inputs: [x] }) => ops.maxPool2d(x, options) };
  },
  mean: reduction((ops, x, options) => ops.mean(x, options)),
  sum: reduction((ops, x, options) => ops.sum(x, options)),
  reshape: (step) => moving((ops, [x], batch) => ops.reshape(x, shapeIn(step.output.shape, batch))),
  permute: (step) => moving((ops, [x]) => ops.permute(x, step.arguments[1] as number[])),
  slice: (step) =>
    moving((ops, [x], batch) => {
      const given = resolve(step.arguments[1], { batch, length: 1 }, () => {
        throw new Error("Cannot resolve a tensor without what holds it");
      });
      return ops.slice(x, given as Parameters<Ops["slice"]>[1]);
    }),
  concat: (step, inputs, known) => ({
    ...MOVES,
    // What stands there twice gets two coefficients on the way back, which are added.
    terms: (step.arguments[0] as readonly Value[]).filter(known.changes).length > inputs.length ? 1 : 0,
    transposedTerms: (step.arguments[0] as readonly Value[]).length,
    run({ ops, inputs: given, batch }) {
      const parts = (step.arguments[0] as readonly Value[]).map((part) =>
        inputs.includes(part) ? given[inputs.indexOf(part)] : ops.full(shapeIn(part.shape, batch), 0)
      );
      return ops.concat(parts, step.arguments[1] as unknown as Parameters<Ops["concat"]>[1]);
    },
  }),
};

/** Whether an operation is linear in the image by itself. */
export function isLinear({ name, arguments: [, options] }: Step): boolean {
  // A pool of one pixel takes every n-th.
  if (name === "maxPool2d") {
    const { size, padding = 0 } = options as unknown as PoolOptions;
    return size === 1 && padding === 0;
  }
  return Object.hasOwn(LINEAR, name);
}

/** @throws NotCovered */
export function linearStep(step: Step, inputs: readonly Value[], known: Known): LinearStep {
  const { name, output } = step;
  return { kind: "linear", name, inputs, output, ...LINEAR[name](step, inputs, known) };
}

function moving(run: (ops: Ops, inputs: readonly Tensor[], batch: number) => Tensor): Made {
  return { ...MOVES, run: ({ ops, inputs, batch }) => run(ops, inputs, batch) };
}

/** Each number times a number. */
function times(factors: Factors): Made {
  const run = ({ ops, inputs: [x], factors }: LinearCall) => ops.multiply(x, factors!);
  return { form: "each", factors, terms: 1, transposedTerms: 1, run };
}

function sum(step: Step, inputs: readonly Value[], name: "add" | "subtract"): Made {
  const operands = step.arguments as readonly Value[];
  for (const input of inputs) expectShape(step, input);
  if (inputs.length === 1 && operands[0] === operands[1]) {
    return times({ data: [name === "add" ? 2 : 0], shape: [] });
  }
  if (inputs.length === 1) {
    return operands[0] === inputs[0] || name === "add"
      ? { ...MOVES, run: ({ inputs: [x] }) => x }
      : times({ data: [-1], shape: [] });
  }
  return {
    ...MOVES,
    terms: 2,
    transposedTerms: 1,
    run: ({ ops, inputs: [a, b], absolute }) => absolute ? ops.add(a, b) : ops[name](a, b),
  };
}

function reduction(run: (ops: Ops, x: Tensor, options: ReduceOptions) => Tensor): Make {
  return ({ arguments: [x, given], output }) => {
    const options = (given ?? {}) as ReduceOptions;
    const { axes } = options;
    if (!axes || axes.some((axis) => axis === 0 || axis === -(x as Value).shape.length)) {
      throw new NotCovered("sums over the examples of a batch");
    }
    const terms = ofOne((x as Value).shape) / ofOne(output.shape);
    return {
      ...MOVES,
      terms: terms + 1,
      transposedTerms: 1,
      run: ({ ops, inputs: [x] }) => run(ops, x, options),
    };
  };
}

const ofOne = ([, ...rest]: Value["shape"]) => fixedSize(rest) ?? 0;

function matrix({ arguments: [x, weight] }: Step, inputs: readonly Value[], known: Known): Made {
  if (inputs.length > 1 || inputs[0] !== x) {
    throw new NotCovered("multiplies what follows the image by itself (linear)");
  }
  const factors = known.numbers(weight as Value);
  const [outputs, taken] = factors.shape;
  return {
    form: "rows",
    factors,
    terms: taken,
    transposedTerms: outputs,
    run: ({ ops, inputs: [x], factors }) => ops.linear(x, factors!),
  };
}

function convolution({ arguments: [x, filter, given] }: Step, inputs: readonly Value[], known: Known): Made {
  if (inputs.length > 1 || inputs[0] !== x) {
    throw new NotCovered("multiplies what follows the image by itself (conv2d)");
  }
  const options = (given ?? {}) as ConvOptions;
  const { stride = 1, dilation = 1, groups = 1 } = options;
  const factors = known.numbers(filter as Value);
  const [outputs, taken, height, width] = factors.shape;
  const common = {
    form: "rows",
    terms: taken * height * width,
    transposedTerms: outputs / groups * height * width,
  } as const;
  if (height !== 3 || width !== 3 || stride !== 1 || dilation !== 1 || groups !== 1) {
    return { factors, ...common, run: ({ ops, inputs: [x], factors }) => ops.conv2d(x, factors!, options) };
  }
  // A backend may compute 3x3 taps by Winograd's algorithm, whose rounding is not that of a sum of these products. A
  // row of taps that are 0 takes it away: the image gets a row of zeros at its end, which it sees.
  const tall = { data: withRowOfTaps(factors), shape: [outputs, taken, 4, 3] };
  return {
    factors: tall,
    ...common,
    run: ({ ops, inputs: [x], factors }) => {
      const [batch, , columns, channels] = x.shape;
      const longer = ops.concat([x, ops.full([batch, 1, columns, channels], 0)], { axis: 1 });
      return ops.conv2d(longer, factors!, options);
    },
  };
}

function withRowOfTaps({ data, shape: [outputs, inputs] }: Factors): Float64Array {
  const tall = new Float64Array(outputs * inputs * 12);
  for (let filter = 0; filter < outputs * inputs; filter++) {
    for (let tap = 0; tap < 9; tap++) tall[filter * 12 + tap] = data[filter * 9 + tap];
  }
  return tall;
}

const isChanging = ({ arguments: given }: Step, index: number, known: Known) =>
  isValue(given[index]) && known.changes(given[index]);

/** The operand that does not follow the image. */
function other(step: Step, known: Known): Factors {
  const found = step.arguments.filter(isValue).filter((value) => !known.changes(value));
  if (found.length !== 1) {
    throw new NotCovered(`multiplies or divides what follows the image by what follows it, too (${step.name})`);
  }
  return known.numbers(found[0]);
}

function sameShape(step: Step, inputs: readonly Value[], factors: Factors): Factors {
  for (const input of inputs) expectShape(step, input);
  return factors;
}

function expectShape({ name, output }: Step, { shape }: Value): void {
  if (JSON.stringify(shape) === JSON.stringify(output.shape)) return;
  throw new NotCovered(`repeats what follows the image along a dimension (${name})`);
}

/**
 * Rows of factors, and what multiplies each number that they come to, as other rows: batch norm behind a convolution.
 *
 * @returns `null` for steps that are no such pair
 */
export function merged(rows: LinearStep, each: LinearStep): LinearStep | null {
  if (rows.form !== "rows" || each.form !== "each") return null;
  const { data, shape } = rows.factors!;
  const { data: scale, shape: { length } } = each.factors!;
  const count = shape[0];
  if (length > 1 || (length === 1 && scale.length !== count)) return null;
  const width = data.length / count;
  const scaled = Float64Array.from(data, (one, i) => one * scale[length === 0 ? 0 : Math.floor(i / width)]);
  return { ...rows, output: each.output, factors: { data: scaled, shape } };
}
