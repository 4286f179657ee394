import { join } from "node:path";
import { z } from "zod";
import type { RunRecord } from "../../core/distill/record/record.ts";
import { RECORD } from "../../core/distill/run_folder.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { UserError } from "../../core/errors.ts";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { kindOfPath, readTextIfThere } from "../../core/files.ts";
import { readVocabulary, type Vocabulary } from "../../core/model_folder/vocabulary.ts";
import { isMap } from "../../core/recipe/paths.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { ASSESSED, type AssessReport, readAssessReport } from "../assess/report.ts";
import { readOwnJson } from "../support/own_json.ts";
import { type LogLine, readLog } from "./log.ts";
import { recordSchema, summarySchema } from "./schemas.ts";

/** What a run folder holds, as far as the run has come. */
export interface RunFiles {
  readonly folder: string;
  /** The resolved recipe, as it is written. */
  readonly recipe: string;
  /** The same as a value. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly log: readonly LogLine[];
  /** `null` of a run that did not come to its end. */
  readonly summary: RunSummary | null;
  /** `null` of such a run, and of one that was not recorded. */
  readonly record: RunRecord | null;
  /** Whether it can go on from a checkpoint. */
  readonly canGoOn: boolean;
  /** Why training failed, if it did. */
  readonly failure: string | null;
  /** Bytes of the student's weights. */
  readonly bytes: number | null;
  /** What `assess` found of its student; `null` if it was not asked. */
  readonly assessment: AssessReport | null;
  /** By which numbers of tokens become words again. */
  readonly vocabulary: Vocabulary | null;
}

/** Reads a run folder. @throws UserError if it is none, or a file in it is damaged */
export async function readRun(folder: string): Promise<RunFiles> {
  const path = (name: string) => join(folder, name);
  const recipe = await readTextIfThere(path("recipe.yaml"), "the run's recipe");
  if (recipe === null) {
    throw new UserError(`Cannot report on "${folder}" as it is no run folder: there is no recipe.yaml in it`);
  }
  const { value, problems } = readYaml(recipe);
  if (problems.length > 0 || !isMap(value)) {
    throw new UserError(`Cannot read the run's recipe "${path("recipe.yaml")}" as it is damaged: it is no recipe`);
  }
  const again = (name: string) => `remove "${path(name)}", and the report does without it`;
  const summary = await readOwnJson(path("metrics.json"), "the summary", summarySchema, again("metrics.json"));
  const record = await readOwnJson(path(RECORD), "the record", recordSchema, again(RECORD));
  const assessment = await readAssessReport(path(ASSESSED));
  const failure = await readOwnJson(
    path("failure.json"),
    "the record of a failure",
    z.looseObject({ message: z.string() }),
    again("failure.json"),
  );
  return {
    folder,
    recipe,
    settings: value,
    log: readLog(await readTextIfThere(path("metrics.jsonl"), "the log") ?? ""),
    summary: summary as unknown as RunSummary | null,
    // What a run before left, if the summary is of another one.
    record: record && record.run === summary?.run ? record as unknown as RunRecord : null,
    canGoOn: await kindOfPath(path(CHECKPOINT_FILE)) !== null,
    failure: failure?.message ?? null,
    bytes: await Deno.stat(path("student/model.safetensors")).then(({ size }) => size, () => null),
    // Of another student, if the run's has changed since.
    assessment: assessment?.subjects.some(({ sha256 }) => sha256 === summary?.studentSha256) ? assessment : null,
    vocabulary: await readVocabulary(join(folder, "student"), "the report"),
  };
}
