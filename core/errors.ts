/**
 * A mistake in what the user gave: a recipe, a file, a flag, a shape. The command line prints its message alone and
 * exits with code 2; any other error is ours and exits with code 1.
 */
export class UserError extends Error {
  static {
    this.prototype.name = "UserError";
  }
}

/** A device was lost or ran out of memory; nothing computed on it can be trusted any more. */
export class DeviceError extends Error {
  static {
    this.prototype.name = "DeviceError";
  }
}

/** The words of what was thrown. A plug-in can throw anything, also what has no words. */
export function wordsOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "something that has no words was thrown";
  }
}
