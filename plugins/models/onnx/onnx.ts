import { UserError } from "../../../core/errors.ts";
import { defineModel } from "../../../core/plugin/model.ts";
import { type OnnxOptions, onnxOptions } from "./options.ts";
import { openTeacher } from "./teacher.ts";

/**
 * Any ONNX model as a teacher, as PyTorch, scikit-learn, Keras and others export them; `teacher.weights` names its
 * file, or a folder with a `model.onnx`. It is run by onnxruntime in WebAssembly, on the processor beside either
 * backend: its outputs are computed of each batch before that goes to the device.
 *
 * Outputs: `logits`, and what the options name as `pooled`, `features` and `hidden`, which may be any value of the
 * graph; no `attention`. Maps of four dimensions are given with their channels last. It has no tensors of ours: it can
 * neither be trained nor aligned with.
 */
export const onnx = defineModel<OnnxOptions>({
  name: "onnx",
  description: "An ONNX model (of PyTorch, timm, scikit-learn, Keras), as teacher only",
  source: "onnxruntime-web 1.30, https://onnxruntime.ai",
  options: onnxOptions,
  build() {
    throw new UserError('Cannot train the model "onnx": onnxruntime holds its weights, so it can only be a teacher');
  },
  open: openTeacher,
});
