import { breathe } from "../../evaluate/breathe.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import type { Space } from "./space.ts";

/** How far a change may go: the largest of its numbers, or its Euclidean norm. */
export type Norm = "linf" | "l2";

/** What was found for each example of a batch: the change that leaves the least margin. */
export interface Attacked {
  /** In the shape of the space. */
  readonly change: Tensor;
  /** `[batch]`: the right class's logit less the largest other; wrong from below 0, and at 0 perhaps. */
  readonly margin: Tensor;
  /** `[batch]`: the class that is decided for. */
  readonly decided: Tensor;
}

/** Below this a number counts as 0 where it is divided by: WebGPU may take smaller ones for 0. */
const TINY = 1e-37;

/** Far below every logit. */
const NEVER = -1e9;

/**
 * What is maximised: log(sum of exp of the other classes' logits) less the right class's logit, summed over examples.
 * Its gradient is that of the cross-entropy but for a factor of each example, 1 / (1 - p), by which neither a sign nor
 * a direction changes; it does not vanish where a model is as good as certain.
 */
function objective(ops: Ops, logits: Tensor, labels: Tensor, barrier: Tensor) {
  const others = ops.add(logits, barrier);
  const largest = ops.argmax(others);
  const [own, next] = [ops.pick(logits, labels), ops.pick(others, largest)];
  const partition = ops.subtract(next, ops.pick(ops.logSoftmax(others), largest));
  return { loss: ops.sum(ops.subtract(partition, own)), margin: ops.subtract(own, next) };
}

/** The right class's column of each row as low as can be: `[batch, classes]`. */
function barrierOf(ops: Ops, labels: Tensor, logits: Tensor): Tensor {
  const classes = logits.shape.at(-1)!;
  const numbers = ops.tensor(Array.from({ length: classes }, (_, c) => c));
  const apart = ops.abs(ops.subtract(ops.reshape(labels, [labels.size, 1]), numbers));
  return ops.scale(ops.relu(ops.complement(apart)), NEVER);
}

/** Numbers that stand for each example, `[batch]`, as they are broadcast over a change. */
const perExample = (ops: Ops, numbers: Tensor, { shape }: Space) =>
  ops.reshape(numbers, [numbers.size, ...shape.slice(1).map(() => 1)]);

const axesOf = ({ shape }: Space) => shape.slice(1).map((_, axis) => axis + 1);

/** 1, 0 or -1 for each number. */
const signs = (ops: Ops, x: Tensor) => ops.divide(x, ops.maximum(ops.abs(x), ops.scalar(TINY)));

/** The Euclidean norm of each example, `[batch]`; its numbers are scaled before they are squared, as squares vanish. */
function norms(ops: Ops, space: Space, x: Tensor): { readonly scaled: Tensor; readonly norm: Tensor } {
  const mean = ops.maximum(ops.mean(ops.abs(x), { axes: axesOf(space) }), ops.scalar(TINY));
  const scaled = ops.divide(x, perExample(ops, mean, space));
  return { scaled, norm: ops.sqrt(ops.sum(ops.square(scaled), { axes: axesOf(space) })) };
}

/** The step of size 1 that raises the objective most, to the first order. */
function steepest(ops: Ops, space: Space, norm: Norm, gradient: Tensor): Tensor {
  const free = space.free ? ops.multiply(gradient, space.free) : gradient;
  if (norm === "linf") return signs(ops, free);
  const { scaled, norm: length } = norms(ops, space, free);
  return ops.divide(scaled, perExample(ops, ops.maximum(length, ops.scalar(TINY)), space));
}

/** The nearest change that is within bounds. */
function project(ops: Ops, space: Space, norm: Norm, eps: number, change: Tensor): Tensor {
  const bounded = norm === "linf"
    ? ops.minimum(ops.maximum(change, ops.scalar(-eps)), ops.scalar(eps))
    : shortened(ops, space, eps, change);
  const { range } = space;
  // Nearer to 0 in every number, so that the norm does not grow.
  return range ? ops.minimum(ops.maximum(bounded, range.least), range.most) : bounded;
}

function shortened(ops: Ops, space: Space, eps: number, change: Tensor): Tensor {
  const length = ops.sqrt(ops.sum(ops.square(change), { axes: axesOf(space) }));
  const factor = ops.divide(ops.scalar(eps), ops.maximum(length, ops.scalar(Math.max(eps, TINY))));
  return ops.multiply(change, perExample(ops, factor, space));
}

