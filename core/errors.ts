/**
 * A mistake in what the user gave: a recipe, a file, a flag, a shape. The command line prints its message alone and
 * exits with code 2; any other error is ours and exits with code 1.
 */
export class UserError extends Error {
  static {
    this.prototype.name = "UserError";
  }
}

/** A mistake in an option of a plug-in that only shows with the data or the models; it is told at that option. */
export class OptionError extends UserError {
  /** Keys from the plug-in's options to the one that is wrong. */
  readonly path: readonly string[];

  /** Which option, and what is wrong with it. */
  constructor(path: readonly string[], message: string) {
    super(message);
    this.path = path;
  }
}

/** A device was lost or ran out of memory; nothing computed on it can be trusted any more. */
export class DeviceError extends Error {
  static {
    this.prototype.name = "DeviceError";
  }
}

/** A tensor was asked for that is larger than the backend's tensors can be. */
export class TensorTooLarge extends UserError {
  /** Of the tensor that was asked for. */
  readonly shape: readonly number[];
  /** How large it is, and how large it may be: a part of a sentence. */
  readonly sizes: string;

  /** Where, the most numbers of a tensor there, and what was asked for. */
  constructor(
    { mostNumbers, description }: { readonly mostNumbers: number; readonly description: string },
    shape: readonly number[],
  ) {
    const numbers = shape.reduce((product, extent) => product * extent, 1);
    const mebibytes = (numbers: number) =>
      `${(numbers / 2 ** 18).toLocaleString("en", { maximumFractionDigits: 1 })} MiB`;
    const sizes = `it has ${mebibytes(numbers)}, and a tensor on "${description}" at most ${mebibytes(mostNumbers)}`;
    super(
      `Cannot make a tensor of [${shape.join(", ")}]: ${sizes}; a smaller batchSize, a shorter maxLength or smaller ` +
        "images, a smaller model, or --backend cpu",
    );
    this.shape = shape;
    this.sizes = sizes;
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
