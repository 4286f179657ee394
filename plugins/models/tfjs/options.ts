import type { OptionKit } from "../../../core/plugin/kit.ts";
import type { Schema } from "../../../core/recipe/zod_schema.ts";

/** What an input of a model can be given of a batch. */
export type BatchEntry = "image" | "tokens" | "types" | "mask";

/** The range of pixels that a model was trained with. */
export type PixelRange = "normalised" | "0..1" | "-1..1" | "0..255";

/** The options of the model `tfjs`, names of nodes being names of layers in a layers model. */
export interface TfjsOptions {
  readonly inputs: Readonly<Record<string, BatchEntry>> | null;
  readonly pixels: PixelRange;
  readonly logits: string | null;
  readonly probabilities: boolean | null;
  readonly pooled: string | null;
  readonly features: Readonly<Record<string, string>>;
  readonly hidden: readonly string[];
}

/** Their schema. */
export function tfjsOptions({ z }: OptionKit): Schema<TfjsOptions> {
  const node = z.string().min(1);
  return z.strictObject({
    inputs: z.record(node, z.enum(["image", "tokens", "types", "mask"])).nullable().default(null).describe(
      "What each input of the model is given: { input_ids: tokens, attention_mask: mask }; null: its one input gets the image",
    ),
    pixels: z.enum(["normalised", "0..1", "-1..1", "0..255"]).default("normalised").describe(
      "The pixels that the model was trained with: those that the data set normalises, or of another range",
    ),
    logits: node.nullable().default(null).describe(
      "Node (or layer) that gives the logits; null: the model's one output",
    ),
    probabilities: z.boolean().nullable().default(null).describe(
      "Whether that node gives probabilities, as after a softmax: their logarithms are the logits then, of several labels " +
        "those of p / (1 - p); null: it does not, which is refused where its numbers sum to 1, and of several labels it " +
        "must be said",
    ),
    pooled: node.nullable().default(null).describe(
      "Node (or layer) that gives one vector for each example, before the last layer; null: the logits take its place",
    ),
    features: z.record(node, node).default({}).describe(
      "Nodes (or layers) that give feature maps, by the name that losses call each by",
    ),
    hidden: z.array(node).default([]).describe("Nodes (or layers) that give hidden states, from the first to the last"),
  });
}
