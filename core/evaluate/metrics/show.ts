import type { Evaluation } from "../evaluate.ts";

type Measured = Pick<Evaluation, "metrics">;

/** The metrics by name, as a person reads them. */
export function shownMetrics({ metrics }: Measured): [name: string, value: string][] {
  return Object.entries(metrics).map((
    [name, value],
  ) => [name, name === "accuracy" ? `${(100 * value).toFixed(2)} %` : value.toFixed(4)]);
}

/** `accuracy 91.20 %, f1 0.9034` */
export function showMetrics(evaluation: Measured): string {
  return shownMetrics(evaluation).map(([name, value]) => `${name} ${value}`).join(", ");
}
