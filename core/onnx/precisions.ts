import type { OnnxPrecision } from "../recipe/recipe_type.ts";

/** By name: the file as transformers.js looks for it, and how far logits may be from the model's own. */
export const PRECISIONS: Readonly<Record<OnnxPrecision, { readonly file: string; readonly tolerance: number }>> = {
  fp32: { file: "model.onnx", tolerance: 1e-3 },
  fp16: { file: "model_fp16.onnx", tolerance: 0.02 },
  int8: { file: "model_quantized.onnx", tolerance: 0.3 },
};
