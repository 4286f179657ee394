import { firstIndices } from "../../data/loader.ts";
import { TensorTooLarge } from "../../errors.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { ModelOutputs } from "../../plugin/model.ts";
import type { OutputShapes } from "../../plugin/output_tree.ts";
import { showShape } from "../../tensor.ts";
import { type RehearsalSetup, rehearsed } from "./rehearsal.ts";

/** What is looked at: the parts of a rehearsal, and what the student gives for one example. */
export interface SizeSetup extends RehearsalSetup {
  readonly shapes: OutputShapes;
}

/**
 * Looks whether every tensor of a training step's outputs and losses is one that the backend can hold, on the longest
 * examples and without computing anything: otherwise a run could end when its longest batch comes.
 *
 * @throws UserError at `batchSize` if one is too large, with the batch that is not
 */
export async function expectStepFits(setup: SizeSetup): Promise<void> {
  const { ops, student, teacher, losses, train, recipe } = setup;
  const taught = teacher?.cached === undefined ? teacher?.model : undefined;
  // What cannot be replayed may do more than run kernels, and wants numbers for it.
  if ([student.model, taught, ...losses.all.map(({ loss }) => loss)].some((part) => part?.replay === false)) return;
  const { batchSize } = recipe.value;
  const whole = Math.min(batchSize, train.length);
  await train.fetch?.(longest(train, whole));
  const tooLarge = (size: number): TensorTooLarge | null => {
    try {
      ops.device.sizesOnly(() => rehearsed(setup, longest(train, size), (outputs) => asked(setup, outputs)));
      return null;
    } catch (error) {
      // What else may be wrong is told by the rehearsal, or by the first step.
      return error instanceof TensorTooLarge ? error : null;
    }
  };
  const error = tooLarge(whole);
  if (!error) return;
  let [fits, fails] = [0, whole];
  while (fails - fits > 1) {
    const size = (fits + fails) >> 1;
    if (tooLarge(size)) fails = size;
    else fits = size;
  }
  const parts = Math.ceil(batchSize / fits);
  const refusal = recipe.error(
    ["batchSize"],
    `Cannot train on batches of ${batchSize} as that takes a tensor of ${showShape(error.shape)}: ${error.sizes}; ` +
      `${
        fits > 0
          ? `batchSize: ${fits}, or ${Math.ceil(batchSize / parts)} with accumulate: ${parts} for as large a step`
          : "a smaller model"
      }, shorter texts (maxLength) or smaller images, or --backend cpu`,
  );
  // Another backend may hold it.
  refusal.cause = error;
  throw refusal;
}

/** The longest examples, or the first where all are alike. */
function longest({ length, lengths }: Examples, count: number): Uint32Array {
  const order = firstIndices(length);
  return (lengths ? order.sort((a, b) => lengths[b] - lengths[a]) : order).slice(0, count);
}

/** Outputs that refuse to be asked for attention that was left out as it would be too large. */
function asked({ ops, shapes }: SizeSetup, outputs: ModelOutputs): ModelOutputs {
  return new Proxy(outputs, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if ((key !== "attention" && key !== "scores") || value?.length !== 0 || !shapes[key]?.length) return value;
      const [batch, length] = target.hidden[0].shape;
      throw new TensorTooLarge(ops.backend, [batch, shapes[key][0][1], length, length]);
    },
  });
}
