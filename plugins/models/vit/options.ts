import type { OptionKit } from "../../../core/plugin/kit.ts";
import { ACTIVATIONS, type BlockSettings } from "../encoder/block.ts";

/** Vision transformers with a class token, and those with a distillation token beside it. */
export const VARIANTS = ["vit", "deit"] as const;
export type Variant = typeof VARIANTS[number];

/** Options of the `vit` plug-in; a config.json fills what is `null`. */
export interface VitOptions {
  readonly config: string | null;
  readonly variant: Variant | null;
  readonly layers: number | null;
  readonly width: number | null;
  readonly heads: number | null;
  readonly ffn: number | null;
  readonly patch: number | null;
  readonly distillationHead: boolean | null;
  readonly qkv: "split" | "fused" | null;
  readonly activation: BlockSettings["activation"] | null;
  readonly epsilon: number | null;
  readonly dropout: number | null;
  readonly attentionDropout: number | null;
  readonly labels: readonly string[] | null;
}

/** The schema of {@link VitOptions}. */
export function vitOptions({ z }: OptionKit) {
  const count = z.int().min(1).nullable().default(null);
  const rate = z.number().min(0).lt(1).nullable().default(null);
  const activations = Object.keys(ACTIVATIONS) as BlockSettings["activation"][];
  return z.strictObject({
    config: z.string().min(1).nullable().default(null).describe(
      "Hugging Face config.json, or a folder with one, that gives what is null below; null: that beside the weights",
    ),
    variant: z.enum(VARIANTS).nullable().default(null).describe(
      "vit has a class token, deit a distillation token as well; null: vit",
    ),
    layers: count.describe("Number of encoder blocks"),
    width: count.describe("Numbers in a hidden state"),
    heads: count.describe("Attention heads; null: one for every 64 of the width"),
    ffn: count.describe("Width within the feed-forward networks; null: four times the width"),
    patch: count.describe("Height and width of a patch in pixels; the image's must be multiples of it"),
    distillationHead: z.boolean().nullable().default(null).describe(
      "Whether a deit has a head for its distillation token, and predicts by the mean of both, or one for its class token " +
        "alone; null: yes, unless the config's architectures are DeiTForImageClassification",
    ),
    qkv: z.enum(["split", "fused"]).nullable().default(null).describe(
      "Query, key and value as three matrices, or trained as one of three times the rows; either reads files of both " +
        "forms, and a student is saved with three, as Hugging Face's; null: split",
    ),
    activation: z.enum(activations).nullable().default(null).describe(
      "Function within the feed-forward networks; gelu_new is its approximation by tanh; null: gelu",
    ),
    epsilon: z.number().positive().nullable().default(null).describe(
      "Added to the variance in layer norm; null: 1e-12",
    ),
    dropout: rate.describe("Rate of dropout of embeddings and of what each sub-layer adds; null: 0"),
    attentionDropout: rate.describe("Rate of dropout of attention probabilities; null: 0"),
    labels: z.array(z.string()).nullable().default(null).describe(
      "Names of the classes in the order of the logits, held against the data set's; null: taken as the data set's",
    ),
  });
}
