import { type Architecture, type Block, inEights } from "../mobilenet/architecture.ts";

/** Whose numbers a network computes with; the tensors are the same. */
export const VARIANTS = ["timm", "tf"] as const;

/** One of {@link VARIANTS}. */
export type Variant = typeof VARIANTS[number];

/** Options of the `efficientnet-lite0` plug-in. */
export interface EfficientnetLite0Options {
  readonly variant: Variant | null;
  readonly width: number | null;
  readonly stemStride: 1 | 2 | null;
  readonly dropout: number;
  readonly depthwiseChains: boolean;
}

/** Stages of EfficientNet-B0 (Tan and Le 2019, table 1): expansion, filter, channels, blocks and stride. */
const STAGES = [
  [1, 3, 16, 1, 1],
  [6, 3, 24, 2, 2],
  [6, 5, 40, 2, 2],
  [6, 3, 80, 3, 2],
  [6, 5, 112, 3, 1],
  [6, 5, 192, 4, 2],
  [6, 3, 320, 1, 1],
] as const;

const STEM = 32;

/** The network's blocks under timm's names. @param width what their channels are multiplied by */
export function layOut(variant: Variant, width: number, stemStride: 1 | 2): Architecture {
  let inputs = STEM;
  const blocks = STAGES.flatMap(([expansion, size, channels, count, first], stage) =>
    Array.from({ length: count }, (_, index): Block => {
      const name = `blocks.${stage}.${index}`;
      const part = (conv: string, norm: number) => ({ conv: `${name}.${conv}`, norm: `${name}.bn${norm}` });
      const [outputs, expanded, stride] = [inEights(channels * width), inputs * expansion, index === 0 ? first : 1];
      const names = expansion === 1
        ? { expand: null, depthwise: part("conv_dw", 1), project: part("conv_pw", 2) }
        : { expand: part("conv_pw", 1), depthwise: part("conv_dw", 2), project: part("conv_pwl", 3) };
      const block: Block = {
        ...{ name, inputs, expanded, outputs, size, stride, squeezed: null, activation: "relu6" },
        names: { ...names, squeeze: "" },
      };
      inputs = outputs;
      return block;
    })
  );
  return {
    stem: { name: "conv_stem", names: { conv: "conv_stem", norm: "bn1" }, outputs: STEM, stride: stemStride },
    blocks,
    last: { name: "conv_head", names: { conv: "conv_head", norm: "bn2" }, outputs: 1280 },
    hidden: null,
    head: "classifier",
    activation: "relu6",
    norm: variant === "tf" ? { epsilon: 1e-3 } : {},
    padsSame: variant === "tf",
  };
}

/**
 * Whether a network can pad as TensorFlow does: where a layer halves its image, height and width are both even or both
 * odd.
 */
export function canPadSame({ stem, blocks }: Architecture, [height, width]: readonly number[]): boolean {
  return [stem, ...blocks].every(({ stride }) => {
    const fits = stride === 1 || height % 2 === width % 2;
    [height, width] = [height, width].map((side) => Math.ceil(side / stride));
    return fits;
  });
}
