import type { Tensor } from "./tensor.ts";

/** One recorded operation: what went in, what came out, and how a gradient goes back through it. */
interface Node {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** The gradient of each input, `null` for one that needs none. */
  backward(gradient: Tensor): readonly (Tensor | null)[];
}

/**
 * Reverse-mode differentiation. While a tape records, every operation that touches a watched tensor, or one computed from
 * it, leaves a node; `gradients` walks the nodes backwards.
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

  record(node: Node): void {
    this.#tracked.add(node.output);
    this.#nodes.push(node);
  }

  /**
   * d loss / d target for each target; `null` where the loss does not depend on it.
   *
   * @param seed the gradient of the loss itself: a scalar 1
   * @param add sums two gradients of one tensor
   */
  gradients(
    loss: Tensor,
    targets: readonly Tensor[],
    seed: Tensor,
    add: (a: Tensor, b: Tensor) => Tensor,
  ): (Tensor | null)[] {
    const gradientOf = new Map<Tensor, Tensor>([[loss, seed]]);
    for (const { inputs, output, backward } of this.#nodes.toReversed()) {
      const gradient = gradientOf.get(output);
      if (!gradient) continue;
      backward(gradient).forEach((part, index) => {
        const input = inputs[index];
        if (!part || !this.tracks(input)) return;
        const sum = gradientOf.get(input);
        gradientOf.set(input, sum ? add(sum, part) : part);
      });
    }
    return targets.map((target) => gradientOf.get(target) ?? null);
  }
}
