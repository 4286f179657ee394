import { UserError } from "../errors.ts";
import { writeFileAtomically } from "../files.ts";
import { showJson } from "../json.ts";
import { join } from "../paths.ts";
import { CONFIG_FILE, readConfigAlone } from "./config_file.ts";

/** The key of a config.json of this program that says what logits are divided by before the softmax. */
export const TEMPERATURE = "temperature";

/**
 * The temperature of a model folder; 1 where it states none, and of other programs' folders, where the key means
 * something else.
 *
 * @throws UserError if it is no number above 0
 */
export async function readTemperature(folder: string): Promise<number> {
  const file = join(folder, CONFIG_FILE);
  const { architecture, [TEMPERATURE]: stated = 1 } = await readConfigAlone(file);
  if (architecture === undefined) return 1;
  if (typeof stated === "number" && Number.isFinite(stated) && stated > 0) return stated;
  throw new UserError(`Cannot use the temperature in "${file}": expected a number above 0, got ${showJson(stated)}`);
}

/** Writes the temperature into a model folder. @throws UserError for a folder of another program */
export async function writeTemperature(folder: string, temperature: number): Promise<void> {
  const file = join(folder, CONFIG_FILE);
  const config = await readConfigAlone(file);
  if (config.architecture === undefined) {
    throw new UserError(
      `Cannot save a temperature in "${file}" as it is another program's, which would not know it: expected a folder ` +
        "that this program wrote",
    );
  }
  await writeFileAtomically(file, JSON.stringify({ ...config, [TEMPERATURE]: temperature }, null, 2) + "\n");
}
