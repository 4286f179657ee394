import type { Batch } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import { type OwnInputs, ownName } from "./own_inputs.ts";

/** A teacher that finds in a batch what it takes itself. */
export function onOwnInputs(model: Model, { teacher }: OwnInputs): Model {
  const prefix = ownName(teacher, "");
  const own = <Part>(batch: Batch<Part>): Batch<Part> => {
    const inputs = Object.entries(batch).filter(([name]) => name.startsWith(prefix));
    if (inputs.length === 0) throw new Error(`Cannot run teacher ${teacher + 1}: its inputs are not in the batch`);
    const renamed = inputs.map(([name, tensor]) => [name.slice(prefix.length), tensor]);
    return { ...batch, ...Object.fromEntries(renamed) };
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
    hostOutputs: model.hostOutputs && ((batch, wanted) => model.hostOutputs!(own(batch), wanted)),
    // What is computed on the host needs its inputs there alone.
    forward: (call) => model.forward(model.hostOutputs ? call : { ...call, batch: own(call.batch) }),
    // What runs a layer alone gives it the states of a model on the same inputs.
    runLayer: model.runLayer && ((...call) => model.runLayer!(...call)),
    fromForeign: (name) => model.fromForeign(name),
    fromFile: model.fromFile && ((...call) => model.fromFile!(...call)),
    toFile: model.toFile && ((tensors) => model.toFile!(tensors)),
  };
}
