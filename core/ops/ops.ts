import { expectArguments } from "../arguments.ts";
import { Tape } from "../autograd.ts";
import type { Backend, Floats } from "../backend/backend.ts";
import { contract } from "../contract.ts";
import { Device } from "../device.ts";
import { showShape, Tensor } from "../tensor.ts";
import { argmax, argmaxIs } from "./argmax.ts";
import { assignRows } from "./assign_rows.ts";
import type { BatchNormOptions } from "./batch_norm.ts";
import { convBatchNorm } from "./conv_batch_norm.ts";
import { binaryOps } from "./elementwise.ts";
import { doubleGradient, type Walk } from "./double_gradient.ts";
import type { Op } from "./op.ts";
import { primitives } from "./registry.ts";
import { hasTangent, type OpName, tangentOf } from "./tangents.ts";
import { type BestPaths, viterbi } from "./viterbi.ts";
import type { ConvOptions } from "./window.ts";

/** @internal */
type Primitives = typeof primitives;
/** @internal */
type Bound<Definition> = Definition extends Op<infer Arguments> ? (...args: Arguments) => Tensor : never;

/**
 * Every operation of the registry as a function of its arguments; inside `differentiate` it also leaves its gradient.
 */
export type BoundPrimitives = { readonly [Name in keyof Primitives]: Bound<Primitives[Name]> };

/** A loss and the gradients of what it was differentiated by. */
export interface Differentiated {
  /** The scalar that was differentiated. */
  readonly loss: Tensor;
  /**
   * In the order asked for, unless each was taken when it was whole; `null` where the loss does not depend on a tensor.
   */
  readonly gradients: readonly (Tensor | null)[];
}

