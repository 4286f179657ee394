import type { Device } from "../device.ts";
import { crfForwardKernel, crfGradientKernel, crfMarginalsGradientKernel, crfMarginalsKernel } from "../kernels/crf.ts";
import { crfScoreGradientKernel, crfScoreKernel } from "../kernels/crf_score.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";
import { sumOver } from "./sum.ts";

/** The shaders keep a row of tags in a workgroup's memory. */
const MOST_TAGS = 256;

/** The sizes of a chain's scores. */
export interface ChainSizes {
  readonly sequences: number;
  readonly length: number;
  readonly tags: number;
}

/**
 * The sizes of emissions `[batch, length, tags]` with transitions `[tags, tags]` and something `[batch, length]`.
 *
 * @throws RangeError if they do not fit each other, or there are more than 256 tags
 */
export function chainSizes(emissions: Tensor, transitions: Tensor, positions: Tensor): ChainSizes {
  const [sequences, length, tags] = emissions.shape;
  const expected = [[tags, tags], [sequences, length]].map(showShape);
  const given = [transitions.shape, positions.shape].map(showShape);
  if (emissions.shape.length !== 3 || given.join() !== expected.join()) {
    throw new RangeError(
      `Cannot score chains with emissions ${showShape(emissions.shape)}, transitions ${given[0]} and positions ` +
        `${given[1]}: expected [batch, length, tags], [tags, tags] and [batch, length]`,
    );
  }
  if (tags > MOST_TAGS) throw new RangeError(`Cannot score chains of ${tags} tags: at most ${MOST_TAGS} are possible`);
  return { sequences, length, tags };
}

/** The results of the forward algorithm that all later passes use. */
interface Lattice {
  readonly sizes: ChainSizes;
  readonly filtered: Tensor;
  readonly incoming: Tensor;
  readonly logPartition: Tensor;
}

function forwardAlgorithm(device: Device, emissions: Tensor, transitions: Tensor, mask: Tensor): Lattice {
  const sizes = chainSizes(emissions, transitions, mask);
  const [filtered, incoming] = [device.empty(emissions.shape), device.empty(emissions.shape)];
  const logPartition = device.empty([sizes.sequences]);
  device.run(crfForwardKernel, { emissions, transitions, mask, filtered, incoming, logPartition }, sizes);
  return { sizes, filtered, incoming, logPartition };
}

/** Gradient buffers, and what to return of them once they are filled: every sequence shares the transitions. */
function gradients(device: Device, { sequences, tags }: ChainSizes, emissions: Tensor) {
  const emissionsGradient = device.empty(emissions.shape);
  const transitionsGradient = device.empty([sequences, tags, tags]);
  const summed = () => device.alias(sumOver(device, transitionsGradient, new Set([0])), [tags, tags]);
  return { emissionsGradient, transitionsGradient, summed };
}

/**
 * log Z of linear-chain conditional random fields (Lafferty et al. 2001), where the score of a path of tags y is
 * sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t]: emissions `[batch, length, tags]`, transitions
 * `[tags, tags]` (from, to) and mask `[batch, length]` give `[batch]`.
 *
 * The chain runs over the positions whose mask is not 0, wherever they stand; without any, log Z is 0. There are no
 * transitions for the start and the end: the emissions of the first and the last position can say as much.
 *
 * Its gradient by the emissions is the marginal probability of each tag at each position, by the transitions the
 * expected number of times that each pair of tags follows one another. The mask has no gradient.
 */
export const crfLogPartition: Op<[emissions: Tensor, transitions: Tensor, mask: Tensor]> = defineOp({
  forward(device: Device, emissions: Tensor, transitions: Tensor, mask: Tensor) {
    const lattice = forwardAlgorithm(device, emissions, transitions, mask);
    return { output: lattice.logPartition, saved: lattice };
  },
  backward(device, { gradient, saved: { sizes, filtered, incoming } }, emissions, transitions, mask) {
    const { emissionsGradient, transitionsGradient, summed } = gradients(device, sizes, emissions);
    const views = { transitions, mask, filtered, incoming, gradient, emissionsGradient, transitionsGradient };
    device.run(crfGradientKernel, views, sizes);
    return [emissionsGradient, summed(), null];
  },
});

/**
 * Logarithms of the marginal probabilities p(y_t = j | x) of linear chains as in {@link crfLogPartition}:
 * `[batch, length, tags]`, by forward-backward. Positions whose mask is 0 get 0 for every tag and have no gradient.
 */
export const crfLogMarginals: Op<[emissions: Tensor, transitions: Tensor, mask: Tensor]> = defineOp({
  forward(device: Device, emissions: Tensor, transitions: Tensor, mask: Tensor) {
    const lattice = forwardAlgorithm(device, emissions, transitions, mask);
    const { sizes, filtered, incoming } = lattice;
    const marginals = device.empty(emissions.shape);
    device.run(crfMarginalsKernel, { transitions, mask, filtered, incoming, marginals }, sizes);
    return { output: marginals, saved: lattice };
  },
  backward(device, { output, gradient, saved: { sizes, filtered, incoming } }, emissions, transitions, mask) {
    const { emissionsGradient, transitionsGradient, summed } = gradients(device, sizes, emissions);
    device.run(crfMarginalsGradientKernel, {
      transitions,
      mask,
      filtered,
      incoming,
      marginals: output,
      gradient,
      emissionsGradient,
      transitionsGradient,
    }, sizes);
    return [emissionsGradient, summed(), null];
  },
});

/**
 * The score of one path of tags through each chain, as in {@link crfLogPartition}: emissions `[batch, length, tags]`,
 * transitions `[tags, tags]` and the path `[batch, length]` give `[batch]`. Positions with a negative tag are left out.
 * The path has no gradient.
 */
export const crfScore: Op<[emissions: Tensor, transitions: Tensor, path: Tensor]> = defineOp({
  forward(device: Device, emissions: Tensor, transitions: Tensor, path: Tensor) {
    const sizes = chainSizes(emissions, transitions, path);
    const output = device.empty([sizes.sequences]);
    device.run(crfScoreKernel, { emissions, transitions, path, output }, sizes);
    return { output, saved: sizes };
  },
  backward(device, { gradient, saved: sizes }, emissions, _transitions, path) {
    const { emissionsGradient, transitionsGradient, summed } = gradients(device, sizes, emissions);
    device.run(crfScoreGradientKernel, { path, gradient, emissionsGradient, transitionsGradient }, sizes);
    return [emissionsGradient, summed(), null];
  },
});
