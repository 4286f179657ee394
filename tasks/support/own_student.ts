import { dirname, join } from "node:path";
import { z } from "zod";
import { STUDENT } from "../../core/distill/student/export_student.ts";
import { kindOfPath, readUserFile } from "../../core/files.ts";
import { WEIGHTS_FILE } from "../../core/model_folder/missing_weights.ts";
import { sha256 } from "../../core/sha256.ts";
import { readOwnJson } from "./own_json.ts";

/** Whether a run's student has the weights that the run has written; `true` where they are not there at all. */
export async function hasOwnStudent(run: string, studentSha256: string | undefined): Promise<boolean> {
  const weights = join(run, STUDENT, WEIGHTS_FILE);
  if (studentSha256 === undefined || await kindOfPath(weights) === null) return true;
  return await sha256(await readUserFile(weights, "the student")) === studentSha256;
}

const summarySchema = z.looseObject({ studentSha256: z.string().optional() });

/**
 * What is to be said of a model folder whose weights are not those that its run has written; `null` if they are, or it
 * is of no run.
 *
 * @throws UserError if the run's summary is damaged
 */
export async function describeChangedStudent(folder: string): Promise<string | null> {
  const [run, summaryFile] = [dirname(folder), join(dirname(folder), "metrics.json")];
  if (join(run, STUDENT) !== join(folder)) return null;
  const summary = await readOwnJson(summaryFile, "the summary", summarySchema, `remove "${summaryFile}"`);
  if (!summary || await hasOwnStudent(run, summary.studentSha256)) return null;
  return `Warning: the weights in "${folder}" are not those that its run has written, by the SHA-256 in metrics.json: ` +
    "they were changed since, or are damaged";
}