/** Everything about tensors that is not a differentiable operation: making, reading, lifetimes, gradients. */
export interface TensorLife {
  /** Where the tensors live. */
  readonly backend: Backend;
  /** For operations and optimisers that run kernels themselves. */
  readonly device: Device;
  /** A tensor from host numbers; its shape is one-dimensional unless given. */
  tensor(data: ArrayLike<number>, shape?: readonly number[]): Tensor;
  /** A tensor filled with one value. */
  full(shape: readonly number[], value: number): Tensor;
  /** A scalar. */
  scalar(value: number): Tensor;
  /**
   * Frees what `body` makes, except what it returns and what is kept. Within `differentiate` nothing is freed, as the
   * gradients need it: a model may free between its layers, which pays where nothing is trained.
   */
  scope<Result>(body: () => Result): Result;
  /** Takes a tensor out of all scopes: its owner disposes of it. */
  keep(tensor: Tensor): Tensor;
  /** Reads several tensors in one wait. */
  read(tensors: readonly Tensor[]): Promise<Floats[]>;
  /**
   * Overwrites the numbers of `target` by those of `value`, in order with the operations around it. It is for state
   * that outlives a step, such as running means: no gradient goes through it, and an operation whose backward pass
   * still wants the old numbers of `target` would find the new ones.
   *
   * @throws RangeError if the shapes differ
   */
  assign(target: Tensor, value: Tensor): void;
  /**
   * Overwrites rows of `target [rows, width]` as `assign` does the whole: row `indices[i]` by `values[i]`, for instance
   * of a memory bank. No number may stand twice in `indices [count]`.
   *
   * @throws RangeError if the shapes do not fit
   */
  assignRows(target: Tensor, indices: Tensor, values: Tensor): void;
  /**
   * The index of the first largest entry along the last dimension, 0 where none is a number: `[..., columns]` to
   * `[...]`.
   */
  argmax(x: Tensor): Tensor;
  /**
   * 1 where the `argmax` of `x [..., columns]` is `indices [...]`, else 0: which of a classifier's answers are right.
   * An index of -1 is none's.
   *
   * @throws RangeError if the shapes do not fit
   */
  argmaxIs(x: Tensor, indices: Tensor): Tensor;
  /**
   * The paths of tags with the highest scores through linear chains (Viterbi 1967), scored as in `crfLogPartition`, the
   * best first: emissions `[batch, length, tags]`, transitions `[tags, tags]` (from, to) and mask `[batch, length]`,
   * where 0 leaves a position out. One path unless `paths`, from 1 to 8, says more.
   *
   * @throws RangeError for another number of paths, or shapes that do not fit each other
   *
   * @example
   * ```ts
   * import { createOps, openBackend } from "@opdf/opdf";
   *
   * const { backend } = await openBackend("auto");
   * const ops = createOps(backend);
   * const emissions = ops.tensor([1, 0, 0, 2], [1, 2, 2]);
   * const { tags, scores } = ops.viterbi(emissions, ops.full([2, 2], 0), ops.full([1, 2], 1));
   * console.log(await tags.read(), await scores.read()); // [0, 1] and [3]
   * await backend.close();
   * ```
   */
  viterbi(emissions: Tensor, transitions: Tensor, mask: Tensor, paths?: number): BestPaths;
  /**
   * Runs `body`, which gives a scalar, and differentiates it by `targets`.
   *
   * @param take receives each gradient as soon as it is complete, with the number of its target. The gradient is freed
   * after the call, so that they never all exist at once, and `gradients` is empty.
   * @param scale what the gradients are multiplied by, one number: that of the loss itself; 1 by default
   */
  differentiate(
    body: () => Tensor,
    targets: readonly Tensor[],
    take?: (index: number, gradient: Tensor | null) => void,
    scale?: Tensor,
  ): Differentiated;
  /**
   * The gradient of a scalar by a tensor on its way, within the body of `differentiate`: a tensor of `x`'s shape that
   * is itself differentiated, as by PyTorch's `autograd.grad(y, x, create_graph=True)`. So a loss may be made of what
   * an answer depends on. What comes before `x` counts as given; what lies between, and weights, is differentiated
   * twice: the second time exactly, along the gradient that arrives (see core/README.md). Its gradient cannot be taken
   * once more.
   *
   * @throws RangeError outside of `differentiate`, if `y` is no scalar or does not depend on `x`, if nothing that is
   * differentiated leads to `x` and it is not watched, and for an operation between them that has no second derivative
   */
  gradient(y: Tensor, x: Tensor): Tensor;
  /**
   * Within the body of `differentiate`: from here on what is computed from this tensor is recorded, though nothing
   * that is differentiated leads to it, so that {@link TensorLife.gradient} may be taken by it. @returns the tensor
   *
   * @throws RangeError outside of `differentiate`
   */
  watch(x: Tensor): Tensor;
  /** Runs `body` without recording: no gradient goes through what it computes. */
  constant<Result>(body: () => Result): Result;
}

/** Operations made of others. */
export interface Composites {
  /** Einsum: `contract("abc,cd->abd", x, w)`, any number of operands; see {@link contract}. */
  contract(pattern: string, ...tensors: readonly Tensor[]): Tensor;
  /**
   * The sum of tensors, added from the first on, with broadcasting; a single one is given back as it is.
   *
   * @throws RangeError if there are none
   */
  total(terms: readonly Tensor[]): Tensor;
  /**
   * `batchNorm(conv2d(x, filter, convolution), weight, bias, norm, residual)`: in one pass where that is possible,
   * nothing is trained, and no gradient is asked for.
   */
  convBatchNorm(
    x: Tensor,
    filter: Tensor,
    convolution: ConvOptions,
    weight: Tensor,
    bias: Tensor,
    norm: BatchNormOptions,
    residual?: Tensor,
  ): Tensor;
}

/** The operations on one backend: what models, losses and the training loop compute with. */
export type Ops = BoundPrimitives & Composites & TensorLife;

