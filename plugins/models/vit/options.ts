import { bounded } from "../../../core/recipe/bounds.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { type EncoderOptions, encoderOptions } from "../encoder/options.ts";

/** Vision transformers with a class token, and those with a distillation token beside it. */
export const VARIANTS = ["vit", "deit"] as const;
export type Variant = typeof VARIANTS[number];

/** The largest side of a patch. */
export const MOST_PIXELS = 2 ** 14;

/** Options of the `vit` plug-in; a config.json fills what is `null`. */
export interface VitOptions extends EncoderOptions {
  readonly variant: Variant | null;
  readonly patch: number | null;
  readonly distillationHead: boolean | null;
  readonly qkv: "split" | "fused" | null;
}

/** The schema of {@link VitOptions}. */
export function vitOptions({ z }: OptionKit) {
  const { config, sizes, block, labels } = encoderOptions({ z }, { epsilon: "1e-12", dropout: "0" });
  return z.strictObject({
    config,
    variant: z.enum(VARIANTS).nullable().default(null).describe(
      "vit has a class token, deit a distillation token as well; null: vit",
    ),
    ...sizes,
    patch: bounded(z.int().min(1).max(MOST_PIXELS), "no image is larger").nullable().default(null).describe(
      "Height and width of a patch in pixels; the image's must be multiples of it",
    ),
    distillationHead: z.boolean().nullable().default(null).describe(
      "Whether a deit has a head for its distillation token, and predicts by the mean of both, or one for its class token " +
        "alone; null: yes, unless the config's architectures are DeiTForImageClassification",
    ),
    qkv: z.enum(["split", "fused"]).nullable().default(null).describe(
      "Query, key and value as three matrices, or trained as one of three times the rows; either reads files of both " +
        "forms, and a student is saved with three, as Hugging Face's; null: split",
    ),
    ...block,
    labels,
  });
}
