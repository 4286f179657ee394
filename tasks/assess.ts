import { dirname } from "node:path";
import type { Command } from "commander";
import { ASSESSMENTS } from "../core/assess/assessments.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { UserError } from "../core/errors.ts";
import { listWords } from "../core/recipe/words.ts";
import { type CarriedOut, carryOut } from "./assess/carry_out.ts";
import { type AssessFlags, MOST_EXAMPLES } from "./assess/flags.ts";
import { differencesOf, readManifest, writeManifest } from "./assess/manifest.ts";
import { type Plan, planOf, planOfManifest } from "./assess/plan.ts";
import { saveTemperatures } from "./assess/save_temperature.ts";
import { showAssessment } from "./assess/show.ts";
import { expectPlace, writeAssessReport } from "./assess/write_report.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { withBackend } from "./support/backend.ts";
import { confined } from "./support/confine.ts";
import { VerificationFailure } from "./support/errors.ts";
import { exportFolder } from "./support/export_folder.ts";
import { addPluginFlag, addVerbose, repeatable } from "./support/flags.ts";
import { counted } from "./support/format.ts";
import { standardOutput, stylesOf } from "./support/output.ts";

/** Adds the verb `assess`: what saved models can be trusted with, side by side. */
export function addAssess(program: Command): void {
  const names = ASSESSMENTS.map(({ name, usual }) => usual ? name : `${name} (by --only alone)`);
  addVerbose(
    addPluginFlag(
      program.command("assess").description("what saved models can be trusted with, side by side, on the test examples")
        .argument("[folders...]", "run folders, model folders, exports to ONNX, or the folder of a comparison")
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
        .option("--manifest", "write manifest.json into the model's folder: what it was made of, and all that is found")
        .option("--verify <manifest>", "compute a manifest again, and fail where it differs")
        .option("--out <folder>", "write assess.json, assess.md and the page assess.html there")
        .option("--json", "print the report as JSON")
        .option("--backend <name>", "where to compute: auto, webgpu or cpu")
        .addOption(repeatable("--set <key=value>", "set a value of the recipe; may be repeated")),
    ),
  ).action(async (given: string[], flags: AssessFlags) => {
    if (flags.verify !== undefined) return await verify(flags.verify, given, flags);
    const plan = await planOf(given, flags);
    const changed = flags.saveTemperature || flags.manifest ? plan.folders.map(({ folder }) => folder) : [];
    const exports = flags.saveTemperature ? plan.folders.map(({ folder }) => exportFolder(folder)) : [];
    const writes = [...(flags.out === undefined ? [] : [flags.out]), ...changed, ...exports, CACHE];
    await confined(writes, () => assess(plan, flags), true);
  });
}

async function assess(plan: Plan, flags: AssessFlags): Promise<void> {
  const out = standardOutput("stdout");
  const tell = flags.json ? standardOutput("stderr").line : out.line;
  if (flags.out !== undefined) await expectPlace(flags.out);
  const { report, manifest, weights } = await carriedOut(plan, flags, flags.manifest ?? false, tell);
  const written = flags.out === undefined ? [] : await writeAssessReport(flags.out, report);
  if (manifest) written.push(await writeManifest(plan.folders[0].folder, manifest));
  if (flags.json) out.line(JSON.stringify(report, null, 2));
  else for (const line of showAssessment(report, stylesOf(out))) out.line(line);
  for (const path of written) tell(`Written: ${path}`);
  // Last, as a model may have none: what was computed is there then.
  const saved = flags.saveTemperature ? await saveTemperatures(plan.folders, report.sections, weights) : [];
  for (const line of saved) tell(line);
}

/** Differences that are told one by one: one number that is another changes all that is computed with it. */
const MOST_LINES = 20;

/** Computes a manifest again. @throws VerificationFailure where it differs */
async function verify(path: string, folders: readonly string[], flags: AssessFlags): Promise<void> {
  if (folders.length > 0) throw new UserError(`--verify ${path}: Cannot assess "${folders[0]}" as well: leave it out`);
  const { only, examples, eps, epsL2, out: place, json, saveTemperature, manifest: wanted } = flags;
  const others = {
    ...{ "--only": only, "--examples": examples, "--eps": eps, "--eps-l2": epsL2, "--out": place, "--json": json },
    ...{ "--save-temperature": saveTemperature, "--manifest": wanted, "--seed": flags.seed },
  };
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given) {
    throw new UserError(`--verify ${path}: Cannot take ${given[0]} as well: the manifest says what is computed`);
  }
  const stated = await readManifest(path);
  const plan = await planOfManifest(dirname(path), stated, flags);
  await confined([CACHE], async () => {
    const out = standardOutput("stdout");
    const { manifest } = await carriedOut(plan, flags, true, out.line);
    const differences = differencesOf(stated, manifest!);
    for (const line of differences.slice(0, MOST_LINES)) out.line(line);
    if (differences.length > MOST_LINES) out.line(`and ${differences.length - MOST_LINES} more`);
    if (differences.length === 0) return out.line(`${path}: all of it was found again`);
    throw new VerificationFailure(`${path}: what was found differs in ${counted(differences.length, "place")}`);
  }, true);
}

function carriedOut(
  plan: Plan,
  flags: AssessFlags,
  manifest: boolean,
  tell: (line: string) => void,
): Promise<CarriedOut> {
  const builtins = allowedPlugins(flags);
  return withBackend(
    plan.recipe.value.backend,
    tell,
    (backend) => carryOut(plan, { backend, builtins, tell, manifest }),
  );
}
