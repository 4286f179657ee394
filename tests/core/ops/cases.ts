import type { primitives } from "../../../core/ops/registry.ts";
import { pseudoRandom } from "../../support/numbers.ts";
import type { Case } from "./case.ts";
import { crfCases } from "./cases_crf.ts";
import { lossCases } from "./cases_losses.ts";
import { matmulConvCases } from "./cases_matmul_conv.ts";
import { transformerCases } from "./cases_transformer.ts";

type Name = keyof typeof primitives;

const unary = (name: Name, low = -2, high = 2, c?: number): Case[] =>
  [[7], [3, 5], [130]].map((shape) => ({
    inputs: [{ shape, low, high }],
    call: (ops, [x]) => (ops[name] as (...args: unknown[]) => typeof x)(x, ...(c === undefined ? [] : [c])),
  }));

const binary = (name: Name, low = -2, high = 2): Case[] =>
  [
    [[5], [5]],
    [[4, 3], [3]],
    [[4, 3], [4, 1]],
    [[2, 1, 3], [5, 1]],
    [[1], [2, 3]],
    [[], [6]],
    [[2, 3, 1, 5], [3, 4, 1]],
  ].map(([a, b]) => ({
    inputs: [{ shape: a, low, high }, { shape: b, low, high }],
    call: (ops, [x, y]) => (ops[name] as (...args: unknown[]) => typeof x)(x, y),
  }));

