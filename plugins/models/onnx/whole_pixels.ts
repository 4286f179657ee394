import type { ElementType } from "../../../core/onnx/runtime/element_types.ts";
import { UserError } from "../../../core/errors.ts";
import type { ImageInput } from "../../../core/plugin/dataset.ts";

type Normalisation = ImageInput["normalise"];

/** Of 8 bits, which models that take whole numbers take as they are, and normalise themselves. */
const MOST_BYTE = 255;

/** How far from a whole number a normalised byte may be: mean and deviation have few digits in a recipe. */
const NEARLY = 0.02;

/**
 * What is to be undone of pixels before an input of whole numbers takes them: all of it, so that it takes bytes, unless
 * bytes that are normalised so are whole numbers of its type. What is normalised otherwise is fractions, which rounding
 * would take away.
 *
 * @param file the model's file, for messages
 * @returns `null` if the input takes pixels as they are
 * @throws UserError if the type has not all of these numbers
 */
export function normalisationToUndo(
  file: string,
  input: string,
  { name, range }: ElementType,
  normalise: Normalisation,
): Normalisation | null {
  if (range === null) return null;
  const [least, most] = range;
  const isIn = (value: number) => Math.round(value) >= least && Math.round(value) <= most;
  const areWhole = normalise.mean.every((mean, channel) => {
    const std = normalise.std[channel];
    const [zero, full, step] = [-mean / std, (1 - mean) / std, 1 / (MOST_BYTE * std)];
    // Of a fraction of a step 255 are far from whole, or the step is none.
    return isIn(zero) && isIn(full) && Math.round(step) >= 1 && [zero, full, step].every(isNearlyWhole);
  });
  if (areWhole) return null;
  if (isIn(0) && isIn(MOST_BYTE)) return normalise;
  throw new UserError(
    `Cannot run "${file}" on images: its input ${JSON.stringify(input)} takes whole numbers from ${least} to ${most} ` +
      `(${name}), and pixels go from 0 to ${MOST_BYTE}: say for the teacher normalise with a mean and a std by which ` +
      "they become such numbers, or export the model for floats",
  );
}

const isNearlyWhole = (value: number) => Math.abs(value - Math.round(value)) < NEARLY;

/** An image `[height, width, channels]` as it was before it was normalised, from 0 to 255. */
export function asBytes(image: Float32Array, { mean, std }: Normalisation): Float32Array {
  return image.map((value, place) => {
    const channel = place % mean.length;
    return MOST_BYTE * (value * std[channel] + mean[channel]);
  });
}
