import type { Device } from "../device.ts";
import { kindOfPath, readUserFile, readUserFolder } from "../files.ts";
import { WEIGHTS_FILE } from "../model_folder/missing_weights.ts";
import { join } from "../paths.ts";
import type { Model } from "../plugin/model.ts";
import { countTrained } from "../plugin/parameters.ts";
import type { Checked } from "../recipe/checked.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import { sha256 } from "../sha256.ts";
import { VERSION } from "../version.ts";
import { sha256OfFolder } from "./load_data.ts";
import { type MatrixError, matrixErrors } from "./record/matrix_errors.ts";
import type { RunSummary } from "./summary/summary.ts";

/** The file of a manifest, in a student's folder. */
export const MANIFEST = "manifest.json";

/** What a student was made of, and what was found of it, so that anybody can compute it again. */
export interface Manifest {
  /** The version of the program. */
  readonly version: string;
  readonly recipe: string;
  /** The run's id. */
  readonly run: string | null;
  readonly seed: number;
  /** Where the numbers were computed. */
  readonly backend: string;
  readonly device: string;
  /** SHA-256 of each data file that was read, by its name in the recipe. */
  readonly data: Readonly<Record<string, string>>;
  /** The same of each teacher's weights. */
  readonly teacher: Readonly<Record<string, string>>;
  readonly student: {
    /** Of its weights file. */
    readonly sha256: string;
    /** Of what is stored as factors those of their product. */
    readonly parameters: number;
  };
  /** The run's check that merging changed nothing: max |f_train - f_merged|; `null` where the run does not say it. */
  readonly merge: RunSummary["merge"] | null;
  /** How exactly each matrix of the student that the recipe over-parameterises is held by its chain, or its like. */
  readonly matrices: readonly MatrixError[];
}

/** What a manifest is made of. */
export interface ManifestSetup {
  readonly device: Device;
  readonly recipe: Checked<Recipe>;
  /** The student, of what is stored as factors the whole. */
  readonly model: Model;
  /** Its weights, as its folder has them, or the products of what it has. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** The folder of the student. */
  readonly folder: string;
  readonly dataSha256: Readonly<Record<string, string>>;
  readonly run: string | null;
  readonly merge: RunSummary["merge"] | null;
}

/** Computes what a manifest says. @throws UserError for a file that cannot be read */
export async function manifestOf(setup: ManifestSetup): Promise<Manifest> {
  const { device, recipe, model, numbers, folder, dataSha256, run, merge } = setup;
  const { backend } = device;
  return {
    version: VERSION,
    recipe: recipe.value.name,
    run,
    seed: recipe.value.seed,
    backend: backend.name,
    device: backend.description,
    data: dataSha256,
    teacher: await teacherHashes(recipe),
    student: {
      sha256: await sha256(await readUserFile(join(folder, WEIGHTS_FILE), "the student")),
      parameters: countTrained(model),
    },
    merge,
    matrices: await matrixErrors(device, recipe.part("student").part("overParameterise"), model, numbers),
  };
}

/** By the name of each teacher's weights in the recipe: of a folder its weights file, or without one all its files. */
async function teacherHashes(recipe: Checked<Recipe>): Promise<Record<string, string>> {
  const { teacher } = recipe.value;
  const names = teacher ? [teacher.weights, ...teacher.others.map(({ weights }) => weights)] : [];
  const hashes: Record<string, string> = {};
  for (const name of names) {
    if (name !== null) hashes[name] = await sha256OfPath(resolveFile(recipe, name));
  }
  return hashes;
}

async function sha256OfPath(path: string): Promise<string> {
  const weights = join(path, WEIGHTS_FILE);
  if (await kindOfPath(weights) === "file") return await sha256(await readUserFile(weights, "the teacher"));
  if (await kindOfPath(path) === "folder") return await sha256OfFolder(await readUserFolder(path, "the teacher"));
  return await sha256(await readUserFile(path, "the teacher"));
}
