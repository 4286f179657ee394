import { z } from "zod";

/**
 * Gives the schema of a number the reason for its bounds, which stands in the sentence that refuses another. Every
 * number of a recipe has two bounds: what no run can have been meant to do is refused before it is begun.
 *
 * @param reason follows "got 1000, but": `more cores only multiply identities`
 */
export function bounded<Number extends z.ZodType>(number: Number, reason: string): Number {
  return number.meta({ reason }) as Number;
}

/**
 * Gives the schema of a text the words for what it takes, in place of a pattern: `a name of letters and digits`. They
 * follow "Expected".
 */
export function inWords<Text extends z.ZodType>(text: Text, words: string): Text {
  return text.meta({ words }) as Text;
}

/** The name of an experiment, which becomes that of a folder. */
export const nameSchema = inWords(
  z.string().regex(/^[\w.-]+$/),
  "a name of letters, digits, dots, hyphens and underscores",
);

/** A temperature that outputs are divided by before their softmax. */
export const temperatureSchema = bounded(
  z.number().min(1e-3).max(1e4),
  "a softmax of logits over less leaves one class alone, and over more makes all alike",
);

/** A factor of a loss, or of a part of one. */
export const lossFactor = bounded(
  z.number().min(0).max(1e9),
  "it leaves other losses no digits of a float32",
);

/** A length in epochs; fractions are for the schema around it to refuse. */
export const epochLength = bounded(z.number().min(0).max(1e6), "no training has more epochs");

/** A whole number of epochs. */
export const epochCount = bounded(z.int().min(1).max(1e6), "no training has more epochs");

/** A whole number of training steps. */
export const stepCount = bounded(z.int().min(1).max(1e9), "no training has more steps");

/** A number of examples. */
export const exampleCount = bounded(
  z.int().min(1).max(1e9),
  "no data set that fits a memory has more",
);

/** Examples in a batch. */
export const batchSize = bounded(z.int().min(1).max(2 ** 20), "no memory holds what is computed for more at once");

/** A seed of random numbers. */
export const seedSchema = bounded(z.int().min(0).max(2 ** 32 - 1), "a seed has 32 bits");

/** The number of a layer, from 0, or from the end if it is negative. */
export const layerIndex = bounded(z.int().min(-10_000).max(10_000), "no model has so many layers");

/** A number that is the name of a class. */
export const classNumber = bounded(
  z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
  "a number of that size is not exact: put the name in quotes",
);

/** What is added to a variance or a denominator. */
export const epsilonSchema = bounded(
  z.number().min(1e-37).max(1),
  "a float32 knows no smaller number than that, and beside more than 1 what it is added to counts for nothing",
);
