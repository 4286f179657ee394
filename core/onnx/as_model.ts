import { chainPositions } from "../plugin/chain_positions.ts";
import type { Batch, HostTensor } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { OnnxPrecision } from "../recipe/recipe_type.ts";
import { eachAlone } from "./each_alone.ts";
import type { OnnxModel } from "./run_model.ts";

/** The name of onnxruntime's logits among a batch. */
const GIVEN = "onnx export: logits";

/**
 * An ONNX file as a model, whose logits onnxruntime computes: so it is measured as any other.
 *
 * @param model the one that it was made of
 * @param transitions of a CRF behind the logits: name, shape and numbers; `null` for a model without
 * @param precision that of the file: int8 quantises by the range over all that is in a batch
 */
export function asModel(
  onnx: OnnxModel,
  { config }: Pick<Model, "config">,
  transitions: { readonly shape: readonly number[]; readonly data: Float32Array } | null,
  precision: OnnxPrecision,
): Model {
  const logitsOf = (batch: Batch<HostTensor>) => {
    return precision === "int8" ? eachAlone(onnx, batch) : onnx.run(batch).get(onnx.output)!;
  };
  return {
    replay: false,
    parameters: [],
    config,
    fromForeign: () => null,
    hostOutputs: (batch) => ({ [GIVEN]: logitsOf(batch) }),
    forward({ ops, batch }) {
      const given = batch[GIVEN];
      const logits = ops.device.alias(given, given.shape);
      const common = { logits, features: {}, hidden: [], attention: [], pooled: logits };
      if (!transitions) return common;
      const scores = ops.tensor(transitions.data, transitions.shape);
      const { tags } = ops.viterbi(logits, scores, chainPositions(ops, batch, logits.shape));
      return { ...common, transitions: scores, predictions: ops.reshape(tags, logits.shape.slice(0, 2)) };
    },
  };
}
