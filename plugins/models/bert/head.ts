import type { ForwardCall, ModelOutputs, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { layersOf } from "../encoder/layers.ts";
import { linear } from "../encoder/parameters.ts";
import { crfOutputs, crfParameters } from "../crf_head.ts";
import { classLogits } from "../subclasses.ts";
import type { Variant } from "./options.ts";
import type { BertSizes } from "./sizes.ts";

/** The layers behind an encoder: one prepares the first token's hidden state, and one gives the logits. */
interface Head {
  /** `null` where tokens are tagged: each hidden state goes to the last layer as it is. */
  readonly dense: string | null;
  readonly activation: "tanh" | "relu" | "gelu";
  readonly last: string;
  /** Whether dropout comes before `dense`, too. */
  readonly dropoutFirst: boolean;
}

const TWO_LAYERS = { dense: "classifier.dense", last: "classifier.out_proj", dropoutFirst: true } as const;

/** The head of Hugging Face's `...ForSequenceClassification` or `...ForTokenClassification`. */
function headOf({ variant, task }: BertSizes): Head {
  if (task === "tagging") return { dense: null, activation: "tanh", last: "classifier", dropoutFirst: false };
  return ({
    bert: { dense: "bert.pooler.dense", activation: "tanh", last: "classifier", dropoutFirst: false },
    distilbert: { dense: "pre_classifier", activation: "relu", last: "classifier", dropoutFirst: false },
    roberta: { ...TWO_LAYERS, activation: "tanh" },
    electra: { ...TWO_LAYERS, activation: "gelu" },
    mpnet: { ...TWO_LAYERS, activation: "tanh" },
  } as const satisfies Record<Variant, Head>)[variant];
}

/** The head's tensors. */
export function headParameters(sizes: BertSizes): ParameterSpec[] {
  const { dense, last } = headOf(sizes);
  return [
    ...(dense ? linear(dense, sizes.width, sizes.width) : []),
    ...linear(last, sizes.outputs * sizes.subclasses, sizes.width),
    ...(sizes.crf ? crfParameters(sizes.outputs) : []),
  ];
}

/** Name of the weight that makes logits of `pooled`, if there is one. */
export function classifierOf(sizes: BertSizes): string | undefined {
  const { dense, last } = headOf(sizes);
  return dense ? `${last}.weight` : undefined;
}

/** What the head gives. */
type HeadOutputs = Pick<ModelOutputs, "logits" | "pooled" | "subclassLogits" | "transitions" | "predictions">;

/**
 * From the last hidden states `[batch, length, width]` to logits and what the last linear layer sees of the first
 * token, `[batch, width]`. A tagger's logits are `[batch, length, classes]`.
 */
export function applyHead(call: ForwardCall, sizes: BertSizes, hidden: Tensor): HeadOutputs {
  const { ops } = call;
  const { dense, activation, last, dropoutFirst } = headOf(sizes);
  const layers = layersOf(call, sizes.epsilon);
  const drop = (x: Tensor) => layers.dropout(x, sizes.headDropout);
  const [batch, , width] = hidden.shape;
  const first = ops.reshape(ops.slice(hidden, { axis: 1, begin: 0, length: 1 }), [batch, width]);
  if (!dense) {
    const logits = layers.linear(drop(hidden), last);
    return { logits, pooled: first, ...(sizes.crf && crfOutputs(call, logits)) };
  }
  const pooled = ops[activation](layers.linear(dropoutFirst ? drop(first) : first, dense));
  const logits = layers.linear(drop(pooled), last);
  if (sizes.subclasses === 1) return { logits, pooled };
  return { logits: classLogits(ops, logits, sizes.subclasses), subclassLogits: logits, pooled };
}
