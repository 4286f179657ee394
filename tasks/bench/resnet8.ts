import { blocks, type Convolution, stem } from "./workload.ts";

/** The operations that an engine must supply to run the benchmark's network. */
export interface Operations<T> {
  /** Convolution without bias, padded by (kernel - 1) / 2 on each side. */
  convolve(x: T, convolution: Convolution): T;
  /** Batch norm over all axes but channels by the statistics of the batch; also moves the running statistics. */
  normalise(x: T, norm: string): T;
  relu(x: T): T;
  add(x: T, y: T): T;
  /** Mean over height and width: [batch, channels]. */
  pool(x: T): T;
  /** The linear layer `fc`. */
  classify(x: T): T;
  /** A second reference to `x`, for engines whose operations use up what they are given. */
  share(x: T): T;
}

/**
 * ResNet-8 (CIFAR style, widths 16-32-64), written once so that every engine does the same work.
 *
 * @param ops the engine's operations
 * @param x images
 * @returns logits, [batch, 10]
 */
export function resnet8<T>(ops: Operations<T>, x: T): T {
  const layer = (x: T, c: Convolution) => ops.normalise(ops.convolve(x, c), c.norm);
  x = ops.relu(layer(x, stem));
  for (const { convolutions: [first, second], projection } of blocks) {
    const residual = layer(ops.relu(layer(ops.share(x), first)), second);
    const shortcut = projection ? layer(x, projection) : x;
    x = ops.relu(ops.add(residual, shortcut));
  }
  return ops.classify(ops.pool(x));
}
