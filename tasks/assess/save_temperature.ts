import type { SubjectCalibration } from "../../core/assess/calibration/calibration.ts";
import { UserError } from "../../core/errors.ts";
import { writeTemperature } from "../../core/model_folder/temperature.ts";
import type { NamedFolder } from "./open_subjects.ts";
import type { AssessSection } from "./report.ts";

/**
 * Writes the temperatures that were fitted into the models' config.json.
 *
 * @returns a line for each
 * @throws UserError if one of the models has none, before any is written
 */
export async function saveTemperatures(
  folders: readonly NamedFolder[],
  sections: readonly AssessSection[],
): Promise<string[]> {
  const section = sections.find(({ name }) => name === "calibration");
  const { subjects } = section!.result as { readonly subjects: readonly SubjectCalibration[] };
  const found = folders.map(({ name, folder }) => {
    const { temperature, reason } = subjects.find(({ subject }) => subject === name)!;
    if (temperature === null) throw new UserError(`--save-temperature: "${name}": ${reason}`);
    return { folder, temperature };
  });
  const lines: string[] = [];
  for (const { folder, temperature } of found) {
    await writeTemperature(folder, temperature);
    lines.push(`Written: ${folder}/config.json, temperature ${temperature.toFixed(4)}`);
  }
  return lines;
}
