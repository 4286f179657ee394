import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { showJson } from "../../../core/json.ts";
import { countIn, labelsIn, rateIn } from "../../../core/plugin/config_values.ts";
import { activationIn, type Config, epsilonIn, labelEntries } from "../encoder/config.ts";
import { MOST } from "../encoder/options.ts";
import type { Grid } from "./bicubic.ts";
import { MOST_PIXELS, VARIANTS, type VitOptions } from "./options.ts";
import type { VitSizes } from "./sizes.ts";

/** Side of a patch where a config does not say it. */
const DEFAULT_PATCH = 16;

/** Hugging Face's classes; the last one has a distillation token that no head reads. */
const CLASSES = {
  vit: "ViTForImageClassification",
  deit: "DeiTForImageClassificationWithTeacher",
  deitOfOneHead: "DeiTForImageClassification",
} as const;

/**
 * Options, with what a Hugging Face config says where they are `null`.
 *
 * @throws UserError if the config is of another family, or of a form of this one that computes otherwise
 */
export function fromHuggingFace(config: Config, options: VitOptions): VitOptions {
  const variant = VARIANTS.find((name) => name === config.model_type);
  if (!variant) {
    throw new UserError(
      `Cannot build a model of type ${showJson(config.model_type)} as a vision transformer: expected ${
        VARIANTS.join(" or ")
      }`,
    );
  }
  if (config.qkv_bias === false) {
    throw new UserError("Cannot build a vision transformer with qkv_bias false: expected true");
  }
  const count = (key: string, most: number) => countIn(config, key, { most });
  const read: VitOptions = {
    config: null,
    variant,
    layers: count("num_hidden_layers", MOST.layers),
    width: count("hidden_size", MOST.width),
    heads: count("num_attention_heads", MOST.heads),
    ffn: count("intermediate_size", MOST.ffn),
    patch: count("patch_size", MOST_PIXELS) ?? DEFAULT_PATCH,
    distillationHead: [config.architectures].flat().includes(CLASSES.deitOfOneHead) ? false : null,
    qkv: config.qkv === "fused" ? "fused" : "split",
    activation: activationIn(config, "hidden_act"),
    epsilon: epsilonIn(config),
    dropout: rateIn(config, "hidden_dropout_prob"),
    attentionDropout: rateIn(config, "attention_probs_dropout_prob"),
    labels: labelsIn(config),
  };
  return { ...read, ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)) };
}

/** The grid of patches that a config's images are cut into; `null` if it does not say their size. */
export function gridIn({ image_size: size, patch_size: patch = DEFAULT_PATCH }: Config): Grid | null {
  const [height, width = height] = [size].flat().map((side) => Math.floor(Number(side) / Number(patch)));
  return height >= 1 && width >= 1 ? [height, width] : null;
}

/**
 * A config.json by which Hugging Face's transformers builds the same model; to it, fused ones are the same as others.
 */
export function toHuggingFace(sizes: VitSizes, data: InputDescription): Record<string, unknown> {
  const { variant, image: [height, width, channels], qkv } = sizes;
  const oneHead = variant === "deit" && !sizes.distillationHead;
  return {
    ...(qkv === "fused" && { qkv }),
    architectures: [CLASSES[oneHead ? "deitOfOneHead" : variant]],
    model_type: variant,
    num_hidden_layers: sizes.layers,
    hidden_size: sizes.width,
    num_attention_heads: sizes.heads,
    intermediate_size: sizes.ffn,
    hidden_act: sizes.activation,
    layer_norm_eps: sizes.epsilon,
    hidden_dropout_prob: sizes.dropout,
    attention_probs_dropout_prob: sizes.attentionDropout,
    image_size: height === width ? height : [height, width],
    patch_size: sizes.patch,
    num_channels: channels,
    qkv_bias: true,
    ...labelEntries(data),
    torch_dtype: "float32",
  };
}
