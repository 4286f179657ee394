import type { Ops } from "../../ops/ops.ts";
import type { WeightedLoss } from "./objective.ts";

/** Numbers that losses report at the end of an epoch: by the loss's name, then by theirs. */
export type LossMetrics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Lets every loss end an epoch, and reads what they report in one wait. */
export async function endEpoch(
  ops: Ops,
  losses: readonly Pick<WeightedLoss, "name" | "loss" | "state">[],
  epoch: number,
): Promise<LossMetrics> {
  const reported = ops.scope(() =>
    losses.flatMap(({ name, loss, state }) =>
      Object.entries(loss.endEpoch?.({ ops, state, epoch }) ?? {}).map(([metric, value]) => {
        // A copy, since a loss may well report a tensor of its state.
        return { name, metric, value: ops.scale(value, 1) };
      })
    )
  );
  if (reported.length === 0) return {};
  const numbers = await ops.read(reported.map(({ value }) => value));
  reported.forEach(({ value }) => value.dispose());
  const metrics: Record<string, Record<string, number>> = {};
  reported.forEach(({ name, metric }, index) => (metrics[name] ??= {})[metric] = numbers[index][0]);
  return metrics;
}

/** `epoch 3: kernel-transfer kernelGapAfter 0.2153`, a line for each loss that reports anything. */
export function metricLines(epoch: number, metrics: LossMetrics): string[] {
  return Object.entries(metrics).map(([loss, values]) => {
    const shown = Object.entries(values).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
    return `epoch ${epoch}: ${loss} ${shown.join(", ")}`;
  });
}
