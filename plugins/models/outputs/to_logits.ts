import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { listSome } from "../../../core/recipe/words.ts";
import type { OutputsOptions } from "./outputs.ts";

/** Where an output stands, for messages. */
export interface OutputPlace {
  readonly file: string;
  /** `line 3` */
  readonly place: string;
}

type Kind = Pick<OutputsOptions, "values" | "temperature" | "rest" | "least">;

/** Probabilities are rounded by whoever writes them: their sum may be so far from 1. */
const ROUNDING = 0.01;

/**
 * What a file gives of an example as logits.
 *
 * @param given a number for each class, `null` for one that is not there
 * @throws UserError with the place for numbers that are no probabilities, or no numbers
 */
export function toLogits(
  given: readonly (number | null)[],
  { values, temperature, rest, least }: Kind,
  { classes, task }: Pick<InputDescription, "classes" | "task">,
  { file, place }: OutputPlace,
): number[] {
  const refuse = (reason: string) => new UserError(`Cannot use ${place} of "${file}" as ${reason}`);
  const lacking = given.flatMap((value, index) => value === null ? [classes[index]] : []);
  if (task === "regression" && values !== "logits") {
    throw refuse("a regression has no probabilities: set values to logits");
  }
  if (lacking.length > 0 && (values === "logits" || rest === "refuse")) {
    const remedy = values === "logits" ? "expected all" : "expected all, or rest: spread";
    throw refuse(`it has no number for ${listSome(lacking, "and")}: ${remedy}`);
  }
  const wrong = given.find((value) => value !== null && !Number.isFinite(Math.fround(value)));
  if (wrong !== undefined) throw refuse(`${wrong} is not a finite number`);
  if (values === "logits") return given as number[];
  const outside = given.find((value) => value !== null && (value < 0 || value > 1 + ROUNDING));
  if (outside !== undefined) throw refuse(`${outside} is no probability: expected a number from 0 to 1`);
  const sum = given.reduce<number>((total, value) => total + (value ?? 0), 0);
  if (sum > 1 + ROUNDING || (lacking.length === 0 && sum < 1 - ROUNDING)) {
    const expected = lacking.length === 0 ? "expected 1" : "expected 1 at most";
    throw refuse(`its probabilities have the sum ${Number(sum.toPrecision(6))}: ${expected}`);
  }
  const left = Math.max(0, 1 - sum) / Math.max(1, lacking.length);
  return given.map((value) => temperature * Math.log(Math.max(value ?? left, least)));
}
