import { CommanderError } from "commander";
import { Interrupted, StoppedEarly, TrainingFailure } from "../../core/distill/stops.ts";
import { DeviceError, UserError, wordsOf } from "../../core/errors.ts";
import { fileError } from "../../core/files.ts";
import { EndedConfined } from "./confine.ts";
import { INTERRUPTED } from "./interrupt.ts";

/** What was to be found again was not: a failure, but of nobody's flags. */
export class VerificationFailure extends Error {
  static {
    this.prototype.name = "VerificationFailure";
  }
}

/** Some runs of a grid did not come to an end: they were tried as often as they may be, or their recipes are wrong. */
export class RunsGivenUp extends Error {
  static {
    this.prototype.name = "RunsGivenUp";
  }

  /** Whether all are mistakes of the user's. */
  readonly ofUser: boolean;

  /** @param runs each in words, and whether its recipe is wrong */
  constructor(runs: readonly { readonly told: string; readonly ofRecipe: boolean }[]) {
    const [wrong, others] = [true, false].map((is) => runs.filter(({ ofRecipe }) => ofRecipe === is));
    const list = (title: string, runs: readonly { readonly told: string }[]) =>
      runs.length === 0 ? [] : [`${title}:`, ...runs.map(({ told }) => `  ${told}`)];
    super(
      [
        ...list("Given up, and tried again by the same command", others),
        ...list("Given up, as their recipes are to be mended", wrong),
      ].join("\n"),
    );
    this.ofUser = others.length === 0;
  }
}

/** How the program ends: what it says on standard error (nothing if empty), and its exit code. */
export interface Ending {
  readonly message: string;
  readonly code: number;
}

/**
 * Exit codes: 0 for success, 1 for a failure of ours or of the device, of the training or of a verification, 2 for a
 * mistake in what the user gave, 130 for Ctrl-C and other signals.
 *
 * @param thrown what was thrown
 * @param verbose whether the stack of an unexpected error, or of what caused a user's one, is wanted
 */
export function endingOf(thrown: unknown, verbose: boolean): Ending {
  const error = asUserError(thrown);
  if (error instanceof UserError) return { message: error.message + causeOf(error, verbose), code: 2 };
  if (error instanceof EndedConfined) return { message: "", code: error.code };
  if (error instanceof CommanderError) return usageEnding(error);
  if (error instanceof Interrupted || error instanceof StoppedEarly) {
    return { message: error.message, code: INTERRUPTED };
  }
  if (error instanceof RunsGivenUp) return { message: error.message, code: error.ofUser ? 2 : 1 };
  const isOurs = [TrainingFailure, DeviceError, VerificationFailure].some((kind) => error instanceof kind);
  if (isOurs) return { message: wordsOf(error), code: 1 };
  const stack = error instanceof Error ? error.stack : null;
  return { message: `Internal error: ${wordsOf(error)}${verbose && stack ? `\n${stack}` : ""}`, code: 1 };
}

/** What the operating system refused is never ours, also where nobody foresaw it; the runtime's words name the path. */
function asUserError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const [, path] = error.message.match(/["']([^"']+)["']/) ?? [];
  return fileError(error, "use", path ?? "a file");
}

/** Where a plug-in failed: its author wants to know. */
function causeOf({ cause }: UserError, verbose: boolean): string {
  return verbose && cause instanceof Error && cause.stack ? `\n${cause.stack}` : "";
}

/** Help and version end by an "error" too, with exit code 0 and nothing more to say. */
function usageEnding({ exitCode, message, code }: CommanderError): Ending {
  if (exitCode === 0) return { message: "", code: 0 };
  // Without a verb commander shows the help, and says no more than this.
  if (code === "commander.help") return { message: "", code: 2 };
  return { message: usageSentence(message), code: 2 };
}

/** "error: unknown command 'fo'\n(Did you mean foo?)" to `Unknown command "fo": did you mean "foo"?` */
function usageSentence(message: string): string {
  const [first, advice] = message.replace(/^error: /, "").split("\n");
  const sentence = first.replaceAll(/'([^']*)'/g, '"$1"').replace(/\.$/, "");
  const words = advice?.match(/^\(Did you mean (?:one of )?(.*)\?\)$/)?.[1].split(", ") ?? [];
  const meant = words.map((word) => `"${word}"`).join(" or ");
  return sentence[0].toUpperCase() + sentence.slice(1) + (meant && `: did you mean ${meant}?`);
}
