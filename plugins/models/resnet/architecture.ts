import { UserError } from "../../../core/errors.ts";

/** How a block's input goes around it where its size changes. */
export type Shortcut = "projection" | "padded" | "padded-behind";

/** Options of the `resnet` plug-in. */
export interface ResnetOptions {
  readonly depth: number | null;
  readonly blocks: readonly number[] | null;
  readonly bottleneck: boolean | null;
  readonly width: number | null;
  readonly stem: "cifar" | "imagenet" | "small" | null;
  readonly shortcut: Shortcut | null;
  readonly inner: readonly number[] | null;
  readonly dropout: number;
  readonly subclasses: number;
}

/** The options that lay a network out. */
export type Layout =
  & Pick<ResnetOptions, "depth" | "blocks" | "bottleneck" | "width" | "stem" | "shortcut">
  & Partial<Pick<ResnetOptions, "inner">>;

/** One residual block: two 3x3 convolutions, or a bottleneck of 1x1, 3x3 and 1x1. */
export interface Block {
  /** `layer2.0` */
  readonly name: string;
  readonly bottleneck: boolean;
  readonly inputs: number;
  /** Channels that each convolution but the last gives. */
  readonly inner: readonly number[];
  readonly outputs: number;
  readonly stride: number;
  /** How the shortcut is made to fit; `null` where it does. */
  readonly shortcut: Shortcut | null;
}

/** A residual network laid out in blocks. */
export interface Architecture {
  readonly stem: "cifar" | "imagenet" | "small";
  readonly stemWidth: number;
  readonly shortcut: Shortcut;
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
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};

/** The depths that have names, for messages. */
export const DEPTHS = "18, 34, 50, 101, 152, or 6k + 2";

/** The depth of a network by the blocks of its stages; `null` for one that only they describe. */
export function depthOf(blocks: readonly number[], bottleneck: boolean): number | null {
  const imagenet = Object.entries(IMAGENET_STAGES).find(([depth, counts]) =>
    counts.join() === blocks.join() && isBottleneck(Number(depth)) === bottleneck
  );
  if (imagenet) return Number(imagenet[0]);
  const depth = 6 * blocks[0] + 2;
  const isCifar = !bottleneck && blocks.length === 3 && blocks.every((count) => count === blocks[0]);
  return isCifar && !IMAGENET_STAGES[depth] ? depth : null;
}

const isBottleneck = (depth: number) => depth >= 50 && IMAGENET_STAGES[depth] !== undefined;

/** A bottleneck block gives four times the channels of its 3x3 convolution. */
const EXPANSION = 4;

/**
 * The blocks of a residual network: those that are listed, or by depth the ImageNet family for 18, 34, 50, 101 and 152,
 * else the CIFAR family of three stages with (depth - 2) / 6 blocks each (He et al. 2016, section 4.2).
 *
 * @throws UserError for a depth of neither family, one beside a list, or inner widths that are not as many as there are
 */
export function layOut(
  { depth, blocks, bottleneck: stated, width, stem, shortcut, inner = null }: Layout,
): Architecture {
  const { counts, bottleneck } = blocks === null ? byDepth(depth, stated) : listed(blocks, depth, stated);
  const isImagenet = counts.length === 4;
  const first = width ?? (isImagenet ? 64 : 16);
  const kind = shortcut ?? "projection";
  const innerCount = bottleneck ? 2 : 1;
  expectInner(inner, innerCount * counts.reduce((sum, count) => sum + count, 0));
  let [inputs, seen] = [first, 0];
  const stages = counts.map((count, stage) => {
    const name = `layer${stage + 1}`;
    const blocks = Array.from({ length: count }, (_, index): Block => {
      const blockWidth = first * 2 ** stage;
      const outputs = bottleneck ? EXPANSION * blockWidth : blockWidth;
      const stride = index === 0 && stage > 0 ? 2 : 1;
      const fits = stride === 1 && inputs === outputs;
      const own = inner?.slice(seen, seen + innerCount) ?? new Array<number>(innerCount).fill(blockWidth);
      const block = { name: `${name}.${index}`, bottleneck, inputs, inner: own, outputs, stride };
      inputs = outputs;
      seen += innerCount;
      return { ...block, shortcut: fits ? null : kind };
    });
    return { name, blocks };
  });
  const pooled = { stemWidth: first, shortcut: kind, stages, pooledWidth: inputs };
  return { stem: stem ?? (isImagenet ? "imagenet" : "cifar"), ...pooled };
}

function expectInner(inner: readonly number[] | null, count: number): void {
  if (inner === null || inner.length === count) return;
  throw new UserError(
    `Cannot build a ResNet with ${inner.length} numbers in inner: expected ${count}, one for each convolution that is not ` +
      "the last of its block",
  );
}

interface Stages {
  readonly counts: readonly number[];
  readonly bottleneck: boolean;
}

function listed(blocks: readonly number[], depth: number | null, bottleneck: boolean | null): Stages {
  if (depth !== null) {
    throw new UserError(
      `Cannot build a ResNet of depth ${depth} and of blocks: [${blocks.join(", ")}]: say one of them`,
    );
  }
  return { counts: blocks, bottleneck: bottleneck ?? false };
}

function byDepth(depth: number | null, stated: boolean | null): Stages {
  if (depth === null) {
    throw new UserError(
      `Cannot build a ResNet of no depth: expected depth (${DEPTHS}), blocks, or weights that show it`,
    );
  }
  const imagenet = IMAGENET_STAGES[depth];
  if (!imagenet && (depth < 8 || (depth - 2) % 6 !== 0)) {
    const below = Math.max(8, 6 * Math.floor((depth - 2) / 6) + 2);
    throw new UserError(
      `Cannot build a ResNet of depth ${depth}: expected ${DEPTHS} such as ${below} and ${below + 6}`,
    );
  }
  const bottleneck = isBottleneck(depth);
  if (stated !== null && stated !== bottleneck) {
    throw new UserError(
      `Cannot build a ResNet of depth ${depth} with bottleneck: ${stated}: it has ${bottleneck ? "three" : "two"} ` +
        "convolutions in each block; others are described by blocks",
    );
  }
  return { counts: imagenet ?? new Array<number>(3).fill((depth - 2) / 6), bottleneck };
}
