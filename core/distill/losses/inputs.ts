import type { Random } from "../../data/random.ts";
import type { Batch, HostTensor } from "../../plugin/dataset.ts";
import type { WeightedLoss } from "./objective.ts";

/** The name in a step's batch of a tensor that only one loss sees. */
const ownName = (loss: string, name: string) => `${loss}: ${name}`;

/**
 * What losses add to a step's batch.
 *
 * @param indices the batch's examples, as they are numbered among the training examples
 * @param random depends on the step
 */
export function lossInputs(
  losses: readonly Pick<WeightedLoss, "name" | "loss">[],
  indices: Uint32Array,
  random: Random,
): Batch<HostTensor> {
  return Object.fromEntries(losses.flatMap(({ name, loss }) => {
    const own = loss.inputs?.({ indices, random: random.split(name) }) ?? {};
    return Object.entries(own).map(([key, tensor]) => [ownName(name, key), tensor]);
  }));
}

/** A batch as one loss sees it: what it added itself is there under its own names. */
export function ownBatch<Part>(loss: string, batch: Batch<Part>): Batch<Part> {
  const prefix = ownName(loss, "");
  const own = Object.keys(batch).filter((name) => name.startsWith(prefix));
  if (own.length === 0) return batch;
  return { ...batch, ...Object.fromEntries(own.map((name) => [name.slice(prefix.length), batch[name]])) };
}
