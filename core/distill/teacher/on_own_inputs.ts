import type { ForwardCall, Model } from "../../plugin/model.ts";
import { type OwnInputs, ownName } from "./own_inputs.ts";

/** A teacher that finds in a batch what it takes itself. */
export function onOwnInputs(model: Model, { teacher }: OwnInputs): Model {
  const prefix = ownName(teacher, "");
  const own = (call: ForwardCall): ForwardCall => {
    const inputs = Object.entries(call.batch).filter(([name]) => name.startsWith(prefix));
    if (inputs.length === 0) throw new Error(`Cannot run teacher ${teacher + 1}: its inputs are not in the batch`);
    const renamed = inputs.map(([name, tensor]) => [name.slice(prefix.length), tensor]);
    return { ...call, batch: { ...call.batch, ...Object.fromEntries(renamed) } };
  };
  return {
    replay: model.replay,
    parameters: model.parameters,
    foreignParameters: model.foreignParameters,
    textInputs: model.textInputs,
    classifier: model.classifier,
    layerPrefixes: model.layerPrefixes,
    head: model.head,
    config: model.config,
    forward: (call) => model.forward(own(call)),
    // What runs a layer alone gives it the states of a model on the same inputs.
    runLayer: model.runLayer && ((...call) => model.runLayer!(...call)),
    fromForeign: (name) => model.fromForeign(name),
    fromFile: model.fromFile && ((...call) => model.fromFile!(...call)),
    toFile: model.toFile && ((tensors) => model.toFile!(tensors)),
  };
}
