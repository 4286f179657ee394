import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { imagesOf, outputsOf } from "../../../core/plugin/inputs.ts";
import { type EncoderSizes, resolveEncoder } from "../encoder/options.ts";
import type { Variant, VitOptions } from "./options.ts";

/** Everything that a vision transformer is built from. */
export interface VitSizes extends EncoderSizes {
  readonly variant: Variant;
  /** Whether the distillation token of a DeiT has a head. */
  readonly distillationHead: boolean;
  /** Numbers that the head gives for an image. */
  readonly outputs: number;
  readonly image: readonly [height: number, width: number, channels: number];
  /** Side of a patch in pixels. */
  readonly patch: number;
  readonly patches: number;
  readonly qkv: "split" | "fused";
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
  const encoder = resolveEncoder({ ...options, layers, width }, data.classes, { epsilon: 1e-12, dropout: 0 });
  const variant = options.variant ?? "vit";
  const distillationHead = options.distillationHead ?? variant === "deit";
  if (distillationHead && variant === "vit") {
    throw new UserError(
      "Cannot give a vit a distillationHead as it has no distillation token: expected the variant deit",
    );
  }
  return {
    ...encoder,
    variant,
    distillationHead,
    outputs: outputsOf(data),
    image,
    patch,
    patches: countPatches(image, patch),
    qkv: options.qkv ?? "split",
  };
}

function countPatches([height, width]: VitSizes["image"], patch: number): number {
  const fits = (side: number) => height % side === 0 && width % side === 0;
  if (fits(patch)) return (height / patch) * (width / patch);
  let smaller = Math.min(patch, height, width);
  while (!fits(smaller)) smaller--;
  const [down, across] = [height, width].map((side) => Math.max(1, Math.round(side / patch)) * patch);
  throw new UserError(
    `Cannot cut images of ${height} x ${width} pixels into patches of ${patch} x ${patch}: both sides must be ` +
      `multiples of the patch, as those of ${down} x ${across} are, or the patch one that fits here, as ${smaller} does`,
  );
}
