import { basename, resolve } from "node:path";

/** Where a model folder's export to ONNX is, unless another place was named: beside it. */
export function exportFolder(model: string): string {
  return `${/^\.*$/.test(basename(model)) ? resolve(model) : model.replace(/[\\/]+$/, "")}-onnx`;
}
