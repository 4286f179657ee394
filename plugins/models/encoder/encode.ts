import type { ForwardCall, LayerOutputs, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { type BlockNames, type BlockSettings, encoderBlock } from "./block.ts";
import { wants } from "./layers.ts";

/** What a stack of blocks gives: the last hidden state, and what was wanted of each block. */
export type Encoded = Required<Pick<ModelOutputs, "hidden" | "attention" | "scores" | "relations">> & {
  readonly last: Tensor;
};

/**
 * Encoder blocks one after the other. Where nothing is trained each block's tensors are freed before the next, except
 * those that are wanted.
 *
 * @param names of each block
 * @param x `[batch, length, width]`
 * @param mask `[batch, length]`, or `null`
 * @param bias added to the scores of attention in every block, `[1, heads, length, length]`, or `null`
 */
export function encode(
  call: ForwardCall,
  names: readonly BlockNames[],
  settings: BlockSettings,
  x: Tensor,
  mask: Tensor | null,
  bias: Tensor | null = null,
): Encoded {
  const { ops } = call;
  const kept: Partial<LayerOutputs>[] = [];
  let last = x;
  for (const [layer, own] of names.entries()) {
    const block = ops.scope(() => {
      const { hidden, attention, scores, relations }: LayerOutputs = call.replaceLayer?.(layer, last) ??
        encoderBlock(call, own, settings, last, mask, bias);
      return {
        hidden,
        ...(wants(call, "attention") && { attention }),
        ...(wants(call, "scores") && { scores }),
        ...(wants(call, "relations") && { relations }),
      };
    });
    kept.push(wants(call, "hidden") ? block : { ...block, hidden: undefined });
    last = block.hidden;
  }
  const of = <Part>(pick: (block: Partial<LayerOutputs>) => Part | undefined): Part[] =>
    kept.flatMap((block) => pick(block) ?? []);
  return {
    last,
    hidden: of(({ hidden }) => hidden),
    attention: of(({ attention }) => attention),
    scores: of(({ scores }) => scores),
    relations: of(({ relations }) => relations),
  };
}
