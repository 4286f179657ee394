import { unaryKernels } from "../kernels/elementwise.ts";
import type { UnaryName } from "../kernels/elementwise_table.ts";
import { showShape, Tensor } from "../tensor.ts";
import type { LayerNormOptions } from "./layer_norm.ts";
import type { MatmulOptions } from "./matmul.ts";
import type { Ops } from "./ops.ts";
import type { primitives } from "./registry.ts";

/** The name of a differentiable operation. */
export type OpName = keyof typeof primitives;

/** One call of an operation, and where its tensors move. */
export interface TangentCall {
  /** The operation's arguments. */
  readonly args: readonly unknown[];
  /** Its result. */
  readonly output: Tensor;
  /** Of each tensor among the arguments the direction in which it moves, in its shape; `null`: it stays. */
  readonly directions: readonly (Tensor | null)[];
}

/** An operation's call with its tensors apart. */
interface Moved extends TangentCall {
  readonly ops: Ops;
  /** The tensors among the arguments. */
  readonly inputs: readonly Tensor[];
  /** The first tensor, and where it moves: of an operation of one tensor that is not `null`. */
  readonly x: Tensor;
  readonly dx: Tensor;
}

/** How fast a result changes, by operations that are themselves differentiable. */
type Rule = (call: Moved) => Tensor;

/** Sums of what different arguments bring. */
function total(ops: Ops, terms: readonly (Tensor | null | undefined)[]): Tensor {
  return ops.total(terms.filter((term) => term instanceof Tensor));
}

/** Repeats a direction that was broadcast to the result's shape. */
function spread({ ops, output }: Moved, direction: Tensor): Tensor {
  return showShape(direction.shape) === showShape(output.shape) ? direction : ops.expand(direction, output.shape);
}

/** Of an operation that is linear in all its tensors together: the same of their directions. */
const linearly = (apply: (ops: Ops, directions: Tensor, args: readonly unknown[]) => Tensor): Rule => (call) =>
  apply(call.ops, call.dx, call.args);

/** The rule of a function of each number by its slope there. */
const bySlope = (slope: (call: Moved) => Tensor): Rule => (call) => call.ops.multiply(call.dx, slope(call));

/** The slope of a function that is made of straight lines: a constant, by the function's own gradient. */
const ofLines = (name: UnaryName | "clampMinimum"): Rule =>
  bySlope(({ ops, x, args }) =>
    ops.constant(() => {
      const slope = ops.device.empty(x.shape);
      const parameters = { size: x.size, c: typeof args[1] === "number" ? args[1] : 0 };
      ops.device.run(unaryKernels[name].dx, { input: x, gradient: ops.full(x.shape, 1), output: slope }, parameters);
      return slope;
    })
  );

/** y (d - sum y d) of each row: softmax, whatever a mask hides. */
const softmaxRule: Rule = ({ ops, output, dx }) => {
  const mean = ops.sum(ops.multiply(output, dx), { axes: [-1], keepDimensions: true });
  return ops.multiply(output, ops.subtract(dx, mean));
};

const product = (
  multiply: (call: Moved, a: Tensor, b: Tensor) => Tensor,
): Rule =>
(call) => {
  const { ops, inputs: [a, b], directions: [da, db] } = call;
  return total(ops, [da && multiply(call, da, b), db && multiply(call, a, db)]);
};

/** Slopes of x Phi(x) by tanh: with u = k (x + 0.044715 x^3) it is (1 + tanh u) / 2 + x (1 - tanh^2 u) u' / 2. */
function geluTanhSlope({ ops, x }: Moved): Tensor {
  const k = Math.sqrt(2 / Math.PI);
  const squares = ops.square(x);
  const t = ops.tanh(ops.multiply(ops.scale(x, k), ops.offset(ops.scale(squares, 0.044715), 1)));
  const inner = ops.scale(ops.offset(ops.scale(squares, 3 * 0.044715), 1), k);
  const second = ops.multiply(ops.multiply(x, inner), ops.complement(ops.square(t)));
  return ops.scale(ops.add(ops.offset(t, 1), second), 0.5);
}

function siluSlope({ ops, x }: Moved): Tensor {
  const s = ops.sigmoid(x);
  return ops.multiply(s, ops.offset(ops.multiply(x, ops.complement(s)), 1));
}

/**
 * Of y = w n + b with n = (x - mean) r and r = 1 / sqrt(var + epsilon): n' = r (c - n mean(n c)), c = x' - mean x'.
 */
function layerNormRule({ ops, args, directions: [dx, dw, db], inputs: [x, weight], output }: Moved): Tensor {
  const { epsilon = 1e-5 } = (args[3] ?? {}) as LayerNormOptions;
  const mean = (of: Tensor) => ops.mean(of, { axes: [-1], keepDimensions: true });
  const centred = ops.subtract(x, mean(x));
  const r = ops.reciprocal(ops.sqrt(ops.offset(mean(ops.square(centred)), epsilon)));
  const n = ops.multiply(centred, r);
  const moved = (dx: Tensor) => {
    const c = ops.subtract(dx, mean(dx));
    return ops.multiply(weight, ops.multiply(r, ops.subtract(c, ops.multiply(n, mean(ops.multiply(n, c))))));
  };
  return total(ops, [dx && moved(dx), dw && ops.multiply(dw, n), db && ops.expand(db, output.shape)]);
}

