import type { ForwardCall, ModelOutputs, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { layersOf } from "../encoder/layers.ts";
import { linear } from "../encoder/parameters.ts";
import { LAST_NORM, TOKENS } from "./names.ts";
import type { VitSizes } from "./sizes.ts";

/** A linear layer for each learned token. */
export function headParameters({ variant, outputs, width }: VitSizes): ParameterSpec[] {
  return TOKENS[variant].flatMap(({ classifier }) => linear(classifier, outputs, width));
}

/** Name of the weight that makes logits of `pooled`, if one alone does. */
export function classifierOf({ variant }: VitSizes): string | undefined {
  const [first, ...others] = TOKENS[variant];
  return others.length === 0 ? `${first.classifier}.weight` : undefined;
}

/**
 * From the last block's output `[batch, length, width]` to logits, the mean over the learned tokens' layers, to those of
 * each layer where there are several, and to the class token's state behind the last norm, `[batch, width]`.
 */
export function applyHead(
  call: ForwardCall,
  { variant, width, epsilon }: VitSizes,
  hidden: Tensor,
): Pick<ModelOutputs, "logits" | "headLogits" | "pooled"> {
  const { ops } = call;
  const layers = layersOf(call, epsilon);
  const tokens = TOKENS[variant];
  const [batch] = hidden.shape;
  // The norm is each token's own, so that those of the patches need none.
  const states = tokens.map((_, begin) => {
    const state = ops.reshape(ops.slice(hidden, { axis: 1, begin, length: 1 }), [batch, width]);
    return layers.norm(state, `${variant}.${LAST_NORM}`);
  });
  const [pooled] = states;
  const each = tokens.map(({ classifier }, index) => layers.linear(states[index], classifier));
  if (each.length === 1) return { logits: each[0], pooled };
  return {
    logits: ops.scale(each.reduce((sum, logits) => ops.add(sum, logits)), 1 / each.length),
    headLogits: Object.fromEntries(tokens.map(({ head }, index) => [head, each[index]])),
    pooled,
  };
}
