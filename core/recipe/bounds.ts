import { z } from "zod";

/**
 * Gives the schema of a number its bounds, and the reason for them, which stands in the sentence that refuses another.
 *
 * @param reason follows "got 1000, but": `more cores only multiply identities`
 */
export function bounded<Number extends z.ZodType>(number: Number, reason: string): Number {
  return number.meta({ reason }) as Number;
}

/** A temperature that outputs are divided by before their softmax. */
export const temperatureSchema = z.number().positive().refine((t) => t <= 0 || t >= 1e-3 && t <= 1e4, {
  error: ({ input }) =>
    `Expected a temperature from 0.001 to 10000: got ${input}, but a softmax of logits over ` +
    (input as number < 1 ? "less leaves one class alone" : "more makes all classes alike"),
});
