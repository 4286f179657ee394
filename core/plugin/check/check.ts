import { UserError, wordsOf } from "../../errors.ts";

/** The result of one check of a plug-in. */
export interface CheckResult {
  /** A sentence that is true of the plug-in if the check is passed. */
  readonly name: string;
  /** Its result; a check that this machine cannot make is skipped. */
  readonly outcome: "ok" | "failed" | "skipped";
  /** Why it failed or was skipped; a remark, if any, on a passed one. */
  readonly detail: string | null;
}

/** A check cannot be made here; that is reported and does not count as a failure. */
export class Skipped extends Error {
  static {
    this.prototype.name = "Skipped";
  }
}

/** One thing that must be true of a plug-in. */
export interface Check {
  readonly name: string;
  /** Whether none of the checks after it can be made if it fails. */
  readonly decisive?: boolean;
  /** Throws what is wrong, or {@link Skipped}. @returns a remark on the passed check, if any */
  run(): void | string | Promise<void | string>;
}

/** @throws Error with the sentence, unless the condition holds */
export function expect(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}

/** Makes a check; nothing is thrown. */
export async function runCheck({ name, run }: Check): Promise<CheckResult> {
  try {
    return { name, outcome: "ok", detail: await run() ?? null };
  } catch (error) {
    if (error instanceof Skipped) return { name, outcome: "skipped", detail: error.message };
    return { name, outcome: "failed", detail: describeError(error) };
  }
}

/** An error in one line; of one that no plug-in throws on purpose, the class as well. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return wordsOf(error);
  const plain = error instanceof UserError || error.constructor === Error || error instanceof RangeError;
  return `${plain ? "" : `${error.name}: `}${error.message}`.replaceAll(/\s*\n\s*/g, "; ");
}
