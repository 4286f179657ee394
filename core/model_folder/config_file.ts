import { UserError } from "../errors.ts";
import { readUserFile } from "../files.ts";
import { foreignKind } from "../foreign_bytes.ts";
import type { ForeignConfig } from "../plugin/saved_options.ts";

/** The description in a model folder of Hugging Face's layout. */
export const CONFIG_FILE = "config.json";

/** The text of a config.json. @throws UserError if it cannot be read, or is what a download left in its place */
export async function readDescription(file: string): Promise<string> {
  const bytes = await readUserFile(file, "the model's description");
  const foreign = foreignKind(bytes, file);
  if (foreign !== null) throw new UserError(`Cannot read "${file}" as ${foreign}`);
  return new TextDecoder().decode(bytes);
}

/** The JSON object in a file. @throws UserError if there is none */
export async function readForeignConfig(file: string): Promise<ForeignConfig> {
  const text = await readDescription(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`Cannot read "${file}" as it is no JSON: ${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as ForeignConfig;
  throw new UserError(`Cannot read "${file}" as a model's description: expected a JSON object`);
}