/**
 * How each operation's result changes along directions of its arguments. `null`: an operation through which nothing is
 * differentiated twice, as no loss wanted it so far; the refusal names it.
 */
const RULES: Readonly<Record<OpName, Rule | null>> = {
  negate: linearly((ops, d) => ops.negate(d)),
  complement: linearly((ops, d) => ops.negate(d)),
  exp: bySlope(({ output }) => output),
  log: ({ ops, x, dx }) => ops.divide(dx, x),
  sqrt: ({ ops, dx, output }) => ops.scale(ops.divide(dx, output), 0.5),
  square: bySlope(({ ops, x }) => ops.scale(x, 2)),
  abs: ofLines("abs"),
  reciprocal: bySlope(({ ops, output }) => ops.negate(ops.square(output))),
  relu: ofLines("relu"),
  sigmoid: bySlope(({ ops, output }) => ops.multiply(output, ops.complement(output))),
  tanh: bySlope(({ ops, output }) => ops.complement(ops.square(output))),
  gelu: ({ ops, x, dx }) => ops.geluTangent(x, dx),
  geluSlope: null,
  geluTangent: null,
  geluTanh: bySlope(geluTanhSlope),
  relu6: ofLines("relu6"),
  silu: bySlope(siluSlope),
  hardSigmoid: ofLines("hardSigmoid"),
  hardSwish: null,
  scale: linearly((ops, d, [, factor]) => ops.scale(d, factor as number)),
  offset: linearly((_, d) => d),
  huber: null,
  clampMinimum: ofLines("clampMinimum"),
  add: (call) => total(call.ops, call.directions.map((direction) => direction && spread(call, direction))),
  subtract: (call) => {
    const { ops, directions: [da, db] } = call;
    return total(ops, [da && spread(call, da), db && spread(call, ops.negate(db))]);
  },
  multiply: product(({ ops }, a, b) => ops.multiply(a, b)),
  divide: ({ ops, inputs: [, b], output, directions: [da, db] }) =>
    total(ops, [da && ops.divide(da, b), db && ops.negate(ops.divide(ops.multiply(output, db), b))]),
  maximum: null,
  minimum: null,
  batchNorm: null,
  concat: ({ ops, args, inputs, directions }) =>
    ops.concat(
      inputs.map(({ shape }, index) => directions[index] ?? ops.full(shape, 0)),
      args[1] as Parameters<Ops["concat"]>[1],
    ),
  conv2d: null,
  crossEntropy: null,
  crfLogMarginals: null,
  crfLogPartition: null,
  crfScore: null,
  klDivergence: null,
  jensenShannonDivergence: null,
  dropout: linearly((ops, d, [, options]) => ops.dropout(d, options as Parameters<Ops["dropout"]>[1])),
  embedding: null,
  expand: linearly((ops, d, [, shape]) => ops.expand(d, shape as number[])),
  permute: linearly((ops, d, [, order]) => ops.permute(d, order as number[])),
  reshape: ({ ops, dx, output }) => ops.reshape(dx, output.shape),
  layerNorm: layerNormRule,
  maskedSoftmax: softmaxRule,
  linear: ({ ops, inputs: [x, weight], directions: [dx, dw, db], output }) =>
    total(ops, [dx && ops.linear(dx, weight), dw && ops.linear(x, dw), db && ops.expand(db, output.shape)]),
  matmul: product(({ ops, args }, a, b) => ops.matmul(a, b, args[2] as MatmulOptions | undefined)),
  meanSquaredDifference: null,
  weightedSquaredDifferences: null,
  pickWithRest: null,
  pick: ({ ops, dx, inputs: [, indices] }) => ops.pick(dx, indices),
  averagePool2d: linearly((ops, d, [, options]) =>
    ops.averagePool2d(d, options as Parameters<Ops["averagePool2d"]>[1])
  ),
  maxPool2d: null,
  slice: linearly((ops, d, [, options]) => ops.slice(d, options as Parameters<Ops["slice"]>[1])),
  logSoftmax: ({ ops, dx, output }) =>
    ops.subtract(dx, ops.sum(ops.multiply(ops.exp(output), dx), { axes: [-1], keepDimensions: true })),
  softmax: softmaxRule,
  mean: linearly((ops, d, [, options]) => ops.mean(d, options as Parameters<Ops["mean"]>[1])),
  sum: linearly((ops, d, [, options]) => ops.sum(d, options as Parameters<Ops["sum"]>[1])),
};

/** Whether an operation can be differentiated twice. */
export function hasTangent(name: OpName): boolean {
  return RULES[name] !== null;
}

/**
 * How fast an operation's result changes where its arguments move: the derivative along directions, of the result's
 * shape, by operations that can themselves be differentiated.
 *
 * @param name of an operation that {@link hasTangent}
 */
export function tangentOf(ops: Ops, name: OpName, call: TangentCall): Tensor {
  const inputs = call.args.flat().filter((argument) => argument instanceof Tensor);
  return RULES[name]!({ ...call, ops, inputs, x: inputs[0], dx: call.directions[0]! });
}
