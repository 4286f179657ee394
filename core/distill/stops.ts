/** Training was stopped from outside; a checkpoint was written. */
export class Interrupted extends Error {
  /** Tells it from other errors. */
  override name = "Interrupted";
  /**
   * Says in one line how far training came and how to continue.
   *
   * @param step steps done
   * @param totalSteps steps of the whole training
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
   * Says what to look at: the step, the first 16 examples of its batch, the last checkpoint.
   *
   * @param step the first whose loss is not finite, counted from 1
   * @param indices the examples of that step's batch, numbered from 0 as trained on: without those of the validation set
   * @param checkpoint the last one written before it, if there is one
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
