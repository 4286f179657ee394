import type { Command } from "commander";
import { UserError } from "../../core/errors.ts";
import { USUAL_THRESHOLD } from "../../core/evaluate/metrics/several_labels.ts";
import type { PictureColours } from "../../plugins/datasets/pictures/colours.ts";
import { numberInRange, wholeNumber } from "../support/numbers.ts";
import type { AnswerOptions } from "./answers.ts";

/** Flags that `predict` and `serve` have in common. */
export interface AnswerFlags {
  readonly backend: string;
  readonly top: string;
  readonly threshold: string;
  readonly background?: string;
}

/** Adds them. */
export function addAnswerFlags(command: Command): Command {
  return command
    .option("--top <number>", "how many of the most probable classes are told", "3")
    .option(
      "--threshold <part>",
      "probability from which something is of a class, where there are several",
      `${USUAL_THRESHOLD}`,
    )
    .option("--background <colour>", "behind transparent pixels: red,green,blue from 0 to 255, or drop: as stored")
    .option("--backend <name>", "where to compute: auto, webgpu or cpu", "auto");
}

/** What is wanted of answers. @throws UserError for a flag that is wrong */
export function answerOptions({ top, threshold }: AnswerFlags): AnswerOptions {
  return {
    top: wholeNumber("--top", top),
    threshold: numberInRange("--threshold", threshold, "a number between 0 and 1", isThreshold),
  };
}

/** Whether a number can be the probability from which something is of a class. */
export const isThreshold = (value: number) => value > 0 && value < 1;

/** What is behind transparent pixels; `null` where no flag says it. @throws UserError for what is no colour */
export function backgroundOf({ background }: AnswerFlags): PictureColours["background"] {
  if (background === undefined || background === "drop") return background ?? null;
  const colour = background.replace(/^\[(.*)\]$/, "$1").split(",").map((part) =>
    /^\d+$/.test(part.trim()) ? Number(part) : NaN
  );
  if (colour.length === 3 && colour.every((value) => value <= 255)) return colour;
  throw new UserError(`--background ${background}: Expected red, green and blue, as in 255,255,255, or drop`);
}
