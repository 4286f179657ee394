import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { CONFIG_FILE } from "../../core/model_folder/config_file.ts";

/**
 * The model folder that the user named: the folder itself, or the student of a run.
 *
 * @param action what is to be done, to follow "Cannot": `evaluate`
 * @throws UserError if there is no model
 */
export async function savedModel(folder: string, action: string): Promise<string> {
  for (const candidate of [folder, join(folder, "student")]) {
    if (await isFile(join(candidate, CONFIG_FILE))) return candidate;
  }
  throw new UserError(
    `Cannot ${action} "${folder}" as it is no model folder: there is no ${CONFIG_FILE} in it, nor in student/`,
  );
}

/** Whether there is a file of that name. */
export function isFile(path: string): Promise<boolean> {
  return Deno.stat(path).then((info) => info.isFile, () => false);
}