/** The logits, margins and decisions that a change leads to. */
function lookAt(ops: Ops, space: Space, change: Tensor): Attacked {
  const logits = space.logits(change);
  const { margin } = objective(ops, logits, space.labels, barrierOf(ops, space.labels, logits));
  return { change: ops.device.alias(change, change.shape), margin, decided: ops.argmax(logits) };
}

/** The better of two for each example: that with the smaller margin. */
function worse(ops: Ops, space: Space, before: Attacked, now: Attacked): Attacked {
  const isBetter = signs(ops, ops.relu(ops.subtract(before.margin, now.margin))); // 1 where it is smaller now
  const chosen = (a: Tensor, b: Tensor, mask: Tensor) =>
    ops.add(ops.multiply(b, mask), ops.multiply(a, ops.complement(mask)));
  return {
    change: chosen(before.change, now.change, perExample(ops, isBetter, space)),
    margin: chosen(before.margin, now.margin, isBetter),
    decided: chosen(before.decided, now.decided, isBetter),
  };
}

/** The gradient of what is maximised, at a change, with what that change leads to. */
function ascend(ops: Ops, space: Space, change: Tensor): { readonly at: Attacked; readonly gradient: Tensor } {
  let at: Attacked | null = null;
  const { gradients: [gradient] } = ops.differentiate(() => {
    const logits = space.logits(change);
    const barrier = ops.constant(() => barrierOf(ops, space.labels, logits));
    const { loss, margin } = objective(ops, logits, space.labels, barrier);
    at = { change: ops.device.alias(change, change.shape), margin, decided: ops.argmax(logits) };
    return loss;
  }, [change]);
  return { at: at!, gradient: gradient ?? ops.full(space.shape, 0) };
}

/**
 * The fast gradient sign method (Goodfellow et al. 2015, arXiv 1412.6572): one step from the examples to the bound;
 * under the Euclidean norm along the gradient.
 *
 * @param eps the bounds
 * @returns one for each of them; each must be disposed of by the scope around
 */
export function fastGradient(ops: Ops, space: Space, norm: Norm, eps: readonly number[]): Attacked[] {
  return ops.scope(() => {
    const { gradient } = ops.scope(() => ascend(ops, space, ops.full(space.shape, 0)));
    const step = steepest(ops, space, norm, gradient);
    return eps.map((bound) =>
      ops.scope(() => lookAt(ops, space, project(ops, space, norm, bound, ops.scale(step, bound))))
    );
  });
}

/** How projected gradient descent goes. */
export interface DescentOptions {
  readonly norm: Norm;
  readonly eps: number;
  readonly steps: number;
  /** How far each step goes; 2.5 eps / steps by default, as Madry et al. have it. */
  readonly stepSize?: number;
  /** Where it starts, one change after another: `null` is none at all. */
  readonly starts: readonly (Float32Array | null)[];
}

/**
 * Projected gradient descent (Madry et al. 2018, arXiv 1706.06083): the change with the least margin among the examples
 * themselves, the starts and all steps.
 *
 * @returns tensors that the caller disposes of
 */
export async function projectedDescent(ops: Ops, space: Space, options: DescentOptions): Promise<Attacked> {
  const { norm, eps, steps, starts, stepSize = 2.5 * eps / steps } = options;
  let best: Attacked | null = null;
  for (const start of starts) {
    let change = ops.scope(() =>
      start
        ? project(ops, space, norm, eps, masked(ops, space, ops.tensor(start, space.shape)))
        : ops.full(space.shape, 0)
    );
    for (let step = 0; step <= steps; step++) {
      const before: Attacked | null = best;
      const isLast = step === steps;
      const next: { best: Attacked; change: Tensor | null } = ops.scope(() => {
        const { at, gradient } = isLast
          ? { at: lookAt(ops, space, change), gradient: null }
          : ops.scope(() => ascend(ops, space, change));
        const found = before ? worse(ops, space, before, at) : at;
        if (gradient === null) return { best: found, change: null };
        const moved = ops.add(change, ops.scale(steepest(ops, space, norm, gradient), stepSize));
        return { best: found, change: project(ops, space, norm, eps, moved) };
      });
      dispose(before);
      change.dispose();
      [best, change] = [next.best, next.change ?? change];
      await breathe();
    }
  }
  return best!;
}

const masked = (ops: Ops, { free }: Space, change: Tensor) => free ? ops.multiply(change, free) : change;

function dispose(attacked: Attacked | null): void {
  if (!attacked) return;
  for (const tensor of [attacked.change, attacked.margin, attacked.decided]) tensor.dispose();
}
