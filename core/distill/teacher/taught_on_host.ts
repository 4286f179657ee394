import { batchFor } from "../../plugin/batch.ts";
import { mapBatches } from "../map_examples.ts";
import { withoutOwnInputs } from "./own_inputs.ts";
import type { Lessons } from "./use_cache.ts";

/**
 * Of a teacher that computes on the host: the same, with batches of training examples that bring what it gives. It may
 * be replayed so, and what only it takes does not go to the device.
 *
 * @param wanted names of the outputs that the losses read
 */
export function taughtOnHost({ data, teacher }: Lessons, wanted: ReadonlySet<string>): Lessons {
  if (!teacher?.model.hostOutputs || teacher.cached !== undefined || wanted.size === 0) return { data, teacher };
  const train = mapBatches(data.train, (batch) => {
    const whole = batchFor(teacher.model, batch, wanted);
    // Of several teachers some compute on the device.
    return teacher.first.model === teacher.model ? withoutOwnInputs(whole) : whole;
  });
  return { data: { ...data, train }, teacher };
}
