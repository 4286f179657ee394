import { join } from "node:path";
import type { Command } from "commander";
import { ASSESSMENTS } from "../core/assess/assessments.ts";
import type { Assessment, AssessSettings } from "../core/assess/assessment.ts";
import type { Subject } from "../core/assess/subject.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { UserError } from "../core/errors.ts";
import { readUserFile } from "../core/files.ts";
import { WEIGHTS_FILE } from "../core/model_folder/missing_weights.ts";
import { createOps, type Ops } from "../core/ops/ops.ts";
import type { Checked } from "../core/recipe/checked.ts";
import { readRecipe, resolveFile } from "../core/recipe/recipe.ts";
import type { Recipe } from "../core/recipe/schema.ts";
import { listWords } from "../core/recipe/words.ts";
import { sha256 } from "../core/sha256.ts";
import { VERSION } from "../core/version.ts";
import { openFolderTokenizer } from "../plugins/datasets/text/folder_tokenizer.ts";
import { type AssessFlags, chosenAssessments, MOST_EXAMPLES, settingsOf } from "./assess/flags.ts";
import { type NamedFolder, withSubjects } from "./assess/open_subjects.ts";
import type { AssessReport, AssessSection } from "./assess/report.ts";
import { saveTemperatures } from "./assess/save_temperature.ts";
import { showAssessment } from "./assess/show.ts";
import { writeAssessReport } from "./assess/write_report.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { withBackend } from "./support/backend.ts";
import { confined } from "./support/confine.ts";
import { addPluginFlag, addVerbose, overridesOf, repeatable } from "./support/flags.ts";
import { standardOutput, stylesOf } from "./support/output.ts";
import { answeringModel, foreignKindOf, isFile, recipeNear } from "./support/saved_model.ts";

/** Adds the verb `assess`: what saved models can be trusted with, side by side. */
export function addAssess(program: Command): void {
  const names = ASSESSMENTS.map(({ name, usual }) => usual ? name : `${name} (by --only alone)`);
  addVerbose(
    addPluginFlag(
      program.command("assess").description("what saved models can be trusted with, side by side, on the test examples")
        .argument("<folders...>", "run folders, model folders, or exports to ONNX")
        .option(
          "--teacher <folder>",
          "model that the others are held against (default: the recipe's, if it is a folder)",
        )
        .option("--recipe <file>", "recipe that names the data set (default: that of the first run)")
        .option("--only <names>", `some of ${listWords(names, "and")}, with commas`)
        .option("--examples <number>", `the most test examples that are attacked, or all (default: ${MOST_EXAMPLES})`)
        .option(
          "--eps <list>",
          "largest changes of a pixel from 0 to 1, or of a number of word vectors, as 2/255,8/255",
        )
        .option("--eps-l2 <list>", "largest Euclidean norms of a change, as 0.25,0.5")
        .option("--steps <number>", "steps of projected gradient descent", "20")
        .option("--restarts <number>", "how often it starts: at the example, then at random places around it", "1")
        .option("--seed <number>", "seed of noise and random places (default: the recipe's)")
        .option("--save-temperature", "write the fitted temperature into each folder's config.json, for predict")
        .option("--out <folder>", "write assess.json, assess.md and the page assess.html there")
        .option("--json", "print the report as JSON")
        .option("--backend <name>", "where to compute: auto, webgpu or cpu")
        .addOption(repeatable("--set <key=value>", "set a value of the recipe; may be repeated")),
    ),
  ).action(async (paths: string[], flags: AssessFlags) => {
    const assessments = chosenAssessments(flags.only);
    if (flags.saveTemperature && !assessments.some(({ name }) => name === "calibration")) {
      throw new UserError(`--only ${flags.only}: Cannot save a temperature without calibration`);
    }
    const folders = await Promise.all(paths.map(namedFolder));
    const twice = paths.find((path, at) => paths.indexOf(path) < at);
    if (twice !== undefined) throw new UserError(`Cannot assess "${twice}" twice: name other models beside it`);
    const recipe = await recipeOf(paths, flags);
    const settings = settingsOf(flags, { seed: recipe.value.seed, batchSize: recipe.value.evaluate.batchSize });
    const teacher = await teacherOf(recipe, flags);
    const writes = [...(flags.out === undefined ? [] : [flags.out]), ...savedIn(folders, flags), CACHE];
    const plan = { folders, teacher, recipe, assessments, settings };
    await confined(writes, () => run(plan, flags), true);
  });
}

