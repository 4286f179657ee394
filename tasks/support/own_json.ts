import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import { readTextIfThere } from "../../core/files.ts";
import { formatPath, type Path } from "../../core/recipe/paths.ts";

/**
 * Reads a JSON file that this program wrote. The disk, or a hand, may have changed it since.
 *
 * @param what what the file is, with its article: `the summary`
 * @param remedy what helps, to follow a colon
 * @returns `null` if there is no such file
 * @throws UserError if it cannot be read, is no JSON, or lacks what the schema wants
 */
export async function readOwnJson<Value>(
  path: string,
  what: string,
  schema: z.ZodType<Value>,
  remedy: string,
): Promise<Value | null> {
  const text = await readTextIfThere(path, what);
  return text === null ? null : parseOwnJson(text, path, what, schema, remedy);
}

/** The same of a text that was read already. */
export function parseOwnJson<Value>(
  text: string,
  path: string,
  what: string,
  schema: z.ZodType<Value>,
  remedy: string,
): Value {
  const damaged = (reason: string) =>
    new UserError(`Cannot read ${what} "${path}" as it is damaged: ${reason}; ${remedy}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged("it is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const place = formatPath(parsed.error.issues[0].path as Path);
  throw damaged(place === "" ? "it is no map" : `${place} is missing, or not what this program writes`);
}
