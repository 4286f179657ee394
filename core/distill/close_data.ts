import { wordsOf } from "../errors.ts";
import type { Dataset } from "../plugin/dataset.ts";

/** Ends what a data set has going on. All that was asked of it is there by then, so that a failure is a warning. */
export async function closeData(dataset: Dataset, warn: (line: string) => void): Promise<void> {
  try {
    await dataset.close?.();
  } catch (error) {
    warn(`the data set could not be closed: ${wordsOf(error)}`);
  }
}
