import { bounded } from "../../../core/recipe/bounds.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { type Activation, ACTIVATIONS } from "../images/activations.ts";

/** A convolution, and what follows it. */
export interface ConvLayer {
  readonly use: "conv";
  readonly channels: number;
  readonly size: number;
  readonly stride: number;
  /** `null`: half of the filter, which keeps the size of an image at a stride of 1. */
  readonly padding: number | null;
  readonly dilation: number;
  readonly groups: number;
  readonly norm: "batch" | "none";
  readonly activation: Activation;
}

/** The largest, or the mean, of windows. */
export interface PoolLayer {
  readonly use: "max-pool" | "average-pool";
  readonly size: number;
  /** `null`: the size, so that windows do not overlap. */
  readonly stride: number | null;
  readonly padding: number;
}

/** The mean over an image. */
export interface GlobalPoolLayer {
  readonly use: "global-pool";
}

/** A matrix, and what follows it. */
export interface LinearLayer {
  readonly use: "linear";
  readonly width: number;
  readonly norm: "batch" | "none";
  readonly activation: Activation;
  readonly dropout: number;
}

/** A layer of a recipe's list. */
export type Layer = ConvLayer | PoolLayer | GlobalPoolLayer | LinearLayer;

/** The schema of what a layer of several channels has behind it. */
function behind({ z }: Pick<OptionKit, "z">, norm: "batch" | "none") {
  return {
    norm: z.enum(["batch", "none"]).default(norm).describe("Batch norm behind the layer, or a bias in it"),
    activation: z.enum(ACTIVATIONS).default("relu").describe("What follows the norm"),
  };
}

/** The schema of a number of neurons. */
export const neurons = ({ z }: Pick<OptionKit, "z">) =>
  bounded(z.int().min(1).max(2 ** 16), "no memory holds the matrix between two wider layers");

/** The schema of a rate of dropout. */
export const dropoutRate = ({ z }: Pick<OptionKit, "z">) => z.number().min(0).lt(1);

/** The schema of a recipe's list of layers. */
export function layerList(kit: OptionKit) {
  const { z } = kit;
  const side = bounded(z.int().min(1).max(255), "filters and windows of that size were never used");
  const stride = bounded(z.int().min(1).max(64), "most of an image would never be seen");
  const padding = bounded(z.int().min(0).max(512), "there would be more padding than image");
  const pool = {
    size: side.default(2).describe("Height and width of a window"),
    stride: stride.nullable().default(null).describe("Pixels between windows; null: the size"),
    padding: padding.default(0).describe("Pixels around the image, at most half of the size"),
  };
  const layer = z.discriminatedUnion("use", [
    z.strictObject({
      use: z.literal("conv").describe("A convolution"),
      channels: bounded(z.int().min(1).max(2 ** 14), "no memory holds so many feature maps").describe(
        "Channels that it gives",
      ),
      size: side.default(3).describe("Height and width of its filters"),
      stride: stride.default(1).describe("Pixels from one position to the next"),
      padding: padding.nullable().default(null).describe("Pixels of zeros around the image; null: half of the filter"),
      dilation: bounded(z.int().min(1).max(64), "the filter would be larger than any image").default(1).describe(
        "Pixels from one tap of a filter to the next",
      ),
      groups: bounded(z.int().min(1).max(2 ** 14), "there are not so many channels").default(1).describe(
        "Parts of the channels that do not see each other; as many as channels: depthwise",
      ),
      ...behind(kit, "batch"),
    }),
    z.strictObject({ use: z.literal("max-pool").describe("The largest number of each window"), ...pool }),
    z.strictObject({
      use: z.literal("average-pool").describe("The mean of each window, padding counted as zeros"),
      ...pool,
    }),
    z.strictObject({ use: z.literal("global-pool").describe("The mean over the image") }),
    z.strictObject({
      use: z.literal("linear").describe("A matrix; before the first, images become vectors, channel by channel"),
      width: neurons(kit).describe("Numbers that it gives"),
      ...behind(kit, "none"),
      dropout: dropoutRate(kit).default(0).describe("Rate of dropout behind it"),
    }),
  ]);
  return z.array(layer).max(1000);
}
