import { UserError } from "../../../core/errors.ts";
import { defineModel, type OpenedModel } from "../../../core/plugin/model.ts";
import { enginesBeside } from "./engine.ts";
import { type TfjsOptions, tfjsOptions } from "./options.ts";
import { openTeacher } from "./teacher.ts";

/** TensorFlow.js's error for an operation that its backend lacks. */
const LACKING = /not registered for backend/;

/**
 * Any graph model or layers model of TensorFlow.js as a teacher; `teacher.weights` names its folder or `model.json`. It is
 * run by TensorFlow.js itself: on our GPUDevice, where its outputs are copied without a read-back, or beside the cpu
 * backend in WebAssembly.
 *
 * Outputs: `logits`, and what the options name as `pooled`, `features` and `hidden`; no `attention`. Its images are
 * `[batch, height, width, channels]`. It has no tensors of ours: it can neither be trained nor aligned with.
 */
export const tfjs = defineModel<TfjsOptions>({
  name: "tfjs",
  description: "A TensorFlow.js model (model.json and its weights), as teacher only",
  source: "TensorFlow.js 4.22, https://www.tensorflow.org/js/guide/save_load",
  options: tfjsOptions,
  build() {
    throw new UserError('Cannot train the model "tfjs": TensorFlow.js holds its weights, so it can only be a teacher');
  },
  async open(options, data, setup): Promise<OpenedModel> {
    const engines = enginesBeside(setup.ops.backend.exchange);
    for (const engine of engines.slice(0, -1)) {
      try {
        return await openTeacher(engine, options, data, setup);
      } catch (error) {
        if (!(error instanceof UserError && LACKING.test(error.message))) throw error;
      }
    }
    return await openTeacher(engines.at(-1)!, options, data, setup);
  },
});
