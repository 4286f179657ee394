import type { Value } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import type { Anchor } from "./anchor.ts";
import { extremes } from "./curves.ts";
import type { DeviceNetwork } from "./device_network.ts";
import type { ForwardBounds } from "./forward_bounds.ts";
import { type CurvedStep, type LinearStep, type MaxPoolStep, sizeOfOne } from "./network.ts";
import { shapeIn } from "../replay.ts";
import { gamma, roundedUp } from "./rounding.ts";

/** Lines below and above a curve's change, for each number: `slope z - below` and `slope z + above`. */
interface Lines {
  readonly belowSlope: Float32Array;
  readonly below: Float32Array;
  readonly aboveSlope: Float32Array;
  readonly above: Float32Array;
}

/**
 * How far linear functions of the logits can fall, by linear bounds that go back from the logits to the image (CROWN;
 * Zhang et al. 2018, arXiv 1811.00866): a curve is replaced by a line below it where its coefficient is positive, and
 * by one above it where it is negative. Of ReLU the line below has the slope 0 or 1, whichever leaves the smaller
 * triangle.
 *
 * The forward bounds say between which ends a curve is to be bounded. What is rounded on the way back changes
 * coefficients, by a part of them; it is bounded by what the numbers that they multiply can be, and added.
 *
 * @param functions `[batch, count, classes]` of small whole numbers
 * @param most numbers that the coefficients of a value may have at once: functions are gone through in parts
 * @returns `[batch, count]`, at least 0: how far they can be below what they are for the images themselves
 */
export async function falls(
  device: DeviceNetwork,
  anchor: Anchor,
  forward: ForwardBounds,
  { data, count }: { readonly data: Float32Array; readonly count: number },
  most: number = MOST_NUMBERS,
): Promise<Float64Array> {
  const { ops, network: { steps } } = device;
  const { batch } = anchor;
  const classes = data.length / count / batch;
  const largest = Math.max(...steps.map(({ output }) => sizeOfOne(output)));
  const atOnce = Math.max(1, Math.floor(most / (batch * largest)));
  const found = new Float64Array(batch * count);
  for (let begin = 0; begin < count; begin += atOnce) {
    const own = Math.min(atOnce, count - begin);
    const functions = new Float32Array(batch * own * classes);
    for (let example = 0; example < batch; example++) {
      const from = (example * count + begin) * classes;
      functions.set(data.subarray(from, from + own * classes), example * own * classes);
    }
    const result = ops.scope(() => new Backward(device, anchor, forward, own).from(functions));
    const [numbers] = await ops.read([result]);
    result.dispose();
    for (let example = 0; example < batch; example++) {
      found.set(numbers.subarray(example * own, (example + 1) * own), example * count + begin);
    }
  }
  return found;
}

/** Coefficients of all values between two curves are there at once: 64 MB each. */
const MOST_NUMBERS = 2 ** 24;

/** One walk back through a network. */
class Backward {
  readonly #ops: Ops;
  readonly #batch: number;
  /** Coefficients of a value, `[batch * functions, ...]`. */
  readonly #coefficients = new Map<Value, Tensor>();
  /** What was lost so far, `[batch, functions]`. */
  #lost: Tensor;
  /** The most numbers that one sum of losses had, and how many sums were added. */
  #longest = 1;
  #sums = 0;

  constructor(
    private readonly device: DeviceNetwork,
    private readonly anchor: Anchor,
    private readonly forward: ForwardBounds,
    private readonly functions: number,
  ) {
    this.#ops = device.ops;
    this.#batch = anchor.batch;
    this.#lost = this.#ops.full([this.#batch, functions], 0);
  }

  from(functions: Float32Array): Tensor {
    const { network } = this.device;
    this.#coefficients.set(network.logits, this.#ops.tensor(functions, this.#shapeOf(network.logits)));
    for (const step of network.steps.toReversed()) {
      const a = this.#coefficients.get(step.output);
      if (!a) continue;
      this.#coefficients.delete(step.output);
      if (step.kind === "linear") this.#linear(step, a);
      else if (step.kind === "curved") this.#curve(step, a);
      else this.#pool(step, a);
    }
    this.#atInput(network.input);
    return this.#ops.scale(this.#lost, roundedUp(1 + 2 * gamma(this.#longest + this.#sums + 8)));
  }

  #linear(step: LinearStep, a: Tensor): void {
    // The next coefficients may be off by gamma |L^T| |a|; what they multiply, |L| takes to twice this radius at most.
    if (step.terms > 0) this.#loseByRounding(step.output, a, step.transposedTerms + 4);
    this.device.transposed(step, a).forEach((part, index) => this.#give(step.inputs[index], part));
  }

