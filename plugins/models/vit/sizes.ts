import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { imagesOf, outputsOf } from "../../../core/plugin/inputs.ts";
import type { BlockSettings } from "../encoder/block.ts";
import { checkClassOrder } from "../encoder/config.ts";
import type { Variant, VitOptions } from "./options.ts";

/** Everything that a vision transformer is built from. */
export interface VitSizes {
  readonly variant: Variant;
  /** Whether the distillation token of a DeiT has a head. */
  readonly distillationHead: boolean;
  /** Numbers that the head gives for an image. */
  readonly outputs: number;
  readonly image: readonly [height: number, width: number, channels: number];
  /** Side of a patch in pixels. */
  readonly patch: number;
  readonly patches: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly ffn: number;
  readonly qkv: "split" | "fused";
  readonly activation: BlockSettings["activation"];
  readonly epsilon: number;
  readonly dropout: number;
  readonly attentionDropout: number;
}

/** Options with nothing left open. @throws UserError if they do not fit each other, or the images */
export function resolveSizes(options: VitOptions, data: InputDescription): VitSizes {
  const image = imagesOf(data, "vit").size;
  const { layers, width, patch } = options;
  if (layers === null || width === null || patch === null) {
    throw new UserError(
      "Cannot build a vision transformer of unknown size: expected layers, width and patch, or weights or config in a " +
        "folder that has a Hugging Face config.json",
    );
  }
  const heads = options.heads ?? Math.max(1, Math.floor(width / 64));
  if (width % heads !== 0) {
    throw new UserError(`Cannot divide a width of ${width} among ${heads} heads: expected a multiple of the heads`);
  }
  checkClassOrder(options.labels, data.classes);
  const variant = options.variant ?? "vit";
  const distillationHead = options.distillationHead ?? variant === "deit";
  if (distillationHead && variant === "vit") {
    throw new UserError(
      "Cannot give a vit a distillationHead as it has no distillation token: expected the variant deit",
    );
  }
  return {
    variant,
    distillationHead,
    outputs: outputsOf(data),
    image,
    patch,
    patches: countPatches(image, patch),
    layers,
    width,
    heads,
    ffn: options.ffn ?? 4 * width,
    qkv: options.qkv ?? "split",
    activation: options.activation ?? "gelu",
    epsilon: options.epsilon ?? 1e-12,
    dropout: options.dropout ?? 0,
    attentionDropout: options.attentionDropout ?? 0,
  };
}

function countPatches([height, width]: VitSizes["image"], patch: number): number {
  const fits = (side: number) => height % side === 0 && width % side === 0;
  if (fits(patch)) return (height / patch) * (width / patch);
  let smaller = Math.min(patch, height, width);
  while (!fits(smaller)) smaller--;
  throw new UserError(
    `Cannot cut images of ${height} x ${width} pixels into patches of ${patch} x ${patch}: both sides must be ` +
      `multiples of the patch, for instance of ${smaller}`,
  );
}
