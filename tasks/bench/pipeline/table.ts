import { median } from "../../support/median.ts";
import { aligned, number } from "../table.ts";
import type { PipelineResult } from "./run.ts";

/** A case that could not run. */
export interface PipelineFailure {
  readonly case: string;
  readonly backend: string;
  readonly reason: string;
}

const header = [
  "case",
  "backend",
  "variant",
  "seconds",
  "min-max",
  "times first",
  "peak MB",
  "times first",
  "live MB",
  "trained",
];
const words = new Set([0, 1, 2]);

/**
 * How our own pipeline does in several variants: lines of aligned columns, times and memory beside those of the first.
 */
export function pipelineTable(results: readonly (PipelineResult | PipelineFailure)[]): string[] {
  return aligned(
    [header, ...results.flatMap((result) => "reason" in result ? [failure(result)] : cells(result))],
    words,
  );
}

function failure({ case: name, backend, reason }: PipelineFailure): string[] {
  return [name, backend, reason, ...Array<string>(7).fill("-")];
}

function cells({ case: name, backend, rows }: PipelineResult): string[][] {
  const megabytes = (bytes: number) => number(bytes / 1e6);
  return rows.map((row) => [
    name,
    backend,
    row.variant,
    number(median([...row.seconds])),
    `${number(Math.min(...row.seconds))}-${number(Math.max(...row.seconds))}`,
    row.timesFirst.toFixed(2),
    megabytes(row.peakBytes),
    row.memoryTimesFirst.toFixed(2),
    row.liveBytes === row.liveBytesBefore
      ? megabytes(row.liveBytes)
      : `${megabytes(row.liveBytesBefore)} to ${megabytes(row.liveBytes)}`,
    row.parameters.toLocaleString("en"),
  ]);
}