/** Binds every operation to a backend. */
export function createOps(backend: Backend): Ops {
  expectArguments("createOps", { backend: [backend, "a backend (see openBackend)"] });
  const device = new Device(backend);
  let tape: Tape | null = null;

  const bind = (name: OpName, op: Op) => (...args: unknown[]): Tensor => {
    const { output, saved } = op.forward(device, ...args);
    const recorder = tape;
    const inputs = args.flat().filter((argument) => argument instanceof Tensor);
    if (recorder && inputs.some((input) => recorder.tracks(input))) {
      recorder.record({
        name,
        inputs,
        output,
        backward: (gradient, needs) => op.backward(device, { output, gradient, saved, needs }, ...args),
        tangent: hasTangent(name) ? (directions) => tangentOf(ops, name, { args, output, directions }) : null,
      });
    }
    return output;
  };

  const withTape = <Result>(next: Tape | null, body: () => Result): Result => {
    const outer = tape;
    tape = next;
    try {
      return body();
    } finally {
      tape = outer;
    }
  };

  const running = (what: string): Tape => {
    if (tape) return tape;
    throw new RangeError(`Cannot ${what} outside of the body of differentiate: nothing is recorded there`);
  };

  // Of gradients of both formats, the sum is float32.
  const formatOfSum = (a: Tensor, b: Tensor) => a.format === b.format ? a.format : "f32";
  const walk: Walk = {
    add: (a, b) => device.storeActivations(formatOfSum(a, b), () => binaryOps.add.forward(device, a, b).output),
    scope: (body) => device.scope(body),
  };

  const life: TensorLife = {
    backend,
    device,
    tensor: (data, shape) => device.tensor(data, shape),
    full: (shape, value) => device.full(shape, value),
    scalar: (value) => device.full([], value),
    // What a recorded operation has seen must live until the gradients are taken.
    scope: (body) => tape ? body() : device.scope(body),
    keep: (tensor) => device.keep(tensor),
    read: (tensors) => device.read(tensors),
    constant: (body) => withTape(null, body),
    assign(target, value) {
      if (showShape(target.shape) !== showShape(value.shape)) {
        throw new RangeError(
          `Cannot assign ${showShape(value.shape)} to a tensor of ${showShape(target.shape)}: the shapes must be equal`,
        );
      }
      device.copy(value, target);
    },
    assignRows: (target, indices, values) => assignRows(device, target, indices, values),
    argmax: (x) => argmax(device, x),
    argmaxIs: (x, indices) => argmaxIs(device, x, indices),
    viterbi: (emissions, transitions, mask, paths) => viterbi(ops, emissions, transitions, mask, paths),
    differentiate(body, targets, take, scale) {
      const recorder = new Tape(targets);
      const loss = withTape(recorder, body);
      if (loss.size !== 1) {
        throw new RangeError(`Cannot differentiate a loss of ${loss.size} elements: it must be a scalar`);
      }
      const seed = scale ? device.alias(scale, loss.shape) : device.full(loss.shape, 1);
      const gradients = take ? [] : targets.map((): Tensor | null => null);
      const list = (index: number, gradient: Tensor | null) => {
        gradients[index] = gradient && device.alias(gradient, gradient.shape);
      };
      recorder.gradients(loss, targets, { ...walk, seed, take: take ?? list });
      return { loss, gradients };
    },
    gradient: (y, x) => doubleGradient({ device, walk, withTape }, running("take a gradient"), y, x),
    watch(x) {
      running("watch a tensor").watch(x);
      return x;
    },
  };
  const bound = Object.fromEntries(
    Object.entries<Op>(primitives).map(([name, op]) => [name, bind(name as OpName, op)]),
  );
  const ops: Ops = {
    ...bound as unknown as BoundPrimitives,
    ...life,
    contract: (pattern, ...tensors) => contract(ops, pattern, ...tensors),
    total(terms) {
      if (terms.length === 0) throw new RangeError("Cannot add up no tensors: their shape is not known");
      return terms.reduce((sum, term) => ops.add(sum, term));
    },
    convBatchNorm(x, filter, convolution, weight, bias, norm, residual) {
      const apart = tape !== null || norm.training;
      return (!apart && convBatchNorm(device, x, filter, convolution, weight, bias, norm, residual)) ||
        ops.batchNorm(ops.conv2d(x, filter, convolution), weight, bias, norm, residual);
    },
  };
  return ops;
}
