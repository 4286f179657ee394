import type { Floats } from "../../backend/backend.ts";
import type { Value } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { type Box, boxOf } from "./boxes.ts";
import { extremes } from "./curves.ts";
import type { DeviceNetwork } from "./device_network.ts";
import type { PoolBounds } from "./max_pool.ts";
import type { CurvedStep, LinearStep, MaxPoolStep, NetworkStep } from "./network.ts";
import { shapeIn } from "../replay.ts";
import { gamma, roundedUp } from "./rounding.ts";

/** A set of changes: `G e + middle` for numbers e between -1 and 1, and up to `rest` more. */
interface Zonotope {
  /** `[pixels, ...]`: G^T. */
  readonly generators: Tensor;
  /** `[1, ...]` */
  readonly middle: Tensor;
  /** `[1, ...]` */
  readonly rest: Tensor;
  /** `[1, ...]`: at least the sum of the generators' sizes. */
  readonly reach: Tensor;
}

/**
 * What the numbers of a network have in common, of one image: each is a linear function of the image's pixels, and of
 * what curves add to it a part that has nothing in common with others. So sums in which pixels cancel out stay small,
 * which intervals cannot see (hybrid zonotopes; Singh et al. 2018, Fast and effective robustness certification; Mirman
 * et al. 2018, Differentiable abstract interpretation). It costs a forward pass of as many images as there are pixels.
 */
export class Zonotopes implements Disposable {
  readonly #held = new Map<Value, Zonotope>();
  /** How many steps still want a value. */
  readonly #wanted = new Map<Value, number>();
  readonly #ops: Ops;

