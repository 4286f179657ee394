import { chainPositions } from "../plugin/chain_positions.ts";
import type { Model } from "../plugin/model.ts";
import type { OnnxModel } from "./run_model.ts";

/** The name of onnxruntime's logits among a batch. */
const GIVEN = "onnx export: logits";

/**
 * An ONNX file as a model, whose logits onnxruntime computes: so it is measured as any other.
 *
 * @param model the one that it was made of
 * @param transitions of a CRF behind the logits: name, shape and numbers; `null` for a model without
 */
export function asModel(
  onnx: OnnxModel,
  { config }: Pick<Model, "config">,
  transitions: { readonly shape: readonly number[]; readonly data: Float32Array } | null,
): Model {
  return {
    replay: false,
    parameters: [],
    config,
    fromForeign: () => null,
    hostOutputs: (batch) => ({ [GIVEN]: onnx.run(batch).get(onnx.output)! }),
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
