import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import { showJson } from "../../core/json.ts";
import { kindOfPath, makeFolder, removePath, removeTemporaries, writeFileAtomically } from "../../core/files.ts";
import { LOCK, lockFolder } from "../../core/lock.ts";
import { readOwnJson } from "../support/own_json.ts";

/** The file that names the experiment of a folder. */
export const MARK = "experiment.json";
const markSchema = z.looseObject({ experiment: z.string() });

/**
 * Runs `body` while nobody else writes to an experiment's folder. It is given a look whether that is still there, to
 * be taken before something is written.
 *
 * @param folder is made if it is not there, and removed again if `body` fails before it wrote to it
 * @param name the experiment's name
 * @throws UserError if the folder is another experiment's, holds something else, or a second process works in it
 */
export async function withOutputFolder<Result>(
  folder: string,
  name: string,
  body: (check: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const isNew = await kindOfPath(folder) === null;
  await makeFolder(folder, "the experiment's folder");
  try {
    using lock = await lockFolder(folder, "another experiment runs in it");
    await claim(folder, name);
    try {
      return await body(async () => {
        if (await lock.holds()) return;
        throw new UserError(
          `Cannot write to "${folder}" as it was moved or removed while the experiment ran: put it back, and the same ` +
            "command goes on",
        );
      });
    } catch (error) {
      if (isNew && await lock.holds() && await isUnused(folder)) await removePath(join(folder, MARK));
      throw error;
    }
  } catch (error) {
    // Fails where something is in it, which is then another's.
    if (isNew) await Deno.remove(folder).catch(() => {});
    throw error;
  }
}

/** Whether nothing was written to a folder but whose it is. */
async function isUnused(folder: string): Promise<boolean> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.every((name) => name === MARK || name === LOCK);
}

async function claim(folder: string, name: string): Promise<void> {
  await removeTemporaries(folder);
  const file = join(folder, MARK);
  const remedy = `write {"experiment": ${JSON.stringify(name)}} to it if the folder is that experiment's`;
  const mark = await readOwnJson(file, "the experiment's name", markSchema, remedy);
  const refuse = (what: string) =>
    new UserError(`Cannot write to "${folder}" as it holds ${what}: name another folder with --output`);
  if (mark) {
    if (mark.experiment !== name) throw refuse(`the experiment ${showJson(mark.experiment)}, not "${name}"`);
    return;
  }
  for await (const { name } of Deno.readDir(folder)) {
    if (name !== LOCK) throw refuse("files that no experiment wrote");
  }
  await writeFileAtomically(file, JSON.stringify({ experiment: name }, null, 2) + "\n");
}
