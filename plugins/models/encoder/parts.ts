import type { Ops } from "../../../core/ops/ops.ts";
import type { ForwardCall, LayerOutputs } from "../../../core/plugin/model.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";

/**
 * Runs a layer that treats every example by itself on parts of a batch, so that no tensor on the way is larger than the
 * backend's can be, and joins what it gives. Attention of a whole batch may itself be too large to be one tensor:
 * unless `wanted` names it, it is left out.
 *
 * @param numbers of the largest tensor on the way for one example
 * @param x `[batch, ...]`
 * @param mask `[batch, length]`, or `null`
 * @throws TensorTooLarge if a single example is too much, or an output that is wanted
 */
export function inParts(
  { ops, wanted }: ForwardCall,
  numbers: number,
  x: Tensor,
  mask: Tensor | null,
  layer: (x: Tensor, mask: Tensor | null) => LayerOutputs,
): LayerOutputs {
  const [batch] = x.shape;
  const examples = Math.max(1, Math.floor(ops.backend.mostNumbers / numbers));
  if (batch <= examples) return layer(x, mask);
  const parts: LayerOutputs[] = [];
  for (let begin = 0; begin < batch; begin += examples) {
    const length = Math.min(examples, batch - begin);
    const part = (tensor: Tensor) => ops.slice(tensor, { axis: 0, begin, length });
    parts.push(ops.scope(() => {
      const { hidden, attention, scores, relations } = layer(part(x), mask && part(mask));
      const keeps = (name: "attention" | "scores", tensor: Tensor | undefined) =>
        tensor && (wanted ? wanted.has(name) : batch * sizeOf(tensor.shape.slice(1)) <= ops.backend.mostNumbers);
      return {
        hidden,
        ...(keeps("attention", attention) && { attention }),
        ...(keeps("scores", scores) && { scores }),
        ...((!wanted || wanted.has("relations")) && { relations }),
      };
    }));
  }
  return joined(ops, parts);
}

/** Outputs of parts as those of the whole batch. */
function joined(ops: Ops, parts: readonly LayerOutputs[]): LayerOutputs {
  const join = (of: (part: LayerOutputs) => Tensor) => ops.concat(parts.map(of), { axis: 0 });
  const [{ attention, scores, relations }] = parts;
  return {
    hidden: join(({ hidden }) => hidden),
    ...(attention && { attention: join(({ attention }) => attention!) }),
    ...(scores && { scores: join(({ scores }) => scores!) }),
    ...(relations && {
      relations: {
        queries: join(({ relations }) => relations!.queries),
        keys: join(({ relations }) => relations!.keys),
        values: join(({ relations }) => relations!.values),
      },
    }),
  };
}
