import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import { readTextIfThere } from "../../core/files.ts";
import { openJson } from "../../core/sealed_json.ts";
import { formatPath, type Path } from "../../core/recipe/paths.ts";

/**
 * Reads a JSON file that this program wrote. The disk, or a hand, may have changed it since.
 *
 * @param what what the file is, with its article: `the summary`
 * @param remedy what helps, to follow a colon
 * @returns `null` if there is no such file
 * @throws UserError if it cannot be read, is no JSON, lacks what the schema wants, or has another's checksum
 */
export async function readOwnJson<Value>(
  path: string,
  what: string,
  schema: z.ZodType<Value>,
  remedy: string,
): Promise<Value | null> {
  const text = await readTextIfThere(path, what);
  if (text === null) return null;
  const damaged = (reason: string) => damage(what, path, reason, remedy);
  const { value, isWhole } = await openJson(parsed(text, damaged));
  // Of an older version there is no checksum.
  if (isWhole === false) throw damaged("its checksum is another's");
  return checked(value, schema, damaged);
}

function damage(what: string, path: string, reason: string, remedy: string): UserError {
  return new UserError(`Cannot read ${what} "${path}" as it is damaged: ${reason}; ${remedy}`);
}

function parsed(text: string, damaged: (reason: string) => UserError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged("it is not JSON");
  }
}

function checked<Value>(value: unknown, schema: z.ZodType<Value>, damaged: (reason: string) => UserError): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const place = formatPath(parsed.error.issues[0].path as Path);
  throw damaged(place === "" ? "it is no map" : `${place} is missing, or not what this program writes`);
}

/** The same of a text that was read already, without a checksum. */
export function parseOwnJson<Value>(
  text: string,
  path: string,
  what: string,
  schema: z.ZodType<Value>,
  remedy: string,
): Value {
  const damaged = (reason: string) => damage(what, path, reason, remedy);
  return checked(parsed(text, damaged), schema, damaged);
}
