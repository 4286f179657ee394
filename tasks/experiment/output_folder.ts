import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { writeFileAtomically } from "../../core/files.ts";

/** The file that names the experiment of a folder. */
const MARK = "experiment.json";
const LOCK = ".lock";

/**
 * Runs `body` while nobody else writes to an experiment's folder.
 *
 * @param folder is made if it is not there
 * @param name the experiment's name
 * @throws UserError if the folder is another experiment's, holds something else, or a second process works in it
 */
export async function withOutputFolder<Result>(
  folder: string,
  name: string,
  body: () => Promise<Result>,
): Promise<Result> {
  await claim(folder, name);
  using lock = await Deno.open(join(folder, LOCK), { create: true, write: true });
  // The system takes the lock away when the process ends, however it ends.
  if (!await lock.tryLock(true)) {
    throw new UserError(`Cannot write to "${folder}" as another process runs an experiment in it: wait for it to end`);
  }
  return await body();
}

async function claim(folder: string, name: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`Cannot make the folder "${folder}": ${(error as Error).message}`);
  }
  const mark = join(folder, MARK);
  const text = await Deno.readTextFile(mark).catch(() => null);
  const refuse = (what: string) =>
    new UserError(`Cannot write to "${folder}" as it holds ${what}: name another folder with --output`);
  if (text !== null) {
    const { experiment } = JSON.parse(text);
    if (experiment !== name) throw refuse(`the experiment "${experiment}", not "${name}"`);
    return;
  }
  for await (const _ of Deno.readDir(folder)) throw refuse("files that no experiment wrote");
  await writeFileAtomically(mark, JSON.stringify({ experiment: name }, null, 2) + "\n");
}
