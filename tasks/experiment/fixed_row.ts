import { join } from "node:path";
import { folderName, type Row, type Scalar, settingOf, type Tuning } from "./experiment.ts";
import { lengthened } from "./lengthen.ts";

/**
 * A row as it was tuned, to be run without tuning; its runs lie where those of the tuned row do, so that one that is
 * done is found.
 *
 * @param value the tuned value; `null` without tuning
 */
export function tunedRow(row: Row, tune: Tuning | null, value: Scalar | null): Row {
  if (!tune || value === null) return row;
  return {
    ...row,
    folder: join(row.folder, folderName(settingOf(tune, value))),
    recipe: (changes) => row.recipe([tune.change(value), ...changes]),
  };
}

/**
 * A row over another number of epochs, each run a complete training of that length.
 *
 * @param label names the reason in messages
 */
export function lengthenedRow(row: Row, epochs: number, label: string): Row {
  return {
    ...row,
    equalSeconds: null,
    recipe: (changes) => row.recipe([...lengthened(row.recipe([]).value, epochs, label), ...changes]),
  };
}
