import { dirname, join } from "node:path";
import { z } from "zod";
import type { AssessSettings } from "../../core/assess/assessment.ts";
import type { Subject } from "../../core/assess/subject.ts";
import { MANIFEST, type Manifest, manifestOf } from "../../core/distill/manifest.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { UserError } from "../../core/errors.ts";
import { writeFileAtomically } from "../../core/files.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { wholeOf } from "../../core/plugin/factored_model.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { readOwnJson } from "../support/own_json.ts";
import type { AssessSection } from "./report.ts";

/** What a manifest says of the assessments that were asked for. */
export interface ManifestAssessments {
  /** As it was named; `null`: there was none. */
  readonly teacher: string | null;
  readonly settings: AssessSettings;
  /** By name; the models in it are called `student` and `teacher`. */
  readonly results: Readonly<Record<string, object>>;
}

/** A manifest with the assessments of its student. */
export type AssessedManifest = Manifest & { readonly assessments?: ManifestAssessments };

/** What a manifest is made of. */
export interface ManifestCall {
  readonly ops: Ops;
  readonly recipe: Checked<Recipe>;
  readonly student: Subject;
  readonly dataSha256: Readonly<Record<string, string>>;
  readonly assessments: ManifestAssessments;
}

const merge = z.looseObject({ maxAbsLogitDifference: z.number(), tolerance: z.number(), probe: z.number() });
const hashes = z.record(z.string(), z.string());

const schema = z.looseObject({
  version: z.string(),
  recipe: z.string(),
  run: z.string().nullable(),
  seed: z.number(),
  backend: z.string(),
  device: z.string(),
  data: hashes,
  teacher: hashes,
  student: z.looseObject({ sha256: z.string(), parameters: z.number() }),
  merge: merge.nullable(),
  matrices: z.array(z.looseObject({ name: z.string(), reconstructionError: z.number() })),
  assessments: z.looseObject({
    teacher: z.string().nullable(),
    settings: z.looseObject({
      seed: z.int(),
      batchSize: z.int(),
      steps: z.int(),
      restarts: z.int(),
      most: z.int().nullable(),
      eps: z.array(z.number()).nullable(),
      epsL2: z.array(z.number()).nullable(),
    }),
    results: z.record(z.string(), z.looseObject({})),
  }).optional(),
});

/** Reads a manifest. @throws UserError if there is none, or it is damaged */
export async function readManifest(path: string): Promise<AssessedManifest> {
  const read = await readOwnJson(path, "the manifest", schema, "write it anew with --manifest");
  if (read) return read as unknown as AssessedManifest;
  throw new UserError(`--verify ${path}: Cannot read the manifest as there is no such file`);
}

/** The results of assessments, in which the models are called what they are. */
export function namedByRole(
  sections: readonly AssessSection[],
  roles: ReadonlyMap<string, string>,
): Record<string, object> {
  const renamed = (value: unknown): unknown => {
    if (typeof value === "string") return roles.get(value) ?? value;
    if (Array.isArray(value)) return value.map(renamed);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [roles.get(key) ?? key, renamed(part)]));
  };
  // As it is read again: what is not finite is null then.
  return Object.fromEntries(sections.map(({ name, result }) => {
    return [name, JSON.parse(JSON.stringify(renamed(result)))];
  }));
}

/** Computes a student's manifest. */
export async function assessedManifest(call: ManifestCall): Promise<AssessedManifest> {
  const { ops: { device }, recipe, student, dataSha256, assessments } = call;
  const { folder } = student;
  const { model, numbers } = wholeOf(student.model, student.numbers);
  if (numbers.size === 0) {
    throw new UserError(`Cannot write a manifest of "${folder}" as its weights are not there: expected a model folder`);
  }
  const summary = await summaryOf(folder);
  const facts = { run: summary?.run ?? null, merge: summary?.merge ?? null };
  return { ...await manifestOf({ device, recipe, model, numbers, folder, dataSha256, ...facts }), assessments };
}

/** Writes it into the student's folder. @returns its path */
export async function writeManifest(folder: string, manifest: AssessedManifest): Promise<string> {
  const path = join(folder, MANIFEST);
  await writeFileAtomically(path, await sealJson(manifest));
  return path;
}

/** What the run that a student is of says of it. */
async function summaryOf(folder: string): Promise<Pick<RunSummary, "run" | "merge"> | null> {
  const path = join(dirname(folder), "metrics.json");
  return await readOwnJson(path, "the summary", z.looseObject({ run: z.string(), merge }), `remove "${path}"`);
}

/** How far numbers may be apart: a matrix's error by rounding, a result as much as another backend changes it. */
const ROUNDING = 1e-6, OTHER_BACKEND = 0.01;

/**
 * Where what was computed again differs from what a manifest says, a line for each number; where it was computed does
 * not count, nor by which version.
 */
export function differencesOf(stated: AssessedManifest, own: AssessedManifest): string[] {
  const isSame = stated.backend === own.backend && stated.backend === "cpu";
  const facts = ({ version: _, backend: __, device: ___, assessments: ____, ...facts }: AssessedManifest) => facts;
  return [
    ...differing("", facts(stated), facts(own), ROUNDING),
    ...(stated.assessments
      ? differing(
        "assessments",
        stated.assessments.results,
        own.assessments!.results,
        isSame ? ROUNDING : OTHER_BACKEND,
      )
      : []),
  ];
}

function differing(path: string, stated: unknown, own: unknown, tolerance: number): string[] {
  const at = (key: string | number) => path === "" ? String(key) : `${path}.${key}`;
  if (typeof stated === "number" && typeof own === "number") {
    if (Math.abs(stated - own) <= tolerance * Math.max(1, Math.abs(stated), Math.abs(own))) return [];
  }
  if (isJsonObject(stated) && isJsonObject(own)) {
    return [...new Set([...Object.keys(stated), ...Object.keys(own)])]
      .flatMap((key) => differing(at(key), stated[key], own[key], tolerance));
  }
  if (Array.isArray(stated) && Array.isArray(own) && stated.length === own.length) {
    return stated.flatMap((part, index) => differing(at(index), part, own[index], tolerance));
  }
  const [said, found] = [stated, own].map((value) => JSON.stringify(value) ?? "nothing");
  return said === found ? [] : [`${path}: the manifest says ${cut(said)}, and it is ${cut(found)}`];
}

const cut = (text: string) => text.length <= 80 ? text : `${text.slice(0, 77)}...`;
