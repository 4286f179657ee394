/** Training was stopped from outside; a checkpoint was written. */
export class Interrupted extends Error {
  override name = "Interrupted";
  constructor(readonly step: number, totalSteps: number) {
    super(`Stopped after step ${step} of ${totalSteps}; --resume continues from there`);
  }
}

/** The loss became NaN or infinite. */
export class NonFiniteLoss extends Error {
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
