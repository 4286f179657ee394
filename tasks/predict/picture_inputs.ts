import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, openUserFolder, readUserFile } from "../../core/files.ts";
import { visiblePath } from "../../core/visible.ts";
import { OTHERS, SYSTEMS } from "../../plugins/datasets/pictures/beside_pictures.ts";
import type { NamedInput } from "./named_input.ts";

/**
 * The pictures that are named: files, and all in folders and in folders within these, in order of their paths. What
 * lies beside pictures in folders, by the ends of their names, is left out.
 *
 * @throws UserError if there are none
 */
export async function pictureInputs(given: readonly string[]): Promise<NamedInput[]> {
  if (given.length === 0) throw new UserError("Cannot predict without pictures: expected files, or folders of them");
  const inputs: NamedInput[] = [];
  for (const path of given) {
    if (await kindOfPath(path) === "folder") inputs.push(...await picturesIn(path));
    else inputs.push(named(path));
  }
  return inputs;
}

async function picturesIn(folder: string): Promise<NamedInput[]> {
  const { paths } = await openUserFolder(folder, "the pictures");
  const pictures = paths.filter((path) => !SYSTEMS.test(path) && !OTHERS.test(path));
  if (pictures.length > 0) return pictures.map((path) => named(join(folder, path)));
  throw new UserError(`Cannot find pictures in "${visiblePath(folder)}": there are none, nor in folders in it`);
}

function named(path: string): NamedInput {
  return {
    source: { input: path },
    place: `the picture "${visiblePath(path)}"`,
    read: async () => ({ picture: await readUserFile(path, "the picture") }),
  };
}