  /** @param box of the image's pixels, one of which moves at least; one that does not has no generator */
  constructor(private readonly device: DeviceNetwork, box: Box) {
    const { ops, network } = device;
    this.#ops = ops;
    for (const { inputs } of network.steps) {
      for (const input of inputs) this.#wanted.set(input, (this.#wanted.get(input) ?? 0) + 1);
    }
    this.#wanted.set(network.logits, Infinity);
    const size = box.lower.length;
    const moving = Array.from({ length: size }, (_, i) => i).filter((i) => box.lower[i] + box.upper[i] > 0);
    const generators = new Float32Array(Math.max(1, moving.length) * size);
    const [middle, reach] = [new Float32Array(size), new Float32Array(size)];
    moving.forEach((pixel, row) => {
      middle[pixel] = (box.upper[pixel] - box.lower[pixel]) / 2;
      reach[pixel] = roundedUp(Math.max(box.upper[pixel] - middle[pixel], box.lower[pixel] + middle[pixel]));
      generators[row * size + pixel] = reach[pixel];
    });
    const shape = shapeIn(network.input.shape, 1);
    this.#held.set(network.input, {
      generators: ops.tensor(generators, shape.with(0, Math.max(1, moving.length))),
      middle: ops.tensor(middle, shape),
      rest: ops.full(shape, 0),
      reach: ops.tensor(reach, shape),
    });
  }

  /** Where a value lies, each number by itself. */
  async boxOf(value: Value): Promise<Box> {
    const { middle, rest, reach } = this.#held.get(value)!;
    const radius = this.#ops.scope(() => this.#ops.scale(this.#ops.add(reach, rest), roundedUp(1 + gamma(1))));
    const [m, r] = await this.#ops.read([middle, radius]);
    radius.dispose();
    return boxOf(m, r);
  }

  /** Goes through a linear map. */
  linear(step: LinearStep): void {
    const inputs = step.inputs.map((input) => this.#held.get(input)!);
    this.#set(step, () => {
      const ops = this.#ops;
      const through = (part: keyof Zonotope) => this.device.run(step, inputs.map((one) => one[part]), false);
      const [generators, middle] = [through("generators"), through("middle")];
      if (step.terms === 0) {
        const [rest, reach] = [through("rest"), through("reach")];
        return { generators, middle, rest, reach };
      }
      // Each row may be off by gamma |L| |row|.
      const rounding = gamma(step.terms + 4);
      const more = inputs.map(({ middle, rest, reach }) =>
        ops.add(rest, ops.scale(ops.add(ops.abs(middle), reach), roundedUp(2 * rounding)))
      );
      const rest = ops.scale(this.device.run(step, more, true), roundedUp(1 + 3 * rounding));
      return { generators, middle, rest, reach: this.#reachOf(generators) };
    });
  }

  /**
   * Goes through a curve: between two parallel lines around it.
   *
   * @param v what the curve gets of the image itself
   * @param box how far from that it may be
   */
  curve(step: CurvedStep, v: Floats, { lower, upper }: Box): void {
    const { curve, inputs: [input], output } = step;
    const size = v.length;
    const [slopes, middles, rests] = [0, 1, 2].map(() => new Float32Array(size));
    for (let i = 0; i < size; i++) {
      // The line above is the chord where there is one.
      slopes[i] = curve.slopes(v[i] - lower[i], v[i] + upper[i])[1];
      const [least, most] = extremes(curve, v[i], lower[i], upper[i], slopes[i]);
      middles[i] = (least + most) / 2;
      rests[i] = roundedUp(Math.max(most - middles[i], middles[i] - least) + 2 ** -22 * Math.abs(middles[i]));
    }
    const shape = shapeIn(output.shape, 1);
    const from = this.#held.get(input)!;
    this.#set(step, () => {
      const ops = this.#ops;
      const slope = ops.tensor(slopes, shape);
      const steepness = ops.abs(slope);
      const middle = ops.add(ops.multiply(from.middle, slope), ops.tensor(middles, shape));
      const reach = ops.scale(ops.multiply(from.reach, steepness), roundedUp(1 + gamma(2)));
      // The products by the slope, and the sum, were rounded.
      const rounding = ops.scale(ops.add(ops.abs(middle), reach), roundedUp(gamma(4)));
      const rest = ops.add(ops.multiply(from.rest, steepness), ops.tensor(rests, shape));
      return {
        generators: ops.multiply(from.generators, slope),
        middle,
        rest: ops.scale(ops.add(rest, rounding), roundedUp(1 + gamma(4))),
        reach,
      };
    });
  }

  /** Goes through a pool: what is not sure to be the largest has nothing in common with what it comes from. */
  pool(step: MaxPoolStep, { box, least, sure }: PoolBounds): void {
    const { options, inputs: [input], output } = step;
    const from = this.#held.get(input)!;
    const isSure = sure.map((one) => options.stride < options.size ? 0 : one);
    const middles = box.upper.map((most, i) => (1 - isSure[i]) * (most - box.lower[i]) / 2);
    const rests = box.upper.map((most, i) =>
      (1 - isSure[i]) * roundedUp(Math.max(most - middles[i], box.lower[i] + middles[i]))
    );
    this.#set(step, () => {
      const ops = this.#ops;
      const shape = shapeIn(output.shape, 1);
      // The chosen number of each window, as what is not chosen is far below all: windows that share no number do so.
      const chosen = chosenIn(ops, ops.tensor(least, shapeIn(input.shape, 1)), options);
      const far = ops.scale(ops.offset(chosen, -1), FAR);
      const mask = ops.tensor(isSure, shape);
      const through = (x: Tensor) => ops.multiply(ops.maxPool2d(ops.add(ops.multiply(x, chosen), far), options), mask);
      return {
        generators: through(from.generators),
        middle: ops.add(through(from.middle), ops.tensor(middles, shape)),
        rest: ops.add(through(from.rest), ops.tensor(rests, shape)),
        reach: through(from.reach),
      };
    });
  }

  [Symbol.dispose](): void {
    for (const zonotope of this.#held.values()) dispose(zonotope);
  }

  #set({ inputs, output }: NetworkStep, make: () => Zonotope): void {
    const made = this.#ops.scope(() => {
      const own = make();
      // What moves numbers may give back the tensor that it took, whose owner is the input.
      return Object.fromEntries(Object.entries(own).map(([part, x]) => [part, this.#ops.reshape(x, x.shape)]));
    });
    this.#held.set(output, made as unknown as Zonotope);
    for (const input of inputs) {
      const left = this.#wanted.get(input)! - 1;
      this.#wanted.set(input, left);
      if (left > 0) continue;
      dispose(this.#held.get(input)!);
      this.#held.delete(input);
    }
  }

  /** The sum of the generators' sizes. */
  #reachOf(generators: Tensor): Tensor {
    const ops = this.#ops;
    const sum = ops.sum(ops.abs(generators), { axes: [0], keepDimensions: true });
    return ops.scale(sum, roundedUp(1 + gamma(generators.shape[0] + 2)));
  }
}

/** Below all that changes are; a power of two, so that what is chosen gets back its bits. */
const FAR = 2 ** 100;

/** 1 at the number of each window that a pool of `x` takes, else 0. */
function chosenIn(ops: Ops, x: Tensor, options: Required<MaxPoolStep["options"]>): Tensor {
  const { gradients: [chosen] } = ops.differentiate(() => ops.sum(ops.maxPool2d(x, options)), [x]);
  return chosen!;
}

function dispose(zonotope: Zonotope): void {
  for (const tensor of Object.values(zonotope)) tensor.dispose();
}
