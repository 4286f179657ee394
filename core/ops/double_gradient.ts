import { Tape } from "../autograd.ts";
import type { Device } from "../device.ts";
import { showShape, type Tensor } from "../tensor.ts";

/** How gradients are gone back through. */
export interface Walk {
  /** Sums two gradients of one tensor. */
  readonly add: (a: Tensor, b: Tensor) => Tensor;
  /** Frees what a backward pass makes and does not return. */
  readonly scope: <Result>(body: () => Result) => Result;
}

/** What a second derivative is taken with. */
export interface DoubleGradientSetup {
  readonly device: Device;
  readonly walk: Walk;
  /** Runs `body` while another tape records. */
  readonly withTape: <Result>(tape: Tape, body: () => Result) => Result;
}

/**
 * The gradient g = dy/dx as one more node of the tape that y was recorded on. What is differentiated further are the
 * tensors that lie between x and y and those that they were computed with. Their gradients, where v arrives as that of
 * g, are those of the number v g, which is how fast y changes along v: forward through the recorded operations by their
 * tangents, then back (forward over reverse, Pearlmutter 1994). So no operation's backward pass need be differentiable.
 *
 * @throws RangeError as {@link Ops.gradient} says
 */
export function doubleGradient(
  { device, walk, withTape }: DoubleGradientSetup,
  tape: Tape,
  y: Tensor,
  x: Tensor,
): Tensor {
  if (y.size !== 1) {
    throw new RangeError(`Cannot take the gradient of a tensor of shape ${showShape(y.shape)}: it must be a scalar`);
  }
  if (!tape.tracks(x)) {
    throw new RangeError(
      `Cannot take the gradient by a tensor of shape ${showShape(x.shape)} that follows from nothing differentiated: ` +
        "what is computed from it may not be recorded; watch it before",
    );
  }
  const path = tape.between(x, y);
  let gradient: Tensor | null = null;
  const take = (_: number, whole: Tensor | null) => gradient = whole && device.alias(whole, whole.shape);
  path.gradients(y, [x], { ...walk, seed: device.full(y.shape, 1), take });
  if (path.nodes.length === 0 || gradient === null) {
    throw new RangeError(
      `Cannot take the gradient by a tensor of shape ${showShape(x.shape)}: the scalar does not depend on it`,
    );
  }
  const lacking = path.nodes.find(({ tangent }) => tangent === null);
  if (lacking) {
    throw new RangeError(
      `Cannot take a gradient that is differentiated further through ${lacking.name}: it has no second derivative`,
    );
  }
  const inputs = [...new Set(path.nodes.flatMap(({ inputs, output }) => [...inputs, output]))]
    .filter((tensor) => tape.tracks(tensor));
  tape.record({
    name: "gradient",
    inputs,
    output: gradient,
    backward(direction, needs) {
      const inner = new Tape(inputs.filter((_, index) => needs[index]));
      const speed = withTape(inner, () => {
        const directions = new Map([[x, direction]]);
        for (const { inputs, output, tangent } of path.nodes) {
          directions.set(output, tangent!(inputs.map((input) => directions.get(input) ?? null)));
        }
        return directions.get(y)!;
      });
      const parts = inputs.map((): Tensor | null => null);
      inner.gradients(speed, inputs, {
        ...walk,
        seed: device.full(speed.shape, 1),
        take: (index, whole) => parts[index] = whole && device.alias(whole, whole.shape),
      });
      return parts;
    },
    tangent: null,
  });
  return gradient;
}
