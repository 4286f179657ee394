import { Random } from "../../data/random.ts";
import type { Value } from "../../onnx/trace.ts";
import type { Tensor } from "../../tensor.ts";
import type { DeviceNetwork } from "./device_network.ts";
import { type LinearStep, type Network, sizeOfOne } from "./network.ts";
import { shapeIn } from "../replay.ts";

/** How much the logits can change at most, in Euclidean norm, for each unit of change of the image's numbers. */
export interface Lipschitz {
  /** By what power iteration has come to, which is from below. */
  readonly estimate: number;
  /** It is at most this, save for a part of 10^-6 of all starting vectors, and for rounding. */
  readonly bound: number;
}

/** Products with L^T L, unless fewer are asked for; a bound is off by about 1 + 10 / this. */
const ITERATIONS = 100;

/** How probable it may be that a starting vector misses what grows most. */
const MISSED = 1e-6;

/**
 * The product of the spectral norms of a network's layers (Szegedy et al. 2014, arXiv 1312.6199, section 4.3): those
 * of the linear maps between two curves as they are, a convolution's over images with its padding and stride rather
 * than of its filters as a matrix. Where ways meet their bounds are added. ReLU changes by no more than what it gets.
 *
 * Norms are found by power iteration. If b is a random unit vector of n numbers, and u the one that L^T L makes
 * longest, |<b, u>| is at least t with a probability of at least 1 - t sqrt(2 n / pi); and |(L^T L)^k b| is at least
 * |<b, u>| times the norm's power of 2 k: so the norm is at most (|(L^T L)^k b| / t)^(1 / 2k).
 */
export async function lipschitzOf(
  device: DeviceNetwork,
  seed: number,
  iterations: number = ITERATIONS,
): Promise<Lipschitz> {
  const { network } = device;
  const random = new Random(seed);
  const chains = chainsOf(network);
  const known = new Map<Value, Lipschitz>([[network.input, { estimate: 1, bound: 1 }]]);
  const missed = MISSED / Math.max(1, chains.size);
  for (const step of network.steps) {
    const chain = chains.get(step.output);
    if (chain) {
      const before = known.get(chain[0].inputs[0])!;
      const norm = await spectralNorm(device, chain, random, missed, iterations);
      known.set(step.output, { estimate: before.estimate * norm.estimate, bound: before.bound * norm.bound });
      continue;
    }
    const given = step.inputs.map((input) => known.get(input));
    // Within a chain.
    if (given.some((one) => one === undefined) || (step.kind === "linear" && step.inputs.length === 1)) continue;
    known.set(step.output, combined(given as Lipschitz[], growthOf(step)));
  }
  return known.get(network.logits)!;
}

function growthOf(step: Network["steps"][number]): (parts: readonly number[]) => number {
  if (step.kind === "curved") return ([part]) => step.curve.steepest * part;
  // A number is in so many windows along each axis.
  if (step.kind === "max-pool") return ([part]) => Math.ceil(step.options.size / step.options.stride) * part;
  if (step.name === "concat") return (parts) => Math.hypot(...parts);
  return (parts) => parts.reduce((sum, part) => sum + part, 0);
}

function combined(parts: readonly Lipschitz[], grow: (parts: readonly number[]) => number): Lipschitz {
  return { estimate: grow(parts.map(({ estimate }) => estimate)), bound: grow(parts.map(({ bound }) => bound)) };
}

/** Linear maps of one input that follow each other and that nothing else looks into, by the value that they come to. */
function chainsOf({ steps, logits }: Network): Map<Value, readonly LinearStep[]> {
  const uses = new Map<Value, number>([[logits, 1]]);
  for (const { inputs } of steps) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const chains = new Map<Value, readonly LinearStep[]>();
  for (const step of steps) {
    if (step.kind !== "linear" || step.inputs.length > 1) continue;
    const [input] = step.inputs;
    const before = uses.get(input) === 1 ? chains.get(input) ?? [] : [];
    if (before.length > 0) chains.delete(input);
    chains.set(step.output, [...before, step]);
  }
  return chains;
}

async function spectralNorm(
  device: DeviceNetwork,
  chain: readonly LinearStep[],
  random: Random,
  missed: number,
  iterations: number,
): Promise<Lipschitz> {
  // What moves numbers, or leaves some out, makes nothing longer.
  if (chain.every(({ terms }) => terms === 0)) return { estimate: 1, bound: 1 };
  const { ops } = device;
  const from = chain[0].inputs[0];
  const size = sizeOfOne(from);
  const shape = shapeIn(from.shape, 1);
  let vector = Float64Array.from({ length: size }, () => random.normal());
  let norm = lengthOf(vector);
  let [growth, last] = [0, 0];
  for (let iteration = 0; iteration < iterations; iteration++) {
    const unit = vector.map((one) => one / norm);
    const product = ops.scope((): Tensor => {
      let x = chain.reduce((x, step) => device.run(step, [x], false), ops.tensor(unit, shape));
      for (const step of chain.toReversed()) [x] = device.transposed(step, x);
      return ops.reshape(x, shape);
    });
    const [numbers] = await ops.read([product]);
    product.dispose();
    vector = Float64Array.from(numbers);
    norm = lengthOf(vector);
    if (norm === 0) return { estimate: 0, bound: 0 };
    growth += Math.log(norm);
    last = norm;
  }
  const least = missed / Math.sqrt(2 * size / Math.PI);
  return { estimate: Math.sqrt(last), bound: Math.exp((growth - Math.log(least)) / (2 * iterations)) };
}

const lengthOf = (vector: Float64Array) => Math.sqrt(vector.reduce((sum, one) => sum + one * one, 0));
