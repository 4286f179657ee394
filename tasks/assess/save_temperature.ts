import { join } from "node:path";
import type { SubjectCalibration } from "../../core/assess/calibration/calibration.ts";
import { UserError } from "../../core/errors.ts";
import { CONFIG_FILE, readConfigIfThere } from "../../core/model_folder/config_file.ts";
import { EXPORTED_FROM } from "../../core/model_folder/describing_folder.ts";
import { writeTemperature } from "../../core/model_folder/temperature.ts";
import { exportFolder } from "../support/export_folder.ts";
import type { NamedFolder } from "./open_subjects.ts";
import type { AssessSection } from "./report.ts";

/**
 * Writes the temperatures that were fitted into the models' config.json, and into that of the export beside each.
 *
 * @param weights SHA-256 of the models' weights, by their names
 * @returns lines of what was done
 * @throws UserError if one of the models has none, before any is written
 */
export async function saveTemperatures(
  folders: readonly NamedFolder[],
  sections: readonly AssessSection[],
  weights: ReadonlyMap<string, string>,
): Promise<string[]> {
  const section = sections.find(({ name }) => name === "calibration");
  const { subjects } = section!.result as { readonly subjects: readonly SubjectCalibration[] };
  const found = folders.map(({ name, folder }) => {
    const { temperature, reason } = subjects.find(({ subject }) => subject === name)!;
    if (temperature === null) throw new UserError(`--save-temperature: "${name}": ${reason}`);
    return { folder, temperature, hash: weights.get(name) };
  });
  const lines: string[] = [];
  for (const { folder, temperature, hash } of found) {
    await writeTemperature(folder, temperature);
    lines.push(`Written: ${folder}/config.json, temperature ${temperature.toFixed(4)}`);
    const beside = exportFolder(folder);
    const { [EXPORTED_FROM]: exportedFrom } = await readConfigIfThere(join(beside, CONFIG_FILE)) ?? {};
    if (exportedFrom === undefined) continue;
    if (exportedFrom !== hash) {
      lines.push(`${beside} is an export of other weights, and does not get the temperature: export the model anew`);
      continue;
    }
    await writeTemperature(beside, temperature);
    lines.push(
      `Written: ${beside}/config.json, temperature ${
        temperature.toFixed(4)
      }; to say it to other programs in the ONNX ` +
        "files, too, export the model anew",
    );
  }
  return lines;
}
