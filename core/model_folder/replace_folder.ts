import { kindOfPath, makeFolder, movePath, readTextIfThere, readUserFolder, removePath } from "../files.ts";
import { currentFiles } from "../files/current.ts";
import { UserError } from "../errors.ts";
import { clearLocked, lockFolder } from "../lock.ts";
import { removeOwnCard } from "./card_file.ts";
import { CONFIG_FILE } from "./config_file.ts";
import { basename, dirname, join } from "../paths.ts";
import { MODULES_FILE } from "./sentence_modules.ts";

/** The folder of a model's files while they are being written, in the folder that they are to go to. */
export const UNVERIFIED_PART = ".unverified";

/**
 * Writes a model folder to where another one may be. Its files are written apart and moved when all are there: whatever
 * happens in between, no model is ever made of the files of two.
 *
 * @param folder files in it that no model folder has stay
 * @param write writes the model folder to the path that it is given
 * @throws UserError if it cannot be written, or another process is at it
 */
export async function replaceModelFolder(folder: string, write: (to: string) => Promise<void>): Promise<void> {
  const files = currentFiles();
  const kind = await kindOfPath(folder);
  if (kind === "file" || (kind === null && await isLink(folder))) {
    throw new UserError(
      `Cannot make the model folder "${folder}" as there is a file of that name: move it away, or name another`,
    );
  }
  // Within it, as the folder may be a file system of its own, or the only one that may be written.
  const unverified = join(folder, UNVERIFIED_PART);
  await makeFolder(unverified, "the model folder");
  try {
    using _lock = await lockFolder(unverified, "another merge writes to it");
    await clearLocked(unverified); // of what one that was killed left
    await write(unverified).catch((error) => clearLocked(unverified).finally(() => Promise.reject(error)));
  } catch (error) {
    // If nobody is at it, and if it was made for this.
    files.removeEmptyFolder(unverified);
    if (kind === null) files.removeEmptyFolder(folder);
    throw error;
  }
  await moveModelFolder(unverified, folder);
}

/** Whether there is a link, which leads nowhere if nothing else is known of its path. */
async function isLink(path: string): Promise<boolean> {
  return await currentFiles().isLink(path).catch(() => false);
}

/** Whether a file says how a model computes: its own description, or that of a part that pools its vectors. */
const isDescription = (name: string) => basename(name) === CONFIG_FILE || name === MODULES_FILE;

/**
 * Gives a model folder another's name, by renames alone. A model that differs in its weights only is whole after each
 * of them; another one has no `config.json`, and is not to be read, until all files are the new one's.
 */
export async function moveModelFolder(from: string, to: string): Promise<void> {
  if (await kindOfPath(to) === null) return await movePath(from, to);
  await removeOwnCard(to);
  const names = [...(await readUserFolder(from, "the model")).keys()];
  for (const name of names.filter(isDescription)) {
    const [text, old] = [from, to].map((folder) => readTextIfThere(join(folder, name), "the model's description"));
    if (await text === await old) continue;
    await removePath(join(to, CONFIG_FILE));
    break;
  }
  const last = (name: string) => Number(name === CONFIG_FILE);
  for (const name of names.sort((a, b) => last(a) - last(b))) {
    await makeFolder(dirname(join(to, name)), "the model folder");
    await movePath(join(from, name), join(to, name));
  }
  await removePath(from);
}
