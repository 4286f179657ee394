import type { Ops } from "../../../ops/ops.ts";
import type { Tensor } from "../../../tensor.ts";
import type { Layer } from "./layers.ts";

/** What went back through a layer. */
export interface Shared {
  /** The relevance of what it reads, in its shape. */
  readonly relevance: Tensor;
  /** What its bias took, `[batch]`. */
  readonly bias: Tensor | null;
}

/** Divides by numbers that are kept away from 0 on their own side of it, r / (z + epsilon sign(z)); 0 where z is 0. */
export function divided(ops: Ops, r: Tensor, z: Tensor, epsilon: number): Tensor {
  const size = ops.abs(z);
  const sign = ops.divide(z, ops.clampMinimum(size, SMALLEST));
  return ops.divide(ops.multiply(r, sign), ops.clampMinimum(ops.offset(size, epsilon), SMALLEST));
}

const SMALLEST = 1e-30;

/**
 * Gradients, by tensors, of what `forward` gives of them, summed up with weights.
 *
 * @param weigh the weights, of the result and in its shape
 */
export function goBack(
  ops: Ops,
  inputs: readonly Tensor[],
  forward: () => Tensor,
  weigh: (output: Tensor) => Tensor,
): Tensor[] {
  const { gradients } = ops.differentiate(() => {
    const output = forward();
    return ops.sum(ops.multiply(output, ops.constant(() => weigh(output))));
  }, inputs);
  return gradients.map((gradient, index) => gradient ?? ops.full(inputs[index].shape, 0));
}

/** The sum over all but the first dimension: `[batch]`. */
export function perExample(ops: Ops, x: Tensor, examples: number): Tensor {
  return ops.sum(ops.reshape(x, [examples, x.size / examples]), { axes: [1] });
}

/** Of a layer on a batch. */
interface RuleCall {
  readonly ops: Ops;
  readonly layer: Layer;
  readonly x: Tensor;
  /** The relevance of its result. */
  readonly relevance: Tensor;
  readonly epsilon: number;
  readonly examples: number;
}

/** R_i = x_i sum_j w_ij R_j / (z_j + epsilon sign(z_j)): Bach et al. 2015, doi 10.1371/journal.pone.0130140, eq. 58. */
export function epsilonRule({ ops, layer, x, relevance, epsilon, examples }: RuleCall): Shared {
  let bias: Tensor | null = null;
  const [gradient] = goBack(ops, [x], () => layer.apply(x, layer.weight), (output) => {
    const shares = divided(ops, relevance, layer.bias ? ops.add(output, layer.bias) : output, epsilon);
    bias = layer.bias && perExample(ops, ops.multiply(shares, layer.bias), examples);
    return shares;
  });
  return { relevance: ops.multiply(x, gradient), bias };
}

/**
 * Only what speaks for a neuron gets of its relevance, in proportion to (x_i w_ij)+ and b_j+: the same, eq. 60 with
 * alpha 1 and beta 0.
 *
 * @param isPositive whether no number of x is negative
 */
export function positiveRule(
  { ops, layer, x, relevance, epsilon, examples }: RuleCall,
  isPositive: boolean,
): Shared {
  const [up, down] = [ops.relu(layer.weight), negativePart(ops, layer.weight)];
  const parts = isPositive ? [{ x, weight: up }] : [
    { x: ops.relu(x), weight: up },
    { x: negativePart(ops, x), weight: down },
  ];
  const added = layer.bias && ops.relu(layer.bias);
  let bias: Tensor | null = null;
  const gradients = goBack(
    ops,
    parts.map(({ x }) => x),
    () => ops.total(parts.map(({ x, weight }) => layer.apply(x, weight))),
    (output) => {
      const shares = divided(ops, relevance, added ? ops.add(output, added) : output, epsilon);
      bias = added && perExample(ops, ops.multiply(shares, added), examples);
      return shares;
    },
  );
  return { relevance: ops.total(parts.map(({ x }, index) => ops.multiply(x, gradients[index]))), bias };
}

/** What inputs of a first layer lie between, in the shape of its x. */
export interface Box {
  readonly low: Tensor;
  readonly high: Tensor;
}

/**
 * For a first layer whose inputs lie in a box: in proportion to x_i w_ij - l_i w_ij+ - h_i w_ij-, which is not
 * negative. Montavon et al. 2017, arXiv 1512.02479, section 4.2 ("z-box").
 */
export function boxRule({ ops, layer, x, relevance, epsilon }: RuleCall, { low, high }: Box): Shared {
  const parts = [
    { x, weight: layer.weight, sign: 1 },
    { x: low, weight: ops.relu(layer.weight), sign: -1 },
    { x: high, weight: negativePart(ops, layer.weight), sign: -1 },
  ];
  const gradients = goBack(
    ops,
    parts.map(({ x }) => x),
    () => ops.total(parts.map(({ x, weight, sign }) => ops.scale(layer.apply(x, weight), sign))),
    (output) => divided(ops, relevance, output, epsilon),
  );
  return { relevance: ops.total(parts.map(({ x }, index) => ops.multiply(x, gradients[index]))), bias: null };
}

/** For a first layer: in proportion to `w_ij^2`, or to 1, whatever the inputs are (the same, section 4.1; "flat"). */
export function weightRule({ ops, layer, x, relevance, epsilon }: RuleCall, rule: "w2" | "flat"): Shared {
  const weight = rule === "w2" ? ops.square(layer.weight) : ops.full(layer.weight.shape, 1);
  const ones = ops.full(x.shape, 1);
  const [gradient] = goBack(
    ops,
    [ones],
    () => layer.apply(ones, weight),
    (output) => divided(ops, relevance, output, epsilon),
  );
  return { relevance: gradient, bias: null };
}

const negativePart = (ops: Ops, x: Tensor) => ops.negate(ops.relu(ops.negate(x)));
