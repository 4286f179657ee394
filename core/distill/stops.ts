/** Training was stopped from outside; a checkpoint was written. */
export class Interrupted extends Error {
  /** Tells it from other errors. */
  override name = "Interrupted";
  /**
   * @param step steps done
   * @param checkpoint its file
   */
  constructor(readonly step: number, totalSteps: number, readonly checkpoint: string) {
    super(`Stopped after step ${step} of ${totalSteps}; --resume continues from "${checkpoint}"`);
  }
}

/** The loss became NaN or infinite. */
export class NonFiniteLoss extends Error {
  /** Tells it from other errors. */
  override name = "NonFiniteLoss";
  /**
   * @param step counted from 1
   * @param indices the examples of that step's batch
   * @param checkpoint the last one written before it
   */
  constructor(
    readonly step: number,
    readonly indices: Uint32Array,
    checkpoint: { readonly file: string; readonly step: number } | null,
  ) {
    const shown = [...indices.slice(0, 16)].join(", ") + (indices.length > 16 ? ", ..." : "");
    const kept = checkpoint
      ? `the last good checkpoint is "${checkpoint.file}" (step ${checkpoint.step})`
      : "there is no checkpoint yet";
    super(
      `Stopped at step ${step} as its loss is not a finite number; its batch has the examples [${shown}]; ${kept}; ` +
        `a lower train.optimiser.learningRate or a bound in train.clipGradientNorm usually helps`,
    );
  }
}
