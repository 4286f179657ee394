import { shownMetrics } from "../../core/evaluate/metrics/show.ts";
import { showBytes } from "../../core/show_bytes.ts";
import { grouped } from "../support/format.ts";
import { type Child, element, section, table } from "./elements.ts";
import type { RunFiles } from "./read_run.ts";

/** The student as ONNX: what each file takes, and how far it is from the student. */
export function exports({ summary }: RunFiles): Child {
  const files = summary?.export?.onnx ?? [];
  if (files.length === 0) return null;
  const metric = (metrics: Readonly<Record<string, number | null>>) => {
    const known = Object.entries(metrics).filter((entry): entry is [string, number] => entry[1] !== null);
    const [first] = shownMetrics({ metrics: Object.fromEntries(known) });
    return first === undefined ? "-" : first.join(" ");
  };
  const folded = Math.max(...files.map(({ foldedBatchNorms }) => foldedBatchNorms));
  return section(
    "As ONNX",
    element(
      "p",
      { class: "faint" },
      "Each file was run by ONNX Runtime on one thread and held against the student before it was kept.",
      folded === 0 ? null : ` ${grouped(folded)} batch norms are folded into the layers before them.`,
    ),
    table(
      [
        "file",
        "precision",
        "bytes",
        "operators",
        "logits differ by up to",
        "ms an example",
        "the student's here",
        "test",
      ],
      files.map(({ file, precision, bytes, operators, check, milliseconds, metrics }) => [
        file,
        precision,
        showBytes(bytes),
        grouped(Object.values(operators).reduce((sum, count) => sum + count, 0)),
        `${check.maxAbsLogitDifference.toExponential(1)} of ${check.largestLogit.toPrecision(3)}`,
        milliseconds.onnx.toPrecision(2),
        milliseconds.own.toPrecision(2),
        metrics === null ? "as the student" : `${metric(metrics.onnx)} (student ${metric(metrics.own)})`,
      ]),
    ),
  );
}
