import { bounded } from "../../../core/recipe/bounds.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import type { Schema } from "../../../core/recipe/zod_schema.ts";

/** What an input of a model can be given of a batch. */
export type BatchEntry = "image" | "tokens" | "types" | "mask";

/** The order of an image's dimensions. */
export type Layout = "nchw" | "nhwc";

/** The options of the model `onnx`; values are named as in the file. */
export interface OnnxOptions {
  readonly inputs: Readonly<Record<string, BatchEntry>> | null;
  readonly layout: Layout | null;
  readonly outputs: { readonly logits: string } | { readonly probabilities: string } | null;
  readonly pooled: string | null;
  readonly features: Readonly<Record<string, string>>;
  readonly hidden: readonly string[];
  readonly threads: number;
}

/** Their schema. */
export function onnxOptions({ z }: OptionKit): Schema<OnnxOptions> {
  const value = z.string().min(1);
  return z.strictObject({
    inputs: z.record(value, z.enum(["image", "tokens", "types", "mask"])).nullable().default(null).describe(
      "What each input of the model is given: { x: tokens, m: mask }; null: its one input gets the image, and texts " +
        "go by the names input_ids, attention_mask and token_type_ids",
    ),
    layout: z.enum(["nchw", "nhwc"]).nullable().default(null).describe(
      "Whether the channels of images come first (nchw, as in PyTorch) or last; null: as the input's shape shows it",
    ),
    outputs: z.union([z.strictObject({ logits: value }), z.strictObject({ probabilities: value })]).nullable().default(
      null,
    ).describe(
      "The output that gives the logits, or probabilities, whose logarithms are the logits then: { logits: NAME } or " +
        "{ probabilities: NAME }; null: the one output of numbers, unless it gives probabilities",
    ),
    pooled: value.nullable().default(null).describe(
      "Value that gives one vector for each example, before the last layer; null: the logits take its place",
    ),
    features: z.record(value, value).default({}).describe(
      "Values that give feature maps, by the name that losses call each by",
    ),
    hidden: z.array(value).default([]).describe("Values that give hidden states, from the first to the last"),
    threads: bounded(z.int().min(1).max(64), "each is a worker of its own").default(1).describe(
      "Threads that compute the model",
    ),
  });
}
