import { sha256 } from "../sha256.ts";
import { hasCopies } from "./chosen_examples.ts";
import type { RunData } from "./load_data.ts";
import type { Resolved } from "./resolve_plugins.ts";
import type { LoadedTeacher } from "./teacher/load_teacher.ts";
import { checkInputs, type Checkpoint } from "./training/checkpoint.ts";

/** What a run calls the student's options that the recipe does not say, among its inputs. */
const FILLED_IN = "what files say of the student";

/** And how copies of training examples are divided, where there are any. */
const COPIES = "how copies are held out";

/**
 * What a run goes by besides its recipe, and one that goes on must have again: SHA-256 of files, or words.
 *
 * @throws CheckpointRefused if the checkpoint was made with other ones
 */
export async function runInputs(
  data: RunData,
  teacher: LoadedTeacher | null,
  { filled = {} }: Resolved<"model">,
  checkpoint: Checkpoint | null,
): Promise<Record<string, string>> {
  const inputs: Record<string, string> = { ...data.sha256, ...(teacher && { "the teacher": teacher.sha256 }) };
  // A checkpoint of an older version does not say it.
  const isSaid = checkpoint === null || FILLED_IN in checkpoint.fingerprint.inputs;
  if (isSaid && Object.keys(filled).length > 0) {
    inputs[FILLED_IN] = await sha256(new TextEncoder().encode(JSON.stringify(filled)));
  }
  // Which examples are held out hangs on it, and did not before copies were known.
  if (hasCopies(data.dataset.splits.train)) inputs[COPIES] = "on one side";
  if (checkpoint) checkInputs(checkpoint, inputs);
  return inputs;
}