/** What is to be done. */
interface Plan {
  readonly folders: readonly NamedFolder[];
  readonly teacher: NamedFolder | null;
  readonly recipe: Checked<Recipe>;
  readonly assessments: readonly Assessment[];
  readonly settings: AssessSettings;
}

async function namedFolder(name: string): Promise<NamedFolder> {
  return { name, folder: await answeringModel(name, "assess") };
}

const savedIn = (folders: readonly NamedFolder[], { saveTemperature }: AssessFlags) =>
  saveTemperature ? folders.map(({ folder }) => folder) : [];

/** The recipe that is named, or that of the first folder that is of a run. @throws UserError if there is none */
async function recipeOf(paths: readonly string[], flags: AssessFlags): Promise<Checked<Recipe>> {
  // The recipe's own seed decides which examples are held out: that of noise is another.
  const overrides = overridesOf({ set: flags.set, backend: flags.backend });
  const near = flags.recipe === undefined ? await Promise.all(paths.map(recipeNear)) : [flags.recipe];
  const file = near.find((file) => file !== null) ?? null;
  if (file !== null) return await readRecipe(file, { overrides });
  throw new UserError(
    `Cannot assess "${paths[0]}" without a data set: name a recipe that has it with --recipe FILE`,
  );
}

/** The model that the others are held against: that which is named, or the recipe's, where it is a folder. */
async function teacherOf(recipe: Checked<Recipe>, { teacher }: AssessFlags): Promise<NamedFolder | null> {
  if (teacher !== undefined) return await namedFolder(teacher);
  const weights = recipe.value.teacher?.weights ?? null;
  if (weights === null || recipe.value.teacher!.others.length > 0) return null;
  const path = resolveFile(recipe, weights);
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  return isFolder && await foreignKindOf(path) === null ? { name: weights, folder: path } : null;
}

async function run(plan: Plan, flags: AssessFlags): Promise<void> {
  const { folders, teacher, recipe, assessments, settings } = plan;
  const out = standardOutput("stdout");
  const tell = flags.json ? standardOutput("stderr").line : out.line;
  const report = await withBackend(recipe.value.backend, tell, async (backend) => {
    const ops = createOps(backend);
    const all = teacher && !folders.some(({ name }) => name === teacher.name) ? [teacher, ...folders] : folders;
    const call = { ops, recipe, builtins: allowedPlugins(flags), tell };
    const [subjects, sections] = await withSubjects(all, call, async (subjects) => {
      const facts = await Promise.all(subjects.map(described));
      return [facts, await assessAll(ops, subjects, assessments, teacher, settings, tell)] as const;
    });
    return {
      version: VERSION,
      recipe: recipe.file,
      backend: backend.name,
      device: backend.description,
      examples: subjects[0].examples,
      settings,
      teacher: teacher?.name ?? null,
      subjects,
      sections,
    } satisfies AssessReport;
  });
  const written = flags.out === undefined ? [] : await writeAssessReport(flags.out, report);
  const saved = flags.saveTemperature ? await saveTemperatures(folders, report.sections) : [];
  if (flags.json) out.line(JSON.stringify(report, null, 2));
  else for (const line of showAssessment(report, stylesOf(out))) out.line(line);
  for (const path of written) tell(`Written: ${path}`);
  for (const line of saved) tell(line);
}

async function described({ name, folder, architecture, parameters, examples }: Subject) {
  const file = join(folder, WEIGHTS_FILE);
  const hash = await isFile(file) ? await sha256(await readUserFile(file, "the weights")) : null;
  return { name, folder, architecture, parameters, examples: examples.length, sha256: hash };
}

async function assessAll(
  ops: Ops,
  [first, ...others]: readonly Subject[],
  assessments: readonly Assessment[],
  teacher: NamedFolder | null,
  settings: AssessSettings,
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
