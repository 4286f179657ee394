import type { EpochDiagnostics } from "../../core/distill/training/diagnostics.ts";
import { logLineSchema } from "./schemas.ts";

type Numbers = Readonly<Record<string, number | null>>;

/** A line of `metrics.jsonl`, each with some of these; a number that was not finite is `null`. */
export interface LogLine {
  readonly step: number;
  readonly epoch: number;
  readonly loss?: number | null;
  readonly losses?: Numbers;
  readonly accuracy?: number | null;
  readonly norms?: Numbers;
  readonly lossScale?: { readonly scale: number };
  readonly examplesPerSecond?: number;
  readonly validation?: Numbers;
  readonly lossMetrics?: Readonly<Record<string, Numbers>>;
  readonly diagnostics?: EpochDiagnostics;
}

/** The lines of a log; one that a killed run did not end, or that is damaged, is left out. */
export function readLog(text: string): LogLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      const { success, data } = logLineSchema.safeParse(JSON.parse(line));
      return success ? [data as LogLine] : [];
    } catch {
      return [];
    }
  });
}

/** Steps of an epoch, by which lines stand in time; 1 of a log that says nothing of it. */
export function stepsPerEpoch(log: readonly LogLine[]): number {
  const line = log.find(({ loss, epoch }) => loss !== undefined && epoch > 0);
  return line ? line.step / line.epoch : 1;
}
