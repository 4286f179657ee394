import { join } from "node:path";
import { expectStrengths } from "../../core/assess/strengths.ts";
import type { Subject } from "../../core/assess/subject.ts";
import type { Backend } from "../../core/backend/backend.ts";
import { readUserFile } from "../../core/files.ts";
import { WEIGHTS_FILE } from "../../core/model_folder/missing_weights.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import { sha256, sha256OfWeights } from "../../core/sha256.ts";
import { VERSION } from "../../core/version.ts";
import { openFolderTokenizer } from "../../plugins/datasets/text/folder_tokenizer.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { isFile } from "../support/saved_model.ts";
import { type AssessedManifest, assessedManifest, namedByRole } from "./manifest.ts";
import { withSubjects } from "./open_subjects.ts";
import type { Plan } from "./plan.ts";
import type { AssessReport, AssessSection } from "./report.ts";

/** Where a plan is carried out. */
export interface CarryOutCall {
  readonly backend: Backend;
  readonly builtins: Builtins;
  readonly tell: (line: string) => void;
  /** Whether a manifest of the first model is wanted. */
  readonly manifest: boolean;
}

/** What came of it. */
export interface CarriedOut {
  readonly report: AssessReport;
  /** `null` unless it was asked for. */
  readonly manifest: AssessedManifest | null;
  /** SHA-256 of each model's weights as an export states it, by the model's name. */
  readonly weights: ReadonlyMap<string, string>;
}

/** Opens the models, makes the assessments, and puts together what they say. */
export async function carryOut(plan: Plan, { backend, builtins, tell, manifest }: CarryOutCall): Promise<CarriedOut> {
  const { folders: [first, ...others], teacher, recipe, settings } = plan;
  const folders = [first, ...others];
  const isBeside = teacher !== null && !folders.some(({ name }) => name === teacher.name);
  const ops = createOps(backend);
  return await withSubjects(
    isBeside ? [teacher, ...folders] : folders,
    { ops, builtins, tell },
    async (subjects, dataSha256) => {
      expectStrengths(subjects[0].input, settings);
      const sections = await assessAll(ops, subjects, plan, tell);
      const report: AssessReport = {
        version: VERSION,
        recipe: recipe.file,
        backend: backend.name,
        device: backend.description,
        examples: subjects[0].examples.length,
        settings,
        teacher: subjects.find(({ name }) => name === teacher?.name)?.name ?? null,
        subjects: await Promise.all(subjects.map(described)),
        sections,
      };
      const hashes = subjects.map(async ({ name, numbers }) => [name, await sha256OfWeights(numbers)] as const);
      const weights = new Map(await Promise.all(hashes));
      if (!manifest) return { report, manifest: null, weights };
      const student = subjects.find(({ name }) => name === first.name)!;
      const roles = new Map([...teacher ? [[teacher.name, "teacher"] as const] : [], [first.name, "student"] as const]);
      const assessments = { teacher: teacher?.name ?? null, settings, results: namedByRole(sections, roles) };
      return { report, manifest: await assessedManifest({ ops, recipe, student, dataSha256, assessments }), weights };
    },
  );
}

async function described(
  { name, folder, architecture, parameters }: Subject,
): Promise<AssessReport["subjects"][number]> {
  const file = join(folder, WEIGHTS_FILE);
  const hash = await isFile(file) ? await sha256(await readUserFile(file, "the weights")) : null;
  return { name, folder, architecture, parameters, sha256: hash };
}

async function assessAll(
  ops: Ops,
  [first, ...others]: readonly Subject[],
  { assessments, teacher, settings }: Plan,
  tell: (line: string) => void,
): Promise<AssessSection[]> {
  const subjects = [first, ...others] as const;
  const taught = subjects.find(({ name }) => name === teacher?.name) ?? null;
  const sections: AssessSection[] = [];
  for (const { name, title, assess } of assessments) {
    tell(`${title} ...`);
    const call = { ops, subjects, teacher: taught, settings, tokenizer: openFolderTokenizer, tell } as const;
    sections.push({ name, title, ...await assess(call) });
  }
  return sections;
}
