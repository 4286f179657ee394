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

type Kind = Pick<OutputsOptions, "values" | "independent" | "temperature" | "rest" | "least">;

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
  { values, independent, temperature, rest, least }: Kind,
  { classes, task }: Pick<InputDescription, "classes" | "task">,
  { file, place }: OutputPlace,
): number[] {
  const refuse = (reason: string) => new UserError(`Cannot use ${place} of "${file}" as ${reason}`);
  const lacking = given.flatMap((value, index) => value === null ? [classes[index]] : []);
  if (task === "regression" && values !== "logits") {
    throw refuse("a regression has no probabilities: set values to logits");
  }
  if (values === "decisions" && !independent) return ofDecisions(given, { temperature, least }, task, refuse);
  if (values === "logits" && temperature !== 1) {
    throw refuse(
      `logits have no temperature: set temperature to 1, not ${temperature}, and multiply them by it yourself`,
    );
  }
  expectIndependent(values, independent, task, refuse);
  if (lacking.length > 0 && (independent || values === "logits" || rest === "refuse")) {
    const remedy = values === "logits" || independent ? "expected all" : "expected all, or rest: spread";
    throw refuse(`it has no number for ${listSome(lacking, "and")}: ${remedy}`);
  }
  if (!given.every((value) => value === null || Number.isFinite(Math.fround(value)))) {
    throw refuse("one of its numbers is not finite");
  }
  if (values === "logits") return given as number[];
  const outside = given.find((value) => value !== null && (value < 0 || value > 1 + ROUNDING));
  if (outside !== undefined) throw refuse(`${outside} is no probability: expected a number from 0 to 1`);
  if (independent) {
    return given.map((value) => {
      const certain = Math.min(Math.max(value!, least), 1 - least);
      return temperature * Math.log(certain / (1 - certain));
    });
  }
  const sum = given.reduce<number>((total, value) => total + (value ?? 0), 0);
  if (sum > 1 + ROUNDING || (lacking.length === 0 && sum < 1 - ROUNDING)) {
    const expected = lacking.length === 0 ? "expected 1" : "expected 1 at most";
    throw refuse(`its probabilities have the sum ${Number(sum.toPrecision(6))}: ${expected}`);
  }
  const left = Math.max(0, 1 - sum) / Math.max(1, lacking.length);
  return given.map((value) => temperature * Math.log(Math.max(value ?? left, least)));
}

/** The logarithms of the shares of decisions; a class that is not named was not decided for. */
function ofDecisions(
  given: readonly (number | null)[],
  { temperature, least }: Pick<Kind, "temperature" | "least">,
  task: InputDescription["task"],
  refuse: (reason: string) => UserError,
): number[] {
  if (task !== "classification") throw refuse(`decisions are for one class of each example, and the task is ${task}`);
  if (temperature !== 1) throw refuse(`decisions have no temperature: set temperature to 1, not ${temperature}`);
  const wrong = given.find((count) => count !== null && !(count >= 0 && Number.isFinite(Math.fround(count))));
  if (wrong !== undefined) throw refuse(`${wrong} is no number of decisions: expected 0 or more`);
  const sum = given.reduce<number>((total, count) => total + (count ?? 0), 0);
  if (sum === 0) throw refuse("it has no decision");
  return given.map((count) => Math.log(Math.max((count ?? 0) / sum, least)));
}

/** @throws UserError where probabilities sum to 1 and should not, or the other way round */
function expectIndependent(
  values: Kind["values"],
  independent: boolean,
  task: InputDescription["task"],
  refuse: (reason: string) => UserError,
): void {
  const isSeveral = task === "multi-label";
  if (independent && !isSeveral) {
    throw refuse("independent is for several labels: here the probabilities of the classes sum to 1");
  }
  if (independent && values === "logits") throw refuse("independent is for probabilities, and values is logits");
  if (!isSeveral || values === "logits" || independent) return;
  throw refuse(
    "probabilities that sum to 1 do not say of several classes whether an example is of each: expected those of a " +
      "sigmoid, with independent: true, or logits",
  );
}
