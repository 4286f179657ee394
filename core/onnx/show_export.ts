import { shownMetrics } from "../evaluate/metrics/show.ts";
import { join } from "../paths.ts";
import { showBytes } from "../show_bytes.ts";
import type { OnnxFile } from "./export_model.ts";

/**
 * What was exported, as a person reads it: a line for each file, one for what its precision cost, and one for what
 * other programs must do with the logits.
 */
export function showExport(out: string, files: readonly OnnxFile[]): string[] {
  const temperature = files.find(({ temperature }) => temperature !== 1)?.temperature;
  const lines = files.flatMap((written) => {
    const { file, precision, opset, bytes, operators, foldedBatchNorms: folded, check, milliseconds, metrics } =
      written;
    const norms = folded === 0 ? "" : `; ${folded} batch norms are in the layers before them`;
    const nodes = Object.values(operators).reduce((sum, count) => sum + count, 0);
    const { maxAbsLogitDifference: difference, largestLogit, examples, of } = check;
    const lines = [
      `${join(out, file)}: ${precision}, ${showBytes(bytes)}, ${nodes} operators of opset ${opset}${norms}`,
      `  run by onnxruntime: logits of up to ${largestLogit.toPrecision(3)} differ by up to ` +
      `${difference.toPrecision(2)} from the model's own on ${examples} ${of} examples; ` +
      `${milliseconds.onnx.toPrecision(2)} ms an example, ${milliseconds.own.toPrecision(2)} ms here`,
    ];
    if (metrics === null || Object.keys(metrics.own).length === 0) return lines; // nothing has a label
    const shown = (values: Readonly<Record<string, number>>) =>
      shownMetrics({ metrics: values }).map(([name, value]) => `${name} ${value}`).join(", ");
    return [...lines, `  test ${shown(metrics.onnx)}; the model itself ${shown(metrics.own)}`];
  });
  if (temperature === undefined) return lines;
  return [
    ...lines,
    `Before the softmax the logits are to be divided by the temperature ${temperature}: predict does so by ` +
    "config.json, other programs must, and find it in each file's metadata",
  ];
}
