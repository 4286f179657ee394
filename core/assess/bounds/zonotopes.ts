import type { Floats } from "../../backend/backend.ts";
import type { Value } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { type Box, boxOf } from "./boxes.ts";
import { extremes } from "./curves.ts";
import type { DeviceNetwork } from "./device_network.ts";
import type { PoolBounds } from "./max_pool.ts";
import type { CurvedStep, LinearStep, MaxPoolStep, Network } from "./network.ts";
import { shapeIn } from "./replay.ts";
import { gamma, roundedUp } from "./rounding.ts";

/** A set of changes: `G e + m` for numbers e between -1 and 1, and up to `rest` more. */
interface Zonotope {
  /** `[pixels + 1, ...]`: a row of G^T for each pixel, and m. */
  readonly rows: Tensor;
  /** `[1, ...]` */
  readonly rest: Tensor;
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
  readonly #pixels: number;
  readonly #ops: Ops;
  readonly #network: Network;

  /** @param box of the image's pixels; one that does not change has no row */
  constructor(private readonly device: DeviceNetwork, box: Box) {
    const { ops, network } = device;
    [this.#ops, this.#network] = [ops, network];
    for (const { inputs } of network.steps) {
      for (const input of inputs) this.#wanted.set(input, (this.#wanted.get(input) ?? 0) + 1);
    }
    const size = box.lower.length;
    const moving = Array.from({ length: size }, (_, i) => i).filter((i) => box.lower[i] + box.upper[i] > 0);
    this.#pixels = moving.length;
    const rows = new Float32Array((moving.length + 1) * size);
    moving.forEach((pixel, row) => {
      const middle = Math.fround((box.upper[pixel] - box.lower[pixel]) / 2);
      rows[moving.length * size + pixel] = middle;
      rows[row * size + pixel] = roundedUp(Math.max(box.upper[pixel] - middle, box.lower[pixel] + middle));
    });
    const shape = shapeIn(network.input.shape, 1);
    this.#held.set(network.input, {
      rows: ops.tensor(rows, shape.with(0, moving.length + 1)),
      rest: ops.full(shape, 0),
    });
  }

  /** Where a value lies, each number by itself. */
  async boxOf(value: Value): Promise<Box> {
    const zonotope = this.#held.get(value)!;
    const tensors = this.#ops.scope(() => [this.#middle(zonotope), this.#radius(zonotope)]);
    const [middle, radius] = await this.#ops.read(tensors);
    tensors.forEach((tensor) => tensor.dispose());
    return boxOf(middle, radius);
  }

  /** Goes through a linear map. */
  linear(step: LinearStep): void {
    const inputs = step.inputs.map((input) => this.#held.get(input)!);
    const [rows, rest] = this.#ops.scope(() => {
      const ops = this.#ops;
      const rows = this.device.run(step, inputs.map(({ rows }) => rows), false);
      if (step.terms === 0) {
        const moved = this.device.run(step, inputs.map(({ rest }) => rest), true);
        return [ops.reshape(rows, rows.shape), ops.reshape(moved, moved.shape)];
      }
      // Each row may be off by gamma |L| |row|.
      const rounding = gamma(step.terms + 4);
      const more = inputs.map((zonotope) =>
        ops.add(zonotope.rest, ops.scale(this.#sizes(zonotope), roundedUp(2 * rounding)))
      );
      return [rows, ops.scale(this.device.run(step, more, true), roundedUp(1 + 3 * rounding))];
    });
    this.#set(step, { rows, rest });
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
      const slope = Math.fround(curve.slopes(v[i] - lower[i], v[i] + upper[i])[1]);
      const [least, most] = extremes(curve, v[i], lower[i], upper[i], slope);
      slopes[i] = slope;
      middles[i] = (least + most) / 2;
      rests[i] = roundedUp(Math.max(most - middles[i], middles[i] - least) + 2 ** -22 * Math.abs(middles[i]));
    }
    const shape = shapeIn(output.shape, 1);
    const zonotope = this.#held.get(input)!;
    const ops = this.#ops;
    const [rows, rest] = ops.scope(() => {
      const slope = ops.tensor(slopes, shape);
      const rows = this.#shifted(ops.multiply(zonotope.rows, slope), ops.tensor(middles, shape));
      const rest = ops.add(ops.multiply(zonotope.rest, ops.abs(slope)), ops.tensor(rests, shape));
      // The products by the slope, and the sum, were rounded.
      const rounding = ops.scale(this.#sizes({ rows }), roundedUp(gamma(4)));
      return [rows, ops.scale(ops.add(rest, rounding), roundedUp(1 + gamma(4)))];
    });
    this.#set(step, { rows, rest });
  }

  /** Goes through a pool: what is not sure to be the largest has nothing in common with what it comes from. */
  pool(step: MaxPoolStep, { box, least, sure }: PoolBounds): void {
    const { options: { size, stride, padding }, inputs: [input], output } = step;
    const ops = this.#ops;
    const shape = shapeIn(output.shape, 1);
    const zonotope = this.#held.get(input)!;
    const isSure = sure.map((one) => stride < size ? 0 : one);
    const loose = isSure.map((one) => 1 - one);
    const middles = box.upper.map((most, i) => loose[i] * (most - box.lower[i]) / 2);
    const rests = box.upper.map((most, i) =>
      loose[i] * roundedUp(Math.max(most - middles[i], box.lower[i] + middles[i]))
    );
    const [rows, rest] = ops.scope(() => {
      // The chosen number of each window, as what is not chosen is far below all: windows that share no number do so.
      const chosen = chosenIn(ops, ops.tensor(least, shapeIn(input.shape, 1)), { size, stride, padding });
      const far = ops.scale(ops.offset(chosen, -1), FAR);
      const mask = ops.tensor(isSure, shape);
      const through = (x: Tensor) =>
        ops.multiply(ops.maxPool2d(ops.add(ops.multiply(x, chosen), far), { size, stride, padding }), mask);
      return [
        this.#shifted(through(zonotope.rows), ops.tensor(middles, shape)),
        ops.add(through(zonotope.rest), ops.tensor(rests, shape)),
      ];
    });
    this.#set(step, { rows, rest });
  }

  [Symbol.dispose](): void {
    for (const zonotope of this.#held.values()) dispose(zonotope);
  }

  #set({ inputs, output }: LinearStep | CurvedStep | MaxPoolStep, zonotope: Zonotope): void {
    this.#held.set(output, zonotope);
    for (const input of inputs) {
      const left = this.#wanted.get(input)! - 1;
      this.#wanted.set(input, left);
      if (left > 0 || input === this.#network.logits) continue;
      dispose(this.#held.get(input)!);
      this.#held.delete(input);
    }
  }

  /** Rows with something added to the last. */
  #shifted(rows: Tensor, shift: Tensor): Tensor {
    const ops = this.#ops;
    const generators = ops.slice(rows, { axis: 0, begin: 0, length: this.#pixels });
    const middle = ops.add(ops.slice(rows, { axis: 0, begin: this.#pixels, length: 1 }), shift);
    return this.#pixels === 0 ? middle : ops.concat([generators, middle], { axis: 0 });
  }

  #middle({ rows }: Zonotope): Tensor {
    return this.#ops.slice(rows, { axis: 0, begin: this.#pixels, length: 1 });
  }

  /** How far it reaches around its middle. */
  #radius({ rows, rest }: Zonotope): Tensor {
    const ops = this.#ops;
    if (this.#pixels === 0) return rest;
    const generators = ops.slice(rows, { axis: 0, begin: 0, length: this.#pixels });
    const sum = ops.sum(ops.abs(generators), { axes: [0], keepDimensions: true });
    return ops.scale(ops.add(sum, rest), roundedUp(1 + gamma(this.#pixels + 2)));
  }

  /** The sum of the sizes of all rows, `[1, ...]`. */
  #sizes({ rows }: Pick<Zonotope, "rows">): Tensor {
    const ops = this.#ops;
    const sum = ops.sum(ops.abs(rows), { axes: [0], keepDimensions: true });
    return ops.scale(sum, roundedUp(1 + gamma(this.#pixels + 2)));
  }
}

/** Below all that changes are; a power of two, so that what is chosen gets back its bits. */
const FAR = 2 ** 100;

/** 1 at the number of each window that a pool of `x` takes, else 0. */
function chosenIn(ops: Ops, x: Tensor, options: { size: number; stride: number; padding: number }): Tensor {
  const { gradients: [chosen] } = ops.differentiate(() => ops.sum(ops.maxPool2d(x, options)), [x]);
  return chosen!;
}

function dispose({ rows, rest }: Zonotope): void {
  rows.dispose();
  rest.dispose();
}
