import { UserError } from "../errors.ts";
import { isNowhere, readUserFile } from "../files.ts";
import { foreignKind } from "../foreign_bytes.ts";
import { isJsonObject, parseJson } from "../json.ts";
import { dirname } from "../paths.ts";
import type { ForeignConfig } from "../plugin/saved_options.ts";
import { readSentenceModules } from "./sentence_modules.ts";

/** The description in a model folder of Hugging Face's layout. */
export const CONFIG_FILE = "config.json";

/** The text of a config.json. @throws UserError if it cannot be read, or is what a download left in its place */
export async function readDescription(file: string): Promise<string> {
  const bytes = await readUserFile(file, "the model's description");
  const foreign = foreignKind(bytes, file);
  if (foreign !== null) throw new UserError(`Cannot read "${file}" as ${foreign}`);
  return new TextDecoder().decode(bytes);
}

/**
 * The JSON object in a file, with what stands beside it of how the model makes vectors of sentences.
 *
 * @throws UserError if there is none
 */
export async function readForeignConfig(file: string): Promise<ForeignConfig> {
  return { ...await readConfigAlone(file), ...await readSentenceModules(dirname(file)) };
}

/** The JSON object in a file. @throws UserError if there is none */
export async function readConfigAlone(file: string): Promise<ForeignConfig> {
  const bytes = await readUserFile(file, "the model's description");
  const refuse = (reason: string) => new UserError(`Cannot read "${file}" as ${foreignKind(bytes, file) ?? reason}`);
  const value = parseJson(bytes, refuse);
  if (isJsonObject(value)) return value;
  throw new UserError(`Cannot read "${file}" as a model's description: expected a JSON object`);
}

/** The same; `null` where there is no such file. @throws UserError if it is there and cannot be read */
export async function readConfigIfThere(file: string): Promise<ForeignConfig | null> {
  try {
    return await readForeignConfig(file);
  } catch (error) {
    if (isNowhere((error as Error).cause)) return null;
    throw error;
  }
}

/** Runs what builds a model of a config; its errors get the file's name. */
export function withinConfig<Result>(file: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Cannot build the model in "${file}": ${error.message}`) : error;
  }
}