  #curve(step: CurvedStep, a: Tensor): void {
    const ops = this.#ops;
    const { belowSlope, below, aboveSlope, above } = this.#linesOf(step);
    const [slopeBelow, slopeAbove, lossBelow, lossAbove] = [belowSlope, aboveSlope, below, above]
      .map((numbers) => this.#each(ops.tensor(numbers, [this.#batch, numbers.length / this.#batch])));
    const grouped = this.#grouped(a);
    const positive = ops.relu(grouped);
    const negative = ops.relu(ops.negate(grouped));
    this.#lose(ops.add(ops.multiply(positive, lossBelow), ops.multiply(negative, lossAbove)));
    const next = ops.subtract(ops.multiply(positive, slopeBelow), ops.multiply(negative, slopeAbove));
    this.#give(step.inputs[0], ops.reshape(next, a.shape));
  }

  #linesOf({ curve, inputs: [input] }: CurvedStep): Lines {
    const v = this.anchor.of(input);
    const { lower, upper } = this.forward.boxes.get(input)!;
    const [belowSlope, below, aboveSlope, above] = Array.from({ length: 4 }, () => new Float32Array(v.length));
    for (let i = 0; i < v.length; i++) {
      const slopes = curve.slopes(v[i] - lower[i], v[i] + upper[i]);
      [belowSlope[i], aboveSlope[i]] = slopes;
      // The product with the slope is rounded.
      const room = (slope: number) => 2 ** -22 * Math.abs(slope) * Math.max(lower[i], upper[i]);
      below[i] = roundedUp(room(belowSlope[i]) - extremes(curve, v[i], lower[i], upper[i], belowSlope[i])[0]);
      above[i] = roundedUp(room(aboveSlope[i]) + extremes(curve, v[i], lower[i], upper[i], aboveSlope[i])[1]);
    }
    return { belowSlope, below, aboveSlope, above };
  }

  #pool(step: MaxPoolStep, a: Tensor): void {
    const ops = this.#ops;
    const { box, least, below, sure } = this.forward.pools.get(step)!;
    const size = sure.length / this.#batch;
    const each = (numbers: Float32Array) => this.#each(ops.tensor(numbers, [this.#batch, size]));
    const grouped = this.#grouped(a);
    const positive = ops.relu(grouped);
    const negative = ops.relu(ops.negate(grouped));
    const above = box.upper.map((most, i) => sure[i] === 1 ? 0 : most);
    this.#lose(ops.add(ops.multiply(positive, each(below)), ops.multiply(negative, each(above))));
    const next = ops.reshape(ops.subtract(positive, ops.multiply(negative, each(sure))), a.shape);
    const [input] = step.inputs;
    // The gradient of a pool of the least numbers goes where they choose.
    const [, ...rest] = shapeIn(input.shape, 1);
    const chosenBy = ops.reshape(
      ops.expand(ops.tensor(least, [this.#batch, 1, ...rest]), [this.#batch, this.functions, ...rest]),
      [this.#batch * this.functions, ...rest],
    );
    const product = () => ops.sum(ops.multiply(ops.maxPool2d(chosenBy, step.options), next));
    this.#give(input, ops.differentiate(product, [chosenBy]).gradients[0]!);
  }

  #atInput(input: Value): void {
    const a = this.#coefficients.get(input);
    if (!a) return;
    const ops = this.#ops;
    const { middle, radius } = this.forward.balls.get(input)!;
    const grouped = this.#grouped(a);
    const reach = ops.scale(this.#each(radius), roundedUp(1 + 2 ** -20));
    this.#lose(ops.subtract(ops.multiply(ops.abs(grouped), reach), ops.multiply(grouped, this.#each(middle))));
  }

  /** Adds the sums of `[batch, functions, numbers]`, none of which is negative. */
  #lose(losses: Tensor): void {
    this.#longest = Math.max(this.#longest, losses.shape[2]);
    this.#sums++;
    this.#lost = this.#ops.add(this.#lost, this.#ops.sum(losses, { axes: [2] }));
  }

  #give(value: Value, part: Tensor): void {
    const other = this.#coefficients.get(value);
    if (!other) return void this.#coefficients.set(value, part);
    const sum = this.#ops.add(other, part);
    this.#coefficients.set(value, sum);
    this.#loseByRounding(value, sum, 1);
  }

  /** Coefficients of a value may be off by gamma of them, times numbers of at most twice the radius. */
  #loseByRounding(value: Value, coefficients: Tensor, terms: number): void {
    const { radius } = this.forward.balls.get(value)!;
    const sizes = this.#ops.multiply(this.#ops.abs(this.#grouped(coefficients)), this.#each(radius));
    this.#lose(this.#ops.scale(sizes, roundedUp(2 * gamma(terms))));
  }

  /** `[batch, functions, numbers]` of `[batch * functions, ...]`. */
  #grouped(a: Tensor): Tensor {
    return this.#ops.reshape(a, [this.#batch, this.functions, a.size / this.#batch / this.functions]);
  }

  /** `[batch, 1, numbers]` of `[batch, ...]`. */
  #each(x: Tensor): Tensor {
    return this.#ops.reshape(x, [this.#batch, 1, x.size / this.#batch]);
  }

  #shapeOf(value: Value): number[] {
    return [this.#batch * this.functions, ...shapeIn(value.shape, 1).slice(1)];
  }
}
