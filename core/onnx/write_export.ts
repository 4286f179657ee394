import { UserError } from "../errors.ts";
import { kindOfPath, makeFolder, movePath, readTextIfThere, writeFileAtomically } from "../files.ts";
import { currentFiles } from "../files/current.ts";
import { isJsonObject, parseJson } from "../json.ts";
import { clearLocked, lockFolder } from "../lock.ts";
import { CONFIG_FILE } from "../model_folder/config_file.ts";
import { MODELS } from "../model_folder/describing_folder.ts";
import { UNVERIFIED_PART } from "../model_folder/replace_folder.ts";
import { TEMPERATURE } from "../model_folder/temperature.ts";
import { dirname, join } from "../paths.ts";

/**
 * Writes an export. Its files are written apart and moved when all are there, config.json last: without it nobody takes
 * the folder for a model. Exports of the same weights with another precision go into one folder, whose config.json
 * becomes the last one's: a temperature may have been fitted since.
 *
 * @param out the folder; what is in it beside stays
 * @param companions the files beside the models by their paths in the folder
 * @param body writes the models, each by its name
 * @throws UserError if the folder has an export of other weights, or cannot be written; then it is as it was
 */
export async function writeExport(
  out: string,
  companions: ReadonlyMap<string, Uint8Array>,
  body: (write: (name: string, bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const files = currentFiles();
  const kind = await kindOfPath(out);
  if (kind === "file") {
    throw new UserError(
      `Cannot export to "${out}" as there is a file of that name: move it away, or name another folder`,
    );
  }
  const own = new TextDecoder().decode(companions.get(CONFIG_FILE)!);
  const there = await readTextIfThere(join(out, CONFIG_FILE), "the description of what is there");
  if (there !== null && !areOfOneModel(there, own)) {
    throw new UserError(
      `Cannot export to "${out}" as there is another model, or the export of other weights: remove it, or name another ` +
        "folder",
    );
  }
  const apart = join(out, UNVERIFIED_PART);
  await makeFolder(apart, "the export's folder");
  try {
    using _lock = await lockFolder(apart, "another export writes to it");
    try {
      await clearLocked(apart); // of what one that was killed left
      await makeFolder(join(apart, MODELS), "the export's folder");
      const models: string[] = [];
      await body(async (name, bytes) => {
        await writeFileAtomically(join(apart, MODELS, name), bytes);
        models.push(name);
      });
      for (const [name, bytes] of companions) {
        await makeFolder(dirname(join(apart, name)), "the export's folder");
        await writeFileAtomically(join(apart, name), bytes);
      }
      await makeFolder(join(out, MODELS), "the export's folder");
      for (const name of models) await movePath(join(apart, MODELS, name), join(out, MODELS, name));
      const last = (name: string) => Number(name === CONFIG_FILE);
      for (const name of [...companions.keys()].sort((a, b) => last(a) - last(b))) {
        await makeFolder(dirname(join(out, name)), "the export's folder");
        await movePath(join(apart, name), join(out, name));
      }
    } finally {
      await clearLocked(apart);
    }
  } finally {
    // If nobody is at it, and if it was made for this.
    files.removeEmptyFolder(apart);
    for (const name of new Set([MODELS, ...[...companions.keys()].map(dirname)])) {
      if (name !== ".") files.removeEmptyFolder(join(out, name));
    }
    if (kind === null) files.removeEmptyFolder(out);
  }
}

function areOfOneModel(there: string, own: string): boolean {
  try {
    const [first, second] = [there, own].map((text) => parseJson(text, (reason) => new UserError(reason)));
    if (!isJsonObject(first) || !isJsonObject(second)) return false;
    const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
    keys.delete(TEMPERATURE); // it may have been fitted since
    return [...keys].every((key) => JSON.stringify(first[key]) === JSON.stringify(second[key]));
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
