import { nameOfFile, type RemoteFile } from "../../../core/data/remote_file.ts";
import { join } from "../../../core/paths.ts";
import { showText } from "../../../core/recipe/words.ts";

/** Files of a data set's two splits, as a recipe names them. */
interface SplitFiles {
  readonly train: string | RemoteFile;
  readonly test: string | RemoteFile | null;
}

/**
 * What is wrong with options whose test file is the training file, and the key that it is told of; `null` if they are
 * two files.
 *
 * @param otherwise what else there is, after "expected another file": `, or testPart`
 */
export function sameFileMistake({ train, test }: SplitFiles, otherwise = "") {
  if (test === null || placeOf(train) !== placeOf(test)) return null;
  const message =
    `Cannot test on ${showText(nameOfFile(test))} as it is the training file, and what is measured on it ` +
    `says nothing of new examples: expected another file${otherwise}`;
  return { path: ["test"], message };
}

/** What is the same of one file, however its path is written. */
const placeOf = (file: string | RemoteFile) => typeof file === "string" ? join(file) : file.sha256.toLowerCase();
