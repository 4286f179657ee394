import type { KeptCheckpoint } from "./stops.ts";

/** Advice that usually keeps numbers finite. */
export const ADVICE = "a lower train.optimiser.learningRate or a bound in train.clipGradientNorm usually helps";

/** Where the numbers of before are, as a part of a sentence. */
export function told(checkpoint: KeptCheckpoint | null): string {
  return checkpoint
    ? `the last good checkpoint is "${checkpoint.file}" (step ${checkpoint.step})`
    : "there is no checkpoint yet";
}
