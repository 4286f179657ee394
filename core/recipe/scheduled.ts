import { expectArguments } from "../arguments.ts";
import { epochLength, stepCount } from "./bounds.ts";
import { z } from "zod";
import { type Curve, interpolate, type Progress } from "../nn/schedules.ts";
import type { NumberSchema, Schema } from "./zod_schema.ts";

const curves: readonly Curve[] = ["linear", "cosine", "step"];

/** A number that may change during training, over `epochs` or `steps`, or over the whole training if both are null. */
export type Scheduled = number | {
  /** Value at the start of training. */
  from: number;
  /** Value at the end of the change, kept from then on. */
  to: number;
  /** The way between. */
  schedule: Curve;
  /** Length of the change in epochs, fractions allowed; null if it is not given so. */
  epochs: number | null;
  /** Length of the change in training steps; null if it is not given so. */
  steps: number | null;
};

/**
 * Schema of a number that may change during training: written as a number, or as `{ from: 8, to: 2, epochs: 5 }`.
 *
 * @param number what the number must be at each time
 * @returns the schema, to be given a default and a description
 *
 * @example
 * ```ts
 * import { scheduled } from "@opdf/opdf";
 * import { z } from "zod";
 *
 * const temperature = scheduled(z.number().positive()).default(4).describe("Temperature T");
 * ```
 */
export function scheduled(number: NumberSchema = z.number()): Schema<Scheduled, number | Record<string, unknown>> {
  expectArguments("scheduled", { number: [number, "a zod schema"] });
  return z.union([
    number,
    z.strictObject({
      from: number.describe("Value at the start of training"),
      to: number.describe("Value at the end of the change, kept from then on"),
      schedule: z.enum(curves).default("linear").describe(
        "The way between: a straight line, half a cosine wave, or one step from the first to the second value at the end",
      ),
      epochs: epochLength.positive().nullable().default(null).describe("Length of the change in epochs"),
      steps: stepCount.nullable().default(null).describe("Length of the change in training steps"),
    }).refine(({ epochs, steps }) => epochs === null || steps === null, {
      error: "Expected only one of epochs and steps for the length of the change: got both",
    }).describe("A change from one value to another, over the whole training unless epochs or steps are given"),
  ]);
}

/**
 * The value of a scheduled number at one step.
 *
 * @param value the number, or the change that it makes
 * @param progress how far training is
 * @returns the value at `progress.step`
 *
 * @example
 * ```ts
 * import { valueAt } from "@opdf/opdf";
 *
 * const temperature = { from: 8, to: 2, schedule: "linear", epochs: 2, steps: null } as const;
 * valueAt(temperature, { step: 10, totalSteps: 100, stepsPerEpoch: 10 }); // 5
 * ```
 */
export function valueAt(value: Scheduled, progress: Progress): number {
  if (typeof value === "number") return value;
  expectArguments("valueAt", { value: [value, "a map"], progress: [progress, "a map"] });
  const { step, totalSteps, stepsPerEpoch } = progress;
  const length = value.steps ?? (value.epochs === null ? totalSteps : value.epochs * stepsPerEpoch);
  return interpolate(value.schedule, value.from, value.to, step / length);
}
