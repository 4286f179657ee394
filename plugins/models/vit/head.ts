import type { ForwardCall, ModelOutputs, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { layersOf } from "../encoder/layers.ts";
import { linear } from "../encoder/parameters.ts";
import { LAST_NORM, learnedTokens } from "./names.ts";
import type { VitSizes } from "./sizes.ts";

/** A linear layer that reads a learned token, and the token's place. */
interface Head {
  readonly name: string;
  readonly classifier: string;
  readonly place: number;
}

function headsOf(sizes: VitSizes): Head[] {
  return learnedTokens(sizes).flatMap(({ classifier, head: name }, place) =>
    classifier === null ? [] : [{ name, classifier, place }]
  );
}

/** A linear layer for each learned token that has one. */
export function headParameters(sizes: VitSizes): ParameterSpec[] {
  return headsOf(sizes).flatMap(({ classifier }) => linear(classifier, sizes.outputs, sizes.width));
}

/** Name of the weight that makes logits of `pooled`, if one alone does. */
export function classifierOf(sizes: VitSizes): string | undefined {
  const [first, ...others] = headsOf(sizes);
  return others.length === 0 ? `${first.classifier}.weight` : undefined;
}

/**
 * From the last block's output `[batch, length, width]` to logits, the mean over the learned tokens' layers, to those of
 * each layer where there are several, and to the class token's state behind the last norm, `[batch, width]`.
 */
export function applyHead(
  call: ForwardCall,
  sizes: VitSizes,
  hidden: Tensor,
): Pick<ModelOutputs, "logits" | "headLogits" | "pooled"> {
  const { ops } = call;
  const { variant, width, epsilon } = sizes;
  const layers = layersOf(call, epsilon);
  const heads = headsOf(sizes);
  const [batch] = hidden.shape;
  // The norm is each token's own, so that those of the patches need none.
  const states = heads.map(({ place }) => {
    const state = ops.reshape(ops.slice(hidden, { axis: 1, begin: place, length: 1 }), [batch, width]);
    return layers.norm(state, `${variant}.${LAST_NORM}`);
  });
  const [pooled] = states;
  const each = heads.map(({ classifier }, index) => layers.linear(states[index], classifier));
  if (each.length === 1) return { logits: each[0], pooled };
  return {
    logits: ops.scale(ops.total(each), 1 / each.length),
    headLogits: Object.fromEntries(heads.map(({ name }, index) => [name, each[index]])),
    pooled,
  };
}