/** At least one case for every operation, as the type demands. */
export const cases: Record<Name, readonly Case[]> = {
  negate: unary("negate"),
  complement: unary("complement"),
  exp: unary("exp"),
  log: unary("log", 0.2, 3),
  sqrt: unary("sqrt", 0.2, 3),
  square: unary("square"),
  abs: unary("abs"),
  reciprocal: unary("reciprocal", 0.4, 3),
  relu: unary("relu"),
  sigmoid: unary("sigmoid", -6, 6),
  tanh: unary("tanh", -4, 4),
  gelu: unary("gelu", -6, 6),
  geluSlope: unary("geluSlope", -6, 6),
  geluTanh: unary("geluTanh", -6, 6),
  relu6: unary("relu6", -3, 9),
  silu: unary("silu", -6, 6),
  hardSigmoid: unary("hardSigmoid", -5, 5),
  hardSwish: unary("hardSwish", -5, 5),
  scale: unary("scale", -2, 2, -1.7),
  offset: unary("offset", -2, 2, 0.3),
  huber: unary("huber", -2, 2, 0.6),
  clampMinimum: unary("clampMinimum", -2, 2, -0.4),
  add: binary("add"),
  subtract: binary("subtract"),
  multiply: binary("multiply"),
  divide: binary("divide", 0.5, 2),
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  geluTangent: [[7], [3, 5], [130]].map((shape) => ({
    inputs: [{ shape, low: -6, high: 6 }, { shape }],
    call: (ops, [x, direction]) => ops.geluTangent(x, direction),
  })),
  reshape: [
    { inputs: [{ shape: [4, 3] }], call: (ops, [x]) => ops.reshape(x, [2, -1]) },
    { inputs: [{ shape: [1] }], call: (ops, [x]) => ops.reshape(x, []) },
  ],
  permute: [
    { inputs: [{ shape: [2, 3, 5] }], call: (ops, [x]) => ops.permute(x, [2, 0, 1]) },
    { inputs: [{ shape: [4, 7] }], call: (ops, [x]) => ops.permute(x, [1, 0]) },
    { inputs: [{ shape: [3, 1, 2] }], call: (ops, [x]) => ops.permute(x, [0, 2, 1]) },
    { inputs: [{ shape: [2, 3, 2, 3, 2, 2, 3] }], call: (ops, [x]) => ops.permute(x, [6, 4, 2, 0, 5, 3, 1]) },
  ],
  expand: [
    { inputs: [{ shape: [3, 1] }], call: (ops, [x]) => ops.expand(x, [2, 3, 4]) },
    { inputs: [{ shape: [] }], call: (ops, [x]) => ops.expand(x, [5]) },
  ],
  sum: [
    { inputs: [{ shape: [3, 4] }], call: (ops, [x]) => ops.sum(x) },
    { inputs: [{ shape: [3, 4, 5] }], call: (ops, [x]) => ops.sum(x, { axes: [0, 2] }) },
    { inputs: [{ shape: [3, 4, 5] }], call: (ops, [x]) => ops.sum(x, { axes: [-1], keepDimensions: true }) },
    { inputs: [{ shape: [700, 3] }], call: (ops, [x]) => ops.sum(x, { axes: [0] }) },
  ],
  meanSquaredDifference: binary("meanSquaredDifference"),
  weightedSquaredDifferences: [
    {
      inputs: [{ shape: [3, 5] }, { shape: [3, 5] }],
      call: (ops, [a, b]) => ops.weightedSquaredDifferences([a], [b], [0.7]),
    },
    {
      // Several threads' parts, and more numbers than threads.
      inputs: [{ shape: [1500] }, { shape: [7, 1] }, { shape: [] }, { shape: [1500] }, { shape: [7, 1] }, {
        shape: [],
      }],
      call: (ops, [a, b, c, d, e, f]) => ops.weightedSquaredDifferences([a, b, c], [d, e, f], [1, -0.5, 3]),
    },
  ],
  mean: [
    { inputs: [{ shape: [3, 4] }], call: (ops, [x]) => ops.mean(x) },
    { inputs: [{ shape: [2, 3, 3, 4] }], call: (ops, [x]) => ops.mean(x, { axes: [1, 2] }) },
  ],
  softmax: [
    { inputs: [{ shape: [3, 5], low: -4, high: 4 }], call: (ops, [x]) => ops.softmax(x) },
    { inputs: [{ shape: [2, 70, 1] }], call: (ops, [x]) => ops.softmax(x) },
  ],
  logSoftmax: [
    { inputs: [{ shape: [3, 5], low: -4, high: 4 }], call: (ops, [x]) => ops.logSoftmax(x) },
    { inputs: [{ shape: [2, 2, 33] }], call: (ops, [x]) => ops.logSoftmax(x) },
  ],
  ...lossCases,
  pick: [
    { inputs: [{ shape: [4, 3] }], call: (ops, [x]) => ops.pick(x, ops.tensor([2, 0, 1, 1])) },
    { inputs: [{ shape: [2, 2, 5] }], call: (ops, [x]) => ops.pick(x, ops.tensor([4, 0, 2, 2], [2, 2])) },
  ],
  dropout: [
    { inputs: [{ shape: [100] }], call: (ops, [x]) => ops.dropout(x, { rate: 0.3, seed: 7 }) },
    { inputs: [{ shape: [9] }], call: (ops, [x]) => ops.dropout(x, { rate: 0, seed: 4_000_000_000 }) },
  ],
  batchNorm: [true, false].flatMap((training) =>
    [
      { shape: [6, 3] },
      { shape: [2, 5, 3, 4], residual: true },
      { shape: [150, 1], activation: "relu" as const },
      { shape: [33, 8], residual: true, activation: "relu" as const },
      { shape: [19, 12], activation: "relu6" as const },
      { shape: [2, 5, 3, 5], residual: true, activation: "relu6" as const },
      { shape: [2, 5, 3, 7], residual: true, activation: "relu" as const },
    ].map(({ shape, residual, activation }): Case => ({
      inputs: [
        { shape },
        { shape: shape.slice(-1), low: 0.5, high: 2 },
        // Some of what relu6 gets is beyond 6.
        { shape: shape.slice(-1), ...activation === "relu6" && { low: 3, high: 8 } },
        ...(residual ? [{ shape }] : []),
      ],
      call: (ops, [x, weight, bias, added]) => {
        const channels = weight.size;
        const runningMean = ops.tensor(pseudoRandom(3, channels));
        const runningVariance = ops.tensor(pseudoRandom(4, channels, 0.5, 2));
        return ops.batchNorm(x, weight, bias, { training, runningMean, runningVariance, activation }, added);
      },
    }))
  ),
  ...crfCases,
  ...matmulConvCases,
  ...transformerCases,
};
