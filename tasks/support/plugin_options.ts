import { dirname } from "node:path";
import { z } from "zod";
import { readUserFile } from "../../core/files.ts";
import { parseChecked } from "../../core/recipe/checked.ts";

/** Options of a plug-in, and the folder that files in them are relative to. */
export interface GivenOptions {
  readonly options: Readonly<Record<string, unknown>>;
  readonly base: string;
}

/**
 * Reads what `--options` gives.
 *
 * @param given a map in YAML or JSON, or the path of a file that holds one; nothing stands for no options
 * @throws UserError if it cannot be read
 */
export async function readOptions(given: string | undefined): Promise<GivenOptions> {
  if (given === undefined) return { options: {}, base: "." };
  const inline = given.trimStart().startsWith("{");
  const text = inline ? given : new TextDecoder().decode(await readUserFile(given, "the options"));
  const { value } = parseChecked(text, inline ? "--options" : given, z.looseObject({}));
  return { options: value, base: inline ? "." : dirname(given) };
}
