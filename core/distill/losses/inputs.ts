import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import type { Batch, HostTensor } from "../../plugin/dataset.ts";
import type { Loss } from "../../plugin/loss.ts";
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
  const descriptors = Object.getOwnPropertyDescriptors(batch);
  const added = Object.fromEntries(own.map((name) => [name.slice(prefix.length), batch[name]]));
  return Object.assign(Object.defineProperties({}, descriptors), added);
}

/** A batch in which a loss may look at the labels, if it can do without some of them where some are not there. */
export function labelsFor<Part>(name: string, { labels }: Pick<Loss, "labels">, batch: Batch<Part>): Batch<Part> {
  if (!batch.labelled || labels === "some") return batch;
  const { label: _label, ...others } = batch;
  // Not enumerable, so that copies of the batch can be made.
  return Object.defineProperty(others, "label", {
    enumerable: false,
    get() {
      throw new UserError(
        `Cannot use the loss "${name}" where examples have no label: it reads the label of each; leave them out, or ` +
          'use losses that learn from the teacher alone, such as kd (a plug-in that leaves them out says labels: "some")',
      );
    },
  });
}
