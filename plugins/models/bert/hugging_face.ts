import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { countIn, labelsIn, rateIn } from "../../../core/plugin/config_values.ts";
import { showJson } from "../../../core/json.ts";
import { activationIn, type Config, epsilonIn, labelEntries } from "../encoder/config.ts";
import { MOST } from "../encoder/options.ts";
import { type BertOptions, MOST_ROWS, MOST_TYPES, type Variant } from "./options.ts";
import { OTHER_TYPES } from "./other_types.ts";
import { BUCKETS } from "./relative_positions.ts";
import { hasSegments } from "./segments.ts";
import type { BertSizes } from "./sizes.ts";

/** The `model_type` of Hugging Face configs that can be built, and the variant that each is. */
export const MODEL_TYPES: Readonly<Record<string, Variant>> = {
  bert: "bert",
  distilbert: "distilbert",
  roberta: "roberta",
  "xlm-roberta": "roberta",
  camembert: "roberta",
  electra: "electra",
  mpnet: "mpnet",
};

/** Numbers in an ELECTRA's embedding where a config does not say it. */
const ELECTRA_EMBEDDING = 128;

type Key = "layers" | "width" | "heads" | "ffn" | "activation" | "dropout" | "attentionDropout" | "headDropout";

/** Hugging Face's names of the sizes; DistilBERT has its own. */
const KEYS: Readonly<Record<"bert" | "distilbert", Readonly<Record<Key, string>>>> = {
  bert: {
    layers: "num_hidden_layers",
    width: "hidden_size",
    heads: "num_attention_heads",
    ffn: "intermediate_size",
    activation: "hidden_act",
    dropout: "hidden_dropout_prob",
    attentionDropout: "attention_probs_dropout_prob",
    headDropout: "classifier_dropout",
  },
  distilbert: {
    layers: "n_layers",
    width: "dim",
    heads: "n_heads",
    ffn: "hidden_dim",
    activation: "activation",
    dropout: "dropout",
    attentionDropout: "attention_dropout",
    headDropout: "seq_classif_dropout",
  },
};

const keysOf = (variant: Variant) => KEYS[variant === "distilbert" ? "distilbert" : "bert"];

/**
 * Options, with what a Hugging Face config says where they are `null`.
 *
 * @throws UserError if the config is of another family, or of a form of this one that computes otherwise
 */
export function fromHuggingFace(config: Config, options: BertOptions): BertOptions {
  const type = String(config.model_type);
  const variant = Object.hasOwn(MODEL_TYPES, type) ? MODEL_TYPES[type] : null;
  if (!variant) {
    const why = Object.hasOwn(OTHER_TYPES, type) ? `, as ${OTHER_TYPES[type]}` : "";
    const known = Object.keys(MODEL_TYPES).join(", ");
    throw new UserError(`Cannot build a model of type "${type}" as an encoder${why}: expected one of ${known}`);
  }
  refuseOtherForms(config);
  const keys = keysOf(variant);
  const count = (key: keyof typeof MOST) => countIn(config, keys[key], { most: MOST[key] });
  const rows = (key: string) => countIn(config, key, { most: MOST_ROWS });
  const read: BertOptions = {
    config: null,
    variant,
    layers: count("layers"),
    width: count("width"),
    heads: count("heads"),
    ffn: count("ffn"),
    vocabulary: rows("vocab_size"),
    positions: rows("max_position_embeddings"),
    types: hasSegments(variant) ? countIn(config, "type_vocab_size", { least: 0, most: MOST_TYPES }) : 0,
    embeddingWidth: variant === "electra"
      ? countIn(config, "embedding_size", { most: MOST.width }) ?? ELECTRA_EMBEDDING
      : null,
    activation: activationIn(config, keys.activation),
    epsilon: variant === "distilbert" ? 1e-12 : epsilonIn(config),
    dropout: rateIn(config, keys.dropout),
    attentionDropout: rateIn(config, keys.attentionDropout),
    headDropout: rateIn(config, keys.headDropout),
    padding: countIn(config, "pad_token_id", { least: 0, most: MOST_ROWS }),
    labels: labelsIn(config),
    crf: config.crf === true,
    subclasses: rows("subclasses"),
  };
  const entries = Object.entries(options).map(([key, value]) => [key, value ?? read[key as keyof BertOptions]]);
  return Object.fromEntries(entries) as unknown as BertOptions;
}

/** Forms of these encoders that have the same tensors and compute something else with them. */
function refuseOtherForms(config: Config): void {
  const positions = config.position_embedding_type ?? "absolute";
  if (positions !== "absolute") {
    throw new UserError(`Cannot build position_embedding_type ${showJson(positions)}: expected "absolute"`);
  }
  const buckets = config.relative_attention_num_buckets ?? BUCKETS;
  if (buckets !== BUCKETS) {
    throw new UserError(
      `Cannot build relative_attention_num_buckets ${
        showJson(buckets)
      }: expected ${BUCKETS}, as transformers counts in them`,
    );
  }
  for (const key of ["is_decoder", "add_cross_attention"]) {
    if (config[key] === true) throw new UserError(`Cannot build a model with ${key}: expected an encoder`);
  }
}

/** The prefix of Hugging Face's class names. */
const CLASSES: Readonly<Record<Variant, string>> = {
  bert: "Bert",
  distilbert: "DistilBert",
  roberta: "Roberta",
  electra: "Electra",
  mpnet: "MPNet",
};

/** A config.json by which Hugging Face's transformers builds the same model. */
export function toHuggingFace(sizes: BertSizes, data: InputDescription): Record<string, unknown> {
  const { variant } = sizes;
  const entries = Object.entries(keysOf(variant)) as [Key, string][];
  return {
    architectures: [`${CLASSES[variant]}For${data.task === "tagging" ? "Token" : "Sequence"}Classification`],
    model_type: variant,
    ...Object.fromEntries(entries.map(([key, name]) => [name, sizes[key]])),
    vocab_size: sizes.vocabulary,
    max_position_embeddings: sizes.positions,
    ...(variant === "distilbert" ? { sinusoidal_pos_embds: false } : { layer_norm_eps: sizes.epsilon }),
    ...(hasSegments(variant) && { type_vocab_size: Math.max(sizes.types, 1) }),
    ...(variant === "electra" && { embedding_size: sizes.embeddingWidth }),
    ...(variant === "mpnet" && { relative_attention_num_buckets: BUCKETS }),
    pad_token_id: sizes.padding,
    ...labelEntries(data),
    // Hugging Face's classes have neither; who loads the tensors there adds what these two say.
    ...(sizes.crf && { crf: true }),
    ...(sizes.subclasses > 1 && { subclasses: sizes.subclasses }),
    torch_dtype: "float32",
  };
}
