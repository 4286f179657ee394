import { UserError } from "../../../core/errors.ts";

/** Options of the `resnet` plug-in. */
export interface ResnetOptions {
  readonly depth: number | null;
  readonly width: number | null;
  readonly stem: "cifar" | "imagenet" | "small" | null;
  readonly dropout: number;
  readonly subclasses: number;
}

/** One residual block: two 3x3 convolutions, or a bottleneck of 1x1, 3x3 and 1x1. */
export interface Block {
  /** `layer2.0` */
  readonly name: string;
  readonly bottleneck: boolean;
  readonly inputs: number;
  /** Channels of the 3x3 convolutions. */
  readonly width: number;
  readonly outputs: number;
  readonly stride: number;
  /** Whether the shortcut needs a 1x1 convolution to fit. */
  readonly projected: boolean;
}

/** A residual network laid out in blocks. */
export interface Architecture {
  readonly stem: "cifar" | "imagenet" | "small";
  readonly stemWidth: number;
  /** By stage: `layer1`, `layer2`, ... */
  readonly stages: readonly { readonly name: string; readonly blocks: readonly Block[] }[];
  /** Channels that the last linear layer sees. */
  readonly pooledWidth: number;
}

/** Blocks per stage of the ImageNet family (He et al. 2016, table 1). */
const IMAGENET_STAGES: Readonly<Record<number, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
};

/** The depths that can be built, for messages. */
export const DEPTHS = "18, 34, 50, or 6k + 2";

/** The depth of a network by the blocks of its stages; `null` for one that {@link layOut} does not lay out. */
export function depthOf(blocks: readonly number[], bottleneck: boolean): number | null {
  const imagenet = Object.entries(IMAGENET_STAGES).find(([depth, counts]) =>
    counts.join() === blocks.join() && isBottleneck(Number(depth)) === bottleneck
  );
  if (imagenet) return Number(imagenet[0]);
  const depth = 6 * blocks[0] + 2;
  const isCifar = !bottleneck && blocks.length === 3 && blocks.every((count) => count === blocks[0]);
  return isCifar && !IMAGENET_STAGES[depth] ? depth : null;
}

const isBottleneck = (depth: number) => depth === 50;

/** A bottleneck block gives four times the channels of its 3x3 convolution. */
const EXPANSION = 4;

/**
 * The blocks of a residual network: the ImageNet family for depths 18, 34 and 50, else the CIFAR family of three stages
 * with (depth - 2) / 6 blocks each (He et al. 2016, section 4.2).
 *
 * @throws UserError for a depth of neither family
 */
export function layOut({ depth, width, stem }: Pick<ResnetOptions, "depth" | "width" | "stem">): Architecture {
  if (depth === null) {
    throw new UserError(`Cannot build a ResNet of no depth: expected depth (${DEPTHS}), or weights that show it`);
  }
  const imagenet = IMAGENET_STAGES[depth];
  if (!imagenet && (depth < 8 || (depth - 2) % 6 !== 0)) {
    const below = Math.max(8, 6 * Math.floor((depth - 2) / 6) + 2);
    throw new UserError(
      `Cannot build a ResNet of depth ${depth}: expected ${DEPTHS} such as ${below} and ${below + 6}`,
    );
  }
  const counts = imagenet ?? new Array<number>(3).fill((depth - 2) / 6);
  const first = width ?? (imagenet ? 64 : 16);
  const bottleneck = isBottleneck(depth);
  let inputs = first;
  const stages = counts.map((count, stage) => {
    const name = `layer${stage + 1}`;
    const blocks = Array.from({ length: count }, (_, index): Block => {
      const blockWidth = first * 2 ** stage;
      const outputs = bottleneck ? EXPANSION * blockWidth : blockWidth;
      const stride = index === 0 && stage > 0 ? 2 : 1;
      const projected = stride !== 1 || inputs !== outputs;
      const block = { name: `${name}.${index}`, bottleneck, inputs, width: blockWidth, outputs, stride, projected };
      inputs = outputs;
      return block;
    });
    return { name, blocks };
  });
  return { stem: stem ?? (imagenet ? "imagenet" : "cifar"), stemWidth: first, stages, pooledWidth: inputs };
}
