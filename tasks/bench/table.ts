import type { Ceiling } from "./ceiling.ts";
import type { Outcome } from "./collect.ts";
import { median } from "../support/median.ts";
import type { Result } from "./protocol.ts";

/** One row of the report: what an engine did with a case. */
export interface Row {
  case: string;
  engine: string;
  /** Absent where the engine could not run. */
  result?: Result;
  /** Why there is no result. */
  reason?: string;
  /** Its median seconds divided by ours on the same kind of device: above 1 it is slower than we are. */
  timesOurs?: number;
  /** Part of the adapter's multiply-adds in registers that it reaches; on webgpu alone. */
  ofPeak?: number;
}

const header = ["case", "engine", "seconds", "min-max", "GFLOPS", "of peak", "first", "times ours", "note"];
/** Columns of words; the others are numbers, which stand right. */
const words = new Set([0, 1, 8]);

/**
 * The report as a table for people.
 *
 * @param rows what was measured
 * @param ceiling what the adapter can do at most: the last row
 * @returns lines of aligned columns
 */
export function table(rows: Row[], ceiling: Outcome<Ceiling>): string[] {
  return aligned([header, ...rows.map(cellsOf), ceilingCells(ceiling)], words);
}

/** Rows of cells as lines; columns of words stand left, those of numbers right. */
export function aligned(cells: readonly (readonly string[])[], words: ReadonlySet<number>): string[] {
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) =>
    row.map((cell, column) => words.has(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
      .join("  ").trimEnd()
  );
}

function cellsOf({ case: name, engine, result, reason, timesOurs, ofPeak }: Row): string[] {
  if (!result) return [name, engine, "-", "-", "-", "-", "-", "-", reason ?? ""];
  const { seconds, gflops, first, error, note } = result;
  return [
    name,
    engine,
    number(median(seconds)),
    `${number(Math.min(...seconds))}-${number(Math.max(...seconds))}`,
    gflops ? number(gflops) : "-",
    ofPeak ? `${Math.round(100 * ofPeak)} %` : "-",
    number(first),
    timesOurs ? number(timesOurs) : "-",
    [note, error && `error ${error.toExponential(0)}`].filter(Boolean).join(", "),
  ];
}

function ceilingCells(ceiling: Outcome<Ceiling>): string[] {
  if ("reason" in ceiling) {
    return ["ceiling", "adapter", "-", "-", "-", "-", "-", "-", `not available: ${ceiling.reason}`];
  }
  const { adapter, gflops, gigabytesPerSecond } = ceiling.result;
  const note = `in registers; copies ${number(gigabytesPerSecond)} GB/s`;
  return ["ceiling", adapter, "-", "-", number(gflops), "100 %", "-", "-", note];
}

/** Three significant digits, never in exponents: 0.0139, 1.37, 28.4, 4096. */
export function number(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(value)));
  return value.toFixed(Math.min(digits, 6));
}
