import { groupBy } from "./group_by.ts";
import type { Tensor } from "./tensor.ts";

/** One recorded operation: what went in, what came out, and how derivatives go through it. */
export interface Node {
  /** The operation's name, for messages. */
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** The gradient of each input, `null` for one of which it is not needed or that has none. */
  backward(gradient: Tensor, needs: readonly boolean[]): readonly (Tensor | null)[];
  /**
   * The derivative of the output where the inputs move along directions, `null` for one that does not; by operations
   * that are recorded themselves; `null` for an operation without such a rule.
   */
  readonly tangent: ((directions: readonly (Tensor | null)[]) => Tensor) | null;
}

/**
 * Reverse-mode differentiation. While a tape records, every operation that touches a watched tensor, or one computed
 * from it, leaves a node; `gradients` walks the nodes backwards.
 */
export class Tape {
  readonly #nodes: Node[] = [];
  readonly #tracked = new Set<Tensor>();

  constructor(watched: Iterable<Tensor>) {
    for (const tensor of watched) this.#tracked.add(tensor);
  }

  /** Whether the gradient of this tensor is asked for, directly or on the way. */
  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor);
  }

  /** From now on leaves a node for every operation on this tensor, too. */
  watch(tensor: Tensor): void {
    this.#tracked.add(tensor);
  }

  record(node: Node): void {
    this.#tracked.add(node.output);
    this.#nodes.push(node);
  }

  /** What was recorded, in its order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** The part of the tape on which one tensor follows from another, as a tape that tracks nothing else. */
  between(input: Tensor, output: Tensor): Tape {
    const after = new Set([input]);
    const reached = this.#nodes.filter((node) => {
      const follows = node.inputs.some((tensor) => after.has(tensor));
      if (follows) after.add(node.output);
      return follows;
    });
    const before = new Set([output]);
    const path = reached.toReversed().filter((node) => {
      const leads = before.has(node.output);
      if (leads) node.inputs.forEach((tensor) => before.add(tensor));
      return leads;
    });
    const part = new Tape([input]);
    for (const node of path.toReversed()) part.record(node);
    return part;
  }

  /**
   * Computes d loss / d target for each target and hands it to `take` as soon as it is complete. It is freed after the
   * call, as are the gradients on the way once the walk is past them.
   *
   * @param seed the gradient of the loss itself: a scalar 1
   * @param add sums two gradients of one tensor
   * @param scope frees what a backward pass makes and does not return
   * @param take is given the target's place among `targets`, and `null` where the loss does not depend on it
   */
  gradients(
    loss: Tensor,
    targets: readonly Tensor[],
    { seed, add, scope, take }: {
      readonly seed: Tensor;
      readonly add: (a: Tensor, b: Tensor) => Tensor;
      readonly scope: <Result>(body: () => Result) => Result;
      readonly take: (index: number, gradient: Tensor | null) => void;
    },
  ): void {
    const gradientOf = new HeldGradients((tensor) => !this.tracks(tensor));
    gradientOf.set(loss, seed);
    const places = groupBy(targets.keys(), (index) => targets[index]);
    const finish = (target: Tensor) => {
      for (const index of places.get(target)!) take(index, gradientOf.get(target));
      gradientOf.delete(target);
    };
    // How often each target is still to be met on the way.
    const uses = new Map(targets.map((target) => [target, 0]));
    for (const { inputs } of this.#nodes) {
      for (const input of inputs) if (uses.has(input)) uses.set(input, uses.get(input)! + 1);
    }
    for (const [target, count] of uses) if (count === 0) finish(target);
    for (const { inputs, output, backward } of this.#nodes.toReversed()) {
      const gradient = gradientOf.get(output);
      const needs = inputs.map((input) => this.tracks(input));
      const parts = gradient ? scope(() => backward(gradient, needs)) : [];
      // All are held until the last is in its place: one tensor may be the gradient of several inputs.
      for (const part of parts) gradientOf.hold(part);
      inputs.forEach((input, index) => {
        const part = parts[index];
        if (part && this.tracks(input)) {
          const sum = gradientOf.get(input);
          gradientOf.set(input, sum ? add(sum, part) : part);
        }
        const left = uses.get(input);
        if (left === undefined) return;
        uses.set(input, left - 1);
        if (left === 1) finish(input);
      });
      for (const part of parts) gradientOf.release(part);
      gradientOf.delete(output);
    }
  }
}

/** Gradients by tensor, each freed when the last tensor whose gradient it is has let go of it. */
class HeldGradients {
  readonly #gradients = new Map<Tensor, Tensor>();
  readonly #holders = new Map<Tensor, number>();

  /** @param mayFree whether a tensor is a gradient and nothing else */
  constructor(private readonly mayFree: (tensor: Tensor) => boolean) {}

  get(tensor: Tensor): Tensor | null {
    return this.#gradients.get(tensor) ?? null;
  }

  set(tensor: Tensor, gradient: Tensor): void {
    this.hold(gradient);
    this.delete(tensor);
    this.#gradients.set(tensor, gradient);
  }

  delete(tensor: Tensor): void {
    this.release(this.get(tensor));
    this.#gradients.delete(tensor);
  }

  hold(gradient: Tensor | null): void {
    if (gradient) this.#holders.set(gradient, (this.#holders.get(gradient) ?? 0) + 1);
  }

  release(gradient: Tensor | null): void {
    if (!gradient) return;
    const left = this.#holders.get(gradient)! - 1;
    this.#holders.set(gradient, left);
    if (left > 0) return;
    this.#holders.delete(gradient);
    if (this.mayFree(gradient)) gradient.dispose();
  }
}
