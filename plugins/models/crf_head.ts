import type { Ops } from "../../core/ops/ops.ts";
import { chainPositions } from "../../core/plugin/chain_positions.ts";
import type { ForwardCall, ModelOutputs, ParameterSpec } from "../../core/plugin/model.ts";
import type { Tensor } from "../../core/tensor.ts";

/** The name of a CRF's transition scores in a model's file. */
const TRANSITIONS = "crf.transitions";

/**
 * What a CRF adds to a tagger's parameters: `crf.transitions [tags, tags]`, from and to, 0 at first. There are none for
 * the start and the end of a text.
 */
export function crfParameters(tags: number): ParameterSpec[] {
  const initialise = { use: "constant", value: 0 } as const;
  return [{ name: TRANSITIONS, shape: [tags, tags], initialise, trainable: true, overParameterisable: false }];
}

/**
 * What a CRF adds to a tagger's outputs: the transitions, and in evaluation the tags of the best path.
 *
 * @param logits `[batch, length, tags]`, the emissions
 */
export function crfOutputs(
  { ops, weights, batch, training }: Pick<ForwardCall, "ops" | "weights" | "batch" | "training">,
  logits: Tensor,
): Pick<ModelOutputs, "transitions" | "predictions"> {
  const transitions = weights.get(TRANSITIONS);
  if (training) return { transitions };
  return { transitions, predictions: decode(ops, { logits, transitions }, chainPositions(ops, batch, logits.shape)) };
}

/**
 * The tags of the best path (Viterbi) through a tagger's logits; without transitions the best tag at each position.
 *
 * @param mask `[batch, length]`: 0 leaves a position out
 * @returns `[batch, length]`: tags, and -1 at positions left out
 */
export function decode(ops: Ops, outputs: Pick<ModelOutputs, "logits" | "transitions">, mask: Tensor): Tensor {
  const { logits, transitions } = outputs;
  const [batch, length, tags] = logits.shape;
  const best = ops.viterbi(logits, transitions ?? ops.full([tags, tags], 0), mask);
  return ops.reshape(best.tags, [batch, length]);
}
